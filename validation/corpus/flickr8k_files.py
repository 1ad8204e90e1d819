"""What Flickr8k consists of, where it can be had, and how to tell that all of it is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fusiontheory.checks import InputError
from fusiontheory.store import read_bytes
from validation.corpus.corpus import Corpus
from validation.corpus.flickr_text import read_flickr_text
from validation.corpus.image_folder import IMAGE_SUFFIXES
from validation.corpus.splits import split_lists
from validation.corpus.text_file import read_lines

__all__ = ["FLICKR8K", "TERMS", "TOKENS", "Archive", "Contents", "altered_files", "verify"]

TOKENS = "Flickr8k.token.txt"

TERMS = """\
Flickr8k: M. Hodosh, P. Young, J. Hockenmaier, "Framing Image Description as a Ranking Task",
J. Artif. Intell. Res. 47 (2013), 853-899. Who uses it is asked to cite this paper.
The photographs belong to the people who put them on Flickr; the corpus gives no licence to them.
Its authors gave it out on request (https://forms.illinois.edu/sec/1713398). The archives named
here are a public copy that neither they nor this project keep, and it may vanish.
Use it for research and teaching, not commercially, and do not pass the photographs on."""
"""What a user has to accept before anything is downloaded."""


@dataclass(frozen=True)
class Archive:
    """A zip file and what is to be taken out of it, or a file of weights, which stays as it is.

    Attributes:
        name: file name of the archive.
        size: as it is published, for people; the server's own figure is what is checked.
        folder: for its files, below the folder of the corpus.
        url: where it is.
        hosts: where its host may redirect to.
        sha256: of the archive; None where it is not known, and its files are counted instead.
    """

    name: str
    size: str
    folder: str
    url: str
    hosts: tuple[str, ...] = ()
    sha256: str | None = None


@dataclass(frozen=True)
class Contents:
    """The files of a corpus and their numbers.

    Attributes:
        images: the archive of the image files.
        texts: the archive of captions and lists.
        image_files: how many images there are.
        caption_lines: how many lines the token file has.
        split_images: how many images each list names.
        sha256: of the `text_files`, in the copy of them that the shipped features were made from;
            none where only counts are known.
        weights: files of backbones that come with the corpus; none where each library downloads
            its own.
    """

    images: Archive
    texts: Archive
    image_files: int
    caption_lines: int
    split_images: Mapping[str, int]
    sha256: tuple[str, ...] = ()
    weights: tuple[Archive, ...] = ()

    @property
    def archives(self) -> tuple[Archive, Archive]:
        """Both archives, the small one first."""
        return self.texts, self.images

    def has_images(self, folder: Path) -> bool:
        """Whether the image folder has as many image files as it should."""
        files = folder / self.images.folder
        if not files.is_dir():
            return False
        return sum(f.suffix in IMAGE_SUFFIXES for f in files.iterdir()) == self.image_files

    def has_texts(self, folder: Path) -> bool:
        """Whether the caption folder has the token file and the three lists."""
        return all(path.is_file() for path in self.text_files(folder))

    def text_files(self, folder: Path) -> list[Path]:
        """Return the paths of the token file and of the lists of train, dev and test."""
        captions = folder / self.texts.folder
        return [captions / TOKENS, *split_lists(captions).values()]


_COPY = "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k"

# GitHub sends who asks for a release to one of these.
_HOSTS = ("objects.githubusercontent.com", "release-assets.githubusercontent.com")

FLICKR8K = Contents(
    images=Archive(
        "Flickr8k_Dataset.zip", "about 1 GB", "images", f"{_COPY}/Flickr8k_Dataset.zip", _HOSTS
    ),
    texts=Archive(
        "Flickr8k_text.zip", "about 3 MB", "captions", f"{_COPY}/Flickr8k_text.zip", _HOSTS
    ),
    image_files=8091,
    caption_lines=40_460,
    split_images={"train": 6000, "dev": 1000, "test": 1000},
    sha256=(
        "9b8608b02da9040581f1e3d4c8738db1fb6f63314342100432adc3962f77d71a",
        "e330ddd5156a4c2d2e2b67bc587e70e588f2d132bd8a10dc54dcb71e58115d8e",
        "18ba829f47f6df1cb830bf7f0506e2ddf333818925299babbd1bbcaf50fdc504",
        "c0924146c131458ceba45da59670fe9520eadce1e5cafffa16a817672a9b1f17",
    ),
)
"""8091 images and 40,460 captions, 5 of them without an image."""


def verify(folder: Path, contents: Contents = FLICKR8K) -> Corpus:
    """Return the corpus in a folder after its counts have been checked.

    Raises:
        InputError: if the number of images, of captions or of images in a split is another than
            it should be, or the corpus cannot be read.
    """
    tokens, *lists = contents.text_files(folder)
    counts = {str(tokens): (sum(1 for _ in read_lines(tokens)), contents.caption_lines)}
    for path, wanted in zip(lists, contents.split_images.values(), strict=True):
        counts[str(path)] = (sum(1 for _ in read_lines(path)), wanted)
    for name, (got, wanted) in counts.items():
        if got != wanted:
            raise InputError(f"{name} must have {wanted} lines, got {got}; delete it, fetch again")
    corpus = read_flickr_text(tokens, folder / contents.images.folder)
    if len(corpus) != contents.image_files:
        raise InputError(
            f"images must be {contents.image_files} files with captions, got {len(corpus)} in"
            f" {corpus.folder}; delete that folder and fetch again"
        )
    return corpus


def altered_files(folder: Path, contents: Contents = FLICKR8K) -> list[str]:
    """Return the names of text files that differ from the copy whose SHA-256 is known.

    Counts say that a file is whole; the hash, that features of it can be held against those that
    were made from the known copy.
    """
    if not contents.sha256:
        return []
    known = zip(contents.text_files(folder), contents.sha256, strict=True)
    return [
        path.name
        for path, wanted in known
        if hashlib.sha256(read_bytes(path)).hexdigest() != wanted
    ]
