"""Images and captions as a file lists them, and the corpus they make with a folder of images."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fusiontheory.checks import InputError
from validation.corpus.corpus import Corpus, Dropped
from validation.corpus.image_folder import find_image_folder, relative_path, scan_folder
from validation.corpus.text_file import is_encodable

__all__ = ["FLICKR8K_DEFECTS", "Incomplete", "Listing"]

FLICKR8K_DEFECTS = ("2258277193_586949ec62.jpg", "2258277193_586949ec62.jpg.1")
"""Flickr8k.token.txt has four captions of the first and one of the second; neither has a file."""

Incomplete = Literal["refuse", "drop"]
"""What to do with captions without an image file and images without captions."""


@dataclass
class _Image:
    path: str
    where: str
    split: str | None
    captions: list[str] = field(default_factory=list)


class Listing:
    """Images in the order in which a file names them, each with its captions and split.

    Args:
        source: the file, or what else was read; errors and the corpus name it.

    >>> listing = Listing("a.csv")
    >>> listing.add("a.jpg", "a.jpg", ["A cat."], "train", "line 2")
    >>> listing.add("a.jpg", "a.jpg", ["A cat."], "test", "line 3")
    Traceback (most recent call last):
    fusiontheory.checks.InputError: an image must be in one split, got a.jpg in train (a.csv \
line 2) and in test (a.csv line 3); delete one of the two
    """

    def __init__(self, source: str | Path) -> None:
        """Start with no images."""
        self.source = str(source)
        self._images: dict[str, _Image] = {}
        self._blank: list[str] = []

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._images)

    @property
    def paths(self) -> list[str]:
        """Path of each image, relative to the image folder."""
        return [image.path for image in self._images.values()]

    def add(
        self, name: str, path: str, captions: Sequence[str], split: str | None, place: str
    ) -> None:
        """Add captions to an image, which is new or has the same path and split as before.

        Args:
            name: id of the image.
            path: of its file, relative to the image folder.
            captions: none, one or several; blank ones are dropped and counted.
            split: one of the project's splits; None for none.
            place: line or position in the source, for errors.

        Raises:
            InputError: if the path leads outside, the image was in another split or elsewhere, or
                a caption is no text.
        """
        where = f"{self.source} {place}"
        path = relative_path(path, where)
        image = self._images.setdefault(name, _Image(path, where, split))
        if image.split != split:
            raise InputError(
                f"an image must be in one split, got {name} in {image.split or 'none'}"
                f" ({image.where}) and in {split or 'none'} ({where}); delete one of the two"
            )
        if image.path != path:
            raise InputError(
                f"an image must have one file, got {image.path} ({image.where}) and {path}"
                f" ({where}) for {name}; rename one of the two"
            )
        for caption in captions:
            if not isinstance(caption, str) or not is_encodable(caption):
                raise InputError(f"a caption must be text, got {caption!r} for {name} ({where})")
            if caption.strip():
                image.captions.append(caption.strip())
            else:
                self._blank.append(name)

    def corpus(
        self,
        images: Path | None,
        incomplete: Incomplete = "refuse",
        defects: Collection[str] = (),
        whole_folder: bool = True,
    ) -> Corpus:
        """Return the corpus of the images with file and caption, and warn of what is dropped.

        Args:
            images: the image folder. None: looked for beside the source.
            incomplete: ``"refuse"`` a caption without an image and an image without a caption, or
                ``"drop"`` and count them.
            defects: ids that are dropped where they have no file, whatever ``incomplete`` says.
            whole_folder: whether an image file that is not listed is an image without captions;
                otherwise it is not part of the corpus.

        Raises:
            InputError: if something is incomplete and to be refused, if no image is left, or a
                path leads outside the folder.
        """
        if incomplete not in ("refuse", "drop"):
            raise InputError(f"incomplete must be refuse or drop, got {incomplete!r}")
        if not self._images:
            raise InputError(f"captions must name at least one image, got none in {self.source}")
        folder = find_image_folder(Path(self.source), self.paths) if images is None else images
        scan = scan_folder(folder, self.paths)
        if not scan.present:
            raise InputError(
                f"images must be the folder of the {len(self)} images that {self.source} lists,"
                f" such as {self.paths[0]}, got {folder}, which has none of them; name another with"
                " --images"
            )
        known, no_file, no_caption = self._faults(scan.present, defects)
        unlisted = scan.unlisted if whole_folder else ()
        if incomplete == "refuse":
            self._refuse(folder, list(no_file), [*no_caption, *unlisted], len(self) - len(known))
        dropped = [
            _dropped("known defect of Flickr8k, no file of that name", known),
            _dropped("no image file", no_file),
            _dropped("no caption", no_caption),
        ]
        if unlisted:
            dropped.append(Dropped("image file that is not listed", len(unlisted), 0, unlisted[0]))
        if self._blank:
            dropped.append(Dropped("blank caption", 0, len(self._blank), self._blank[0]))
        gone = {*known, *no_file, *no_caption}
        kept = {name: image for name, image in self._images.items() if name not in gone}
        corpus = Corpus(
            ids=tuple(kept),
            paths=tuple(image.path for image in kept.values()),
            captions=tuple(tuple(image.captions) for image in kept.values()),
            split=tuple(image.split for image in kept.values()),
            folder=folder,
            source=self.source,
            dropped=tuple(entry for entry in dropped if entry is not None),
        )
        if corpus.dropped_message is not None:
            warnings.warn(corpus.dropped_message, stacklevel=3)
        return corpus

    def _faults(
        self, present: Collection[str], defects: Collection[str]
    ) -> tuple[dict[str, _Image], dict[str, _Image], dict[str, _Image]]:
        """Return known defects, other images without a file, and images without a caption."""
        known: dict[str, _Image] = {}
        no_file: dict[str, _Image] = {}
        no_caption: dict[str, _Image] = {}
        for name, image in self._images.items():
            if image.path not in present:
                (known if name in defects else no_file)[name] = image
            elif not image.captions:
                no_caption[name] = image
        return known, no_file, no_caption

    def _refuse(self, folder: Path, no_file: list[str], no_caption: list[str], n: int) -> None:
        ask = "or leave such out with incomplete='drop' (--incomplete drop)"
        if no_file:
            image = self._images[no_file[0]]
            raise InputError(
                f"captions must have an image file each, got none for {len(no_file)} of {n}"
                f" images, such as {image.path} ({image.where}), in {folder}; add the files, {ask}"
            )
        if no_caption:
            raise InputError(
                f"images must have captions, got none for {len(no_caption)}, such as"
                f" {no_caption[0]}, in {self.source}; add captions, remove the images, {ask}"
            )


def _dropped(reason: str, images: dict[str, _Image]) -> Dropped | None:
    if not images:
        return None
    captions = sum(len(image.captions) for image in images.values())
    return Dropped(reason, len(images), captions, next(iter(images)))
