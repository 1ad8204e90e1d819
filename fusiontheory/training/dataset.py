"""What a member is trained, chosen and tested on: features and labelled pairs of their rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array, positive_integer, set_checked
from fusiontheory.constraints import checked
from fusiontheory.data import FeatureSet, Pairs
from fusiontheory.typing import AnyArray, Integers, Single

__all__ = ["IndexedPairs", "PairDataset"]


@checked
@dataclass(frozen=True, eq=False)
class IndexedPairs:
    """Labelled pairs as rows of an image array and of a text array.

    Attributes:
        image: row of the image, shape (n,).
        text: row of the text, shape (n,).
        label: +1 or -1, shape (n,).

    Raises:
        InputError: if they are not of one length, rows are not integers of at least 0, or a label
            is another number.

    Example:
        >>> len(IndexedPairs([0, 1], [1, 1], [-1, 1]))
        2
    """

    image: Integers
    text: Integers
    label: Single

    def __post_init__(self) -> None:
        """Check and convert."""
        label = finite_array("label", self.label, 1)
        if not np.isin(label, (-1.0, 1.0)).all():
            raise InputError("label must be +1 or -1 everywhere, got other values")
        set_checked(self, "label", label.astype(np.float32))
        for name in ("image", "text"):
            rows = np.asarray(getattr(self, name))
            if rows.shape != label.shape or rows.dtype.kind not in "iu" or rows.min() < 0:
                raise InputError(
                    f"{name} must be {label.size} row numbers, one for each label, got shape"
                    f" {rows.shape} of {rows.dtype}"
                )
            set_checked(self, name, rows.astype(np.int64))

    def __len__(self) -> int:
        """Return the number of pairs."""
        return self.label.size


@checked
@dataclass(frozen=True, eq=False)
class PairDataset:
    """Features and the training, dev and test pairs drawn from them.

    Datasets of one source share one copy of their features on the device.

    Attributes:
        name: of the condition, kept in results.
        image: (images, d_v), or (images, tokens, d) of heads that take tokens.
        text: (texts, d_t), or (texts, tokens, d).
        owner: row of the image that each text belongs to, shape (texts,).
        train, dev, test: pairs; dev and test may be None.
        source: fingerprint of the features; made from the arrays if empty.

    Raises:
        InputError: if two of train, dev and test share an image or the text of one, or a row is
            not there. Always checked.

    Example:
        >>> pairs = IndexedPairs([0, 1], [0, 1], [1, -1])
        >>> PairDataset("demo", np.eye(2), np.eye(2), np.arange(2), pairs, test=pairs)
        Traceback (most recent call last):
        fusiontheory.checks.InputError: train and test must not share images, both have row 0
    """

    name: str
    image: AnyArray
    text: AnyArray
    owner: Integers
    train: IndexedPairs
    dev: IndexedPairs | None = None
    test: IndexedPairs | None = None
    source: str = ""

    def __post_init__(self) -> None:
        """Check that rows are there, and that no image is in two splits."""
        if np.shape(self.owner) != (len(self.text),):
            raise InputError(
                f"owner must name the image of each of the {len(self.text)} texts, got shape"
                f" {np.shape(self.owner)}"
            )
        for split, pairs in self.splits().items():
            for side, rows in (("image", self.image), ("text", self.text)):
                last = int(getattr(pairs, side).max())
                if last >= len(rows):
                    raise InputError(
                        f"{split} must hold rows of the {len(rows)} of {side}, got row {last}"
                    )
        self._check_disjoint()
        if not self.source:
            set_checked(self, "source", _digest(self.image, self.text))

    def _check_disjoint(self) -> None:
        seen: dict[str, Integers] = {}
        for split, pairs in self.splits().items():
            images = np.union1d(pairs.image, np.asarray(self.owner)[pairs.text])
            for other, before in seen.items():
                shared = np.intersect1d(before, images)
                if shared.size:
                    raise InputError(
                        f"{other} and {split} must not share images, both have row {shared[0]}"
                    )
            seen[split] = images

    @classmethod
    def from_features(
        cls,
        features: FeatureSet,
        train: Pairs,
        dev: Pairs | None = None,
        test: Pairs | None = None,
        name: str | None = None,
    ) -> PairDataset:
        """Return the dataset of a feature set and pairs drawn by `fusiontheory.data.draw_pairs`.

        Args:
            features: one row per image; all its captions become texts.
            train, dev, test: pairs of its rows.
            name: of the condition; that of the features if None.

        Raises:
            InputError: as the class does, and for captions that are not there.
        """
        captions = features.text.shape[1]

        def indexed(pairs: Pairs | None) -> IndexedPairs | None:
            if pairs is None:
                return None
            if pairs.caption.max() >= captions:
                raise InputError(f"caption must be below {captions}, got {pairs.caption.max()}")
            return IndexedPairs(
                pairs.image,
                pairs.text * captions + pairs.caption,
                pairs.label.astype(np.float32),
            )

        first = indexed(train)
        if first is None:
            raise InputError("train must be pairs, got None")
        return cls(
            name or features.name,
            features.image,
            *_texts(features),
            first,
            indexed(dev),
            indexed(test),
            features.fingerprint,
        )

    def first(self, n: int) -> PairDataset:
        """Return the same dataset with the first ``n`` training pairs.

        Raises:
            InputError: if there are fewer.
        """
        if positive_integer("n", n) > len(self.train):
            raise InputError(f"n must be at most the {len(self.train)} training pairs, got {n}")
        train = IndexedPairs(self.train.image[:n], self.train.text[:n], self.train.label[:n])
        return replace(self, train=train)

    def splits(self) -> dict[str, IndexedPairs]:
        """Return the pairs of each split that there is."""
        given = {"train": self.train, "dev": self.dev, "test": self.test}
        return {name: pairs for name, pairs in given.items() if pairs is not None}

    @property
    def fingerprint(self) -> str:
        """20 hex digits that change with the source, the name and the pairs of any split."""
        digest = hashlib.sha256(f"{self.source}|{self.name}".encode())
        for name, pairs in self.splits().items():
            digest.update(name.encode())
            for array in (pairs.image, pairs.text, pairs.label):
                digest.update(array.tobytes())
        return digest.hexdigest()[:20]


@lru_cache(maxsize=16)
def _texts(features: FeatureSet) -> tuple[Single, Integers]:
    """Return all captions as rows, and the image of each; the same objects for each draw."""
    images, captions, d_t = features.text.shape
    return features.text.reshape(-1, d_t), np.repeat(np.arange(images), captions)


def _digest(*arrays: AnyArray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:20]


def widths(dataset: PairDataset) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shapes of one image and of one text."""

    def shape(x: ArrayLike) -> tuple[int, ...]:
        return np.shape(x)[1:]

    return shape(dataset.image), shape(dataset.text)
