"""An image-caption corpus: which image files there are, with their captions and splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError, positive_integer, set_checked
from fusiontheory.data import SPLITS
from fusiontheory.store import canonical_json
from validation.corpus.image_folder import relative_path
from validation.corpus.text_file import is_clean

__all__ = ["Corpus", "Dropped"]


@dataclass(frozen=True)
class Dropped:
    """What a reader left out, and why.

    Attributes:
        reason: words that follow "n images, m captions: ".
        images: how many images.
        captions: how many captions.
        example: one of them.
    """

    reason: str
    images: int
    captions: int
    example: str

    def __str__(self) -> str:
        """Return counts, reason and example.

        >>> str(Dropped("no file of that name", 2, 5, "a.jpg"))
        '2 images, 5 captions: no file of that name (such as a.jpg)'
        """
        counts = [
            f"{count} {name}{'' if count == 1 else 's'}"
            for name, count in (("image", self.images), ("caption", self.captions))
            if count
        ]
        return f"{', '.join(counts)}: {self.reason} (such as {self.example})"


@dataclass(frozen=True, eq=False)
class Corpus:
    """n images with their captions, aligned by position. No image is opened.

    Args:
        ids: n distinct names, one for each image.
        paths: n distinct paths relative to ``folder``, with ``/`` between folders.
        captions: for each image its captions, at least one, none blank.
        split: for each image a name from `SPLITS`, or None for an image in no split.
        folder: the image folder; kept as an absolute path.
        source: where the corpus was read from, for people.
        dropped: what the reader left out.

    Raises:
        InputError: if lengths differ, there is no image, an id or path repeats or is blank, a
            path leads outside the folder, an image has no caption, or a split is unknown.

    >>> corpus = Corpus(("a", "b"), ("a.jpg", "b.jpg"), (("A cat.",), ("A dog.", "A pup.")),
    ...                 ("train", "test"), Path("/images"), "by hand")
    >>> list(corpus.images())[1]
    ('b', PosixPath('/images/b.jpg'))
    >>> corpus.select("test").captions
    (('A dog.', 'A pup.'),)
    """

    ids: tuple[str, ...]
    paths: tuple[str, ...]
    captions: tuple[tuple[str, ...], ...]
    split: tuple[str | None, ...]
    folder: Path
    source: str
    dropped: tuple[Dropped, ...] = ()

    def __post_init__(self) -> None:
        """Check every field and keep the folder as an absolute path."""
        n = len(self.ids)
        if n < 1:
            raise InputError(f"ids must have at least one image, got none from {self.source}")
        for name in ("paths", "captions", "split"):
            if len(getattr(self, name)) != n:
                got = len(getattr(self, name))
                raise InputError(f"{name} must have one entry for each of {n} ids, got {got}")
        _check_distinct("ids", self.ids)
        _check_distinct("paths", self.paths)
        for path in self.paths:
            if relative_path(path, self.source) != path:
                raise InputError(f"paths must be plain, such as a/b.jpg, got {path!r}")
        for name, captions in zip(self.ids, self.captions, strict=True):
            if isinstance(captions, str) or not captions or not all(c.strip() for c in captions):
                raise InputError(f"captions must be texts, none blank, got {captions!r} for {name}")
        unknown = {*self.split} - {None, *SPLITS}
        if unknown:
            raise InputError(f"split must be among {', '.join(SPLITS)} or None, got {unknown}")
        set_checked(self, "folder", Path(self.folder).resolve())

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.ids)

    def images(self) -> Iterator[tuple[str, Path]]:
        """Yield id and absolute path of each image, in the order of ``captions``."""
        for name, path in zip(self.ids, self.paths, strict=True):
            yield name, self.folder / path

    def rows(self, *splits: str) -> list[int]:
        """Return the positions of one or several splits, ascending; without a name, all.

        Raises:
            InputError: if a split has no images here.
        """
        present = {name for name in self.split if name}
        for name in splits:
            if name not in present:
                have = ", ".join(sorted(present)) or "no splits"
                raise InputError(f"splits must have images in {self.source}, got {name!r}: {have}")
        return [i for i, name in enumerate(self.split) if not splits or name in splits]

    def select(self, *splits: str) -> Corpus:
        """Return the images of these splits as a corpus.

        Raises:
            InputError: as `rows` does.
        """
        kept = self.rows(*splits)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in kept),
            paths=tuple(self.paths[i] for i in kept),
            captions=tuple(self.captions[i] for i in kept),
            split=tuple(self.split[i] for i in kept),
        )

    def first_captions(self, count: int) -> Corpus:
        """Return the corpus with the first ``count`` captions of each image.

        Feature sets have equally many captions for each image; COCO has 5 to 7.

        Raises:
            InputError: if an image has fewer.
        """
        positive_integer("count", count)
        few = [
            (name, len(c))
            for name, c in zip(self.ids, self.captions, strict=True)
            if len(c) < count
        ]
        if few:
            name, got = few[0]
            raise InputError(
                f"count must be at most the captions of every image, got {count}: {name} has {got}"
                f" ({len(few)} of {len(self)} images have too few); take fewer or leave them out"
            )
        return replace(self, captions=tuple(c[:count] for c in self.captions))

    @property
    def captions_each(self) -> int:
        """The number of captions that every image has at least."""
        return min(map(len, self.captions))

    @property
    def split_counts(self) -> dict[str, int]:
        """Number of images by split, those in no split under ``none``; no entry for 0."""
        named = [name or "none" for name in self.split]
        return {name: named.count(name) for name in (*SPLITS, "none") if name in named}

    @property
    def dropped_message(self) -> str | None:
        """What was left out, in one line; None if nothing was."""
        if not self.dropped:
            return None
        return f"{self.source}: dropped " + "; ".join(map(str, self.dropped))

    @cached_property
    def image_fingerprint(self) -> str:
        """20 hex digits of ids and of the size in bytes of each image file.

        The sizes tell a resized copy from the original. They are read from the disk; the pixels
        are not. Where the folder is, and how its files are arranged, does not matter.

        Raises:
            InputError: if a file is gone.
        """
        return _digest([[name, _size(path)] for name, path in self.images()])

    @cached_property
    def caption_fingerprint(self) -> str:
        """20 hex digits of ids and captions."""
        return _digest([self.ids, self.captions])

    @cached_property
    def fingerprint(self) -> str:
        """20 hex digits of the two other fingerprints and of the splits.

        Raises:
            InputError: as `image_fingerprint` does.
        """
        return _digest([self.image_fingerprint, self.caption_fingerprint, self.split])


def _check_distinct(name: str, values: Sequence[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if not value.strip() or not is_clean(value):
            raise InputError(f"{name} must be names without control characters, got {value!r}")
        if value in seen:
            raise InputError(f"{name} must be distinct, got {value!r} twice")
        seen.add(value)


def _digest(content: Any) -> str:
    return hashlib.sha256(canonical_json(content)).hexdigest()[:20]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise InputError(
            f"corpus must have its image files, got none at {path}: {error.strerror}; read it again"
        ) from error
