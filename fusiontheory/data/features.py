"""Feature sets: image and caption vectors that belong together, with ids and splits.

Features enter the project here and are checked once, so that nothing later has to.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array, set_checked
from fusiontheory.constraints import checked
from fusiontheory.data.duplicates import check_distinct_images
from fusiontheory.data.missing import check_vectors
from fusiontheory.data.quantise import dequantise, quantise
from fusiontheory.store import digest, is_sealed, read_tensors, sha256, write_tensors
from fusiontheory.typing import AnyArray, Array, Integers, Single

__all__ = ["SPLITS", "FeatureSet", "decoded", "normalise"]

SPLITS = ("align", "train", "dev", "test")
"""Names of the splits; files hold the positions in this tuple."""

_SCALE = "_scale"  # what the name of the scales adds to that of the codes


@checked
@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Vectors of n images and of their captions, row by row.

    The arrays are copied and read-only, so that the fingerprint stays true.

    Args:
        image: (n, d_v), kept as float32.
        text: (n, captions, d_t), kept as float32; (n, d_t) means one caption for each image.
        ids: (n,) distinct integers, kept as int64. None: 0 to n - 1.
        split: (n,) names from `SPLITS`. None: one pool.
        name: what the features are, for people; not part of the fingerprint.

    Raises:
        InputError: if an array is not numeric, has NaN, infinity, a zero vector or another length
            than the others, if there are fewer than 2 images, more than one in twenty is a copy
            of another, ids repeat, or a split is unknown.

    >>> features = FeatureSet(np.eye(3), np.ones((3, 2)), split=["align", "test", "test"])
    >>> features.text.shape, features.rows("test").tolist()
    ((3, 1, 2), [1, 2])
    >>> features.fingerprint
    '67fa655819cf2881f833'
    """

    image: Single
    text: Single
    ids: Integers = None  # type: ignore[assignment]
    split: NDArray[np.str_] | None = None
    name: str = "features"
    _named: str | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check every array and keep read-only copies of the declared types."""
        image, text = _float32("image", self.image, 2), _float32("text", self.text, (2, 3))
        n = len(image)
        if n < 2:
            raise InputError(f"image must have at least 2 rows, one for each image, got {n}")
        if len(text) != n:
            raise InputError(
                f"text must have one row for each of the {n} images, got {len(text)} rows"
            )
        check_vectors("image", image)
        check_vectors("text", text)
        check_distinct_images(image)
        ids = _ids(self.ids, n)
        split = None if self.split is None else _split_names(self.split, n)
        _check_distinct(ids, split)
        checked: dict[str, AnyArray | None] = {
            "image": image,
            "text": text[:, None] if text.ndim == 2 else text,
            "ids": ids,
            "split": split,
        }
        for name, array in checked.items():
            if array is not None:
                array.flags.writeable = False
            set_checked(self, name, array)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.image)

    @cached_property
    def fingerprint(self) -> str:
        """20 hex digits that change with the arrays, or of the recipe given to `derived`."""
        return self._named or digest(self._tensors())[:20]

    def derived(
        self, image: ArrayLike | None, text: ArrayLike | None, recipe: Sequence[Any]
    ) -> FeatureSet:
        """Return features of the same images made of these, with a fingerprint of the recipe.

        Computed features differ in their last bits between machines; a hash of what they were
        computed from does not. The recipe names the result without its arrays: with neither, it
        is known under which fingerprint records of the result are.

        Args:
            image: (n, d_v); None: as they are.
            text: (n, captions, d_t) or (n, d_t); None: as they are.
            recipe: what was done to these features, words and numbers.

        Raises:
            InputError: if an array is not finite, or not of n rows.

        >>> eyes = FeatureSet(np.eye(2), np.eye(2))
        >>> eyes.derived(2 * eyes.image, None, ["doubled"]).fingerprint
        '685076b32c76a494cb8e'
        >>> eyes.derived(None, None, ["doubled"]).fingerprint
        '685076b32c76a494cb8e'
        """
        changes: dict[str, Any] = {"_named": sha256([self.fingerprint, *recipe])[:20]}
        for name, given, ndim in (("image", image, 2), ("text", text, (2, 3))):
            if given is None:
                continue
            array = _float32(name, given, ndim)
            if len(array) != len(self):
                raise InputError(f"{name} must have {len(self)} rows, got {len(array)}")
            array = array[:, None] if name == "text" and array.ndim == 2 else array
            array.flags.writeable = False
            changes[name] = array
        return self._with(changes)

    def _with(self, changes: Mapping[str, Any]) -> FeatureSet:
        """Return the same with some fields changed, which are not checked again."""
        made = object.__new__(FeatureSet)
        for one in fields(self):
            value = changes.get(one.name, getattr(self, one.name))
            set_checked(made, one.name, value)
        return made

    def rows(self, *splits: str) -> Integers:
        """Return the rows of one or several splits in ascending order; without a name, all rows.

        Raises:
            InputError: if a name is not one of `SPLITS`, or has no rows here.

        >>> FeatureSet(np.eye(3), np.eye(3), split=["dev", "align", "dev"]).rows("dev").tolist()
        [0, 2]
        """
        if not splits:
            return np.arange(len(self))
        present = [] if self.split is None else sorted({*self.split.tolist()})
        for name in splits:
            if name not in SPLITS:
                raise InputError(f"splits must be among {', '.join(SPLITS)}, got {name!r}")
            if name not in present:
                raise InputError(
                    f"splits must have rows in the features {self.name!r}, got {name!r};"
                    f" they have {', '.join(present) or 'no splits, give the argument split'}"
                )
        return np.flatnonzero(np.isin(np.asarray(self.split), splits))

    def save(self, path: str | os.PathLike[str], int8: bool = False) -> None:
        """Write a safetensors file in one step; with ``int8`` at a quarter of the size.

        Args:
            path: file name that ends in .safetensors.
            int8: store `quantise`\\ d image and text; what is loaded then differs by up to half
                a scale in each value, and has the fingerprint of these rounded values.

        Raises:
            InputError: if the name ends otherwise, or the folder cannot be written to.

        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "eyes.safetensors"
        >>> features = FeatureSet(np.eye(2), np.eye(2), name="eyes")
        >>> features.save(path)
        >>> FeatureSet.load(path).fingerprint == features.fingerprint
        True
        """
        if Path(path).suffix != ".safetensors":
            raise InputError(f"path must end in .safetensors, got {path}")
        tensors, fingerprint = self._tensors(), self.fingerprint
        if int8:
            for name in ("image", "text"):
                tensors[name], tensors[name + _SCALE] = quantise(tensors[name])
            image, text = decoded(tensors, "image"), decoded(tensors, "text")
            fingerprint = replace(self, image=image, text=text).fingerprint
        write_tensors(path, tensors, {"fingerprint": fingerprint, "name": self.name})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FeatureSet:
        """Read a features file: one that `save` wrote, or one of other origin.

        Files of `save` carry a checksum, which is compared. Others are read by
        `fusiontheory.data.read_features`, which says what it takes, and groups equal rows.

        Raises:
            InputError: if the file is not there, truncated or altered, lacks an array, or holds
                what `FeatureSet` refuses.

        >>> FeatureSet.load("features.xyz")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        fusiontheory.checks.InputError: path must end in ..., got features.xyz...
        """
        path = Path(path)
        if path.suffix == ".safetensors" and is_sealed(path):
            tensors, notes = read_tensors(path)
            return cls._of_own_file(path, tensors, notes or {})
        from fusiontheory.data.reading import read_features  # which makes what this class is

        return read_features([path])

    @classmethod
    def _of_own_file(
        cls, path: Path, tensors: dict[str, AnyArray], notes: dict[str, Any]
    ) -> FeatureSet:
        missing = [name for name in ("image", "text") if name not in tensors]
        if missing:
            raise InputError(
                f"path must hold the arrays image and text, got {path} without"
                f" {' and '.join(missing)}; it holds {', '.join(sorted(tensors)) or 'none'}"
            )
        codes = tensors.get("split")
        features = cls(
            decoded(tensors, "image"),
            decoded(tensors, "text"),
            tensors.get("ids"),  # type: ignore[arg-type]
            None if codes is None else _names_of_codes(codes),
            notes.get("name", path.stem),
        )
        known = notes.get("fingerprint")
        return features if known is None else features._with({"_named": known})

    def _tensors(self) -> dict[str, AnyArray]:
        return tensors_of(self.image, self.text, self.ids, self.split)


def tensors_of(
    image: AnyArray, text: AnyArray, ids: Integers, split: NDArray[np.str_] | None
) -> dict[str, AnyArray]:
    """Return what a file has of vectors or tokens, splits as codes.

    >>> sorted(tensors_of(np.eye(2), np.eye(2), np.arange(2), np.array(["dev", "test"])))
    ['ids', 'image', 'split', 'text']
    """
    tensors: dict[str, AnyArray] = {"image": image, "text": text, "ids": ids}
    if split is not None:
        tensors["split"] = np.array([SPLITS.index(name) for name in split], dtype=np.uint8)
    return tensors


@checked
def normalise(x: ArrayLike, name: str = "x") -> Array:
    """Return x / ||x||, each row at unit Euclidean norm.

    Args:
        x: (..., d); a row is a vector along the last axis.
        name: what errors call it.

    Raises:
        InputError: if ``x`` is not finite, or a row is zero.

    >>> normalise([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    rows = finite_array(name, x, (1, 2, 3))
    # Without the largest entry first, squares of tiny or huge entries would leave the range.
    check_vectors(name, rows)
    largest = np.abs(rows).max(axis=-1, keepdims=True)
    rows = rows / largest
    unit: Array = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return unit


def _float32(name: str, value: ArrayLike, ndim: int | tuple[int, ...]) -> Single:
    array = finite_array(name, value, ndim)
    if np.abs(array).max() > np.finfo(np.float32).max:
        raise InputError(f"{name} must fit float32, got a value of {np.abs(array).max():g}")
    return array.astype(np.float32)


def _ids(value: ArrayLike | None, n: int) -> Integers:
    if value is None:
        return np.arange(n)
    ids = np.asarray(value)
    if ids.dtype.kind not in "iu" or ids.shape != (n,):
        raise InputError(
            f"ids must be {n} integers, one for each image, got {ids.dtype} of shape {ids.shape}"
        )
    return ids.astype(np.int64)


def _split_names(value: ArrayLike, n: int) -> NDArray[np.str_]:
    given = np.asarray(value)
    if given.shape != (n,):
        raise InputError(f"split must be {n} names, one for each image, got shape {given.shape}")
    if given.dtype.kind not in "U":
        raise InputError(
            f"split must hold the names {', '.join(SPLITS)}, got {given.dtype} such as {given[0]}:"
            " codes mean other things to other people; write the names"
        )
    unknown = sorted({*given.tolist()} - {*SPLITS})
    if unknown:
        raise InputError(f"split must hold only {', '.join(SPLITS)}, got {', '.join(unknown[:3])}")
    return given.astype(str)


def _names_of_codes(codes: AnyArray) -> AnyArray:
    """Return the names of the codes that `FeatureSet.save` writes."""
    if codes.dtype.kind not in "iu" or codes.size == 0 or codes.max() >= len(SPLITS):
        raise InputError(f"split must hold codes below {len(SPLITS)}, got {codes.dtype}")
    named: AnyArray = np.array(SPLITS)[codes]
    return named


def _check_distinct(ids: Integers, split: NDArray[np.str_] | None) -> None:
    values, counts = np.unique(ids, return_counts=True)
    repeats = np.flatnonzero(counts > 1)
    if not repeats.size:
        return
    repeated, times = values[repeats[0]], counts[repeats[0]]
    where = set() if split is None else set(split[ids == repeated].tolist())
    places = f" in the splits {' and '.join(sorted(where))}" if len(where) > 1 else ""
    raise InputError(
        f"ids must be distinct, got {repeated} {times} times{places} ({repeats.size} repeated)"
    )


def decoded(tensors: dict[str, AnyArray], name: str) -> AnyArray:
    """Return an array of a file; of int8, decoded with the scales beside it.

    Raises:
        InputError: if the scales are missing or do not fit.
    """
    array = tensors[name]
    if array.dtype != np.int8:
        return array
    if name + _SCALE not in tensors:
        raise InputError(
            f"path must hold {name}{_SCALE} for the int8 array {name}, got none;"
            " save the vectors as float32"
        )
    return dequantise(array, tensors[name + _SCALE])
