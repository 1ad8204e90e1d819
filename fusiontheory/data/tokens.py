"""Token sets: several vectors of each image, such as the cells of a grid, and its captions."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array, set_checked
from fusiontheory.constraints import checked, instead, ragged
from fusiontheory.data.features import SPLITS, FeatureSet, decoded, tensors_of
from fusiontheory.data.quantise import quantise
from fusiontheory.store import digest, read_tensors, write_tensors
from fusiontheory.typing import AnyArray, Integers, Single

__all__ = ["TokenSet", "checked_mask", "checked_tokens"]

# Values that are looked at in one go.
_BLOCK_VALUES = 2**23


@checked(tokens=instead(ragged))
def checked_tokens(tokens: ArrayLike, mask: ArrayLike | None = None) -> AnyArray:
    """Return tokens (n, m, d), finite where they count; what is floating point stays as it is.

    An array without a mask is not copied, and looked at in blocks, so that it may be larger than
    memory (`numpy.memmap`).

    Args:
        tokens: of n images, m each, in d dimensions.
        mask: (n, m), true where a token counts; None: all do.

    Raises:
        InputError: for images of different numbers of tokens without a mask, or tokens that look
            like fillers of such; another number of axes, values that are not finite, or an image
            without a token.

    >>> checked_tokens([[[1.0], [2.0]], [[3.0]]])
    Traceback (most recent call last):
    fusiontheory.checks.InputError: tokens must have one number of tokens for all images, got \
1 to 2; fill up the shorter ones and give a mask that is true where a token counts
    """
    if not isinstance(tokens, np.ndarray) or tokens.dtype == object:
        counts = {len(image) for image in tokens}  # type: ignore[union-attr, arg-type]
        if len(counts) > 1:
            raise InputError(
                "tokens must have one number of tokens for all images, got"
                f" {min(counts)} to {max(counts)}; fill up the shorter ones and give a mask that"
                " is true where a token counts"
            )
    given = np.asarray(tokens)
    if given.dtype.kind != "f" or given.ndim != 3 or given.size == 0:
        given = finite_array("tokens", tokens, 3)
    if mask is not None:
        present = checked_mask(mask, given.shape)
        # What a filler holds, NaN included, says nothing.
        given = np.where(present[..., None], given, given.dtype.type(0))
    step = max(_BLOCK_VALUES // (given.shape[1] * given.shape[2]), 1)
    for start in range(0, len(given), step):
        _finite_tokens(given[start : start + step], start)
    if mask is None:
        _check_no_fillers(given)
    return given


def _finite_tokens(block: AnyArray, start: int) -> None:
    wrong = np.flatnonzero(~np.isfinite(block).all(axis=(1, 2)))
    if wrong.size:
        raise InputError(
            "tokens must be finite, got NaN or infinite values in the image of index"
            f" {start + wrong[0]}; where they fill up images of fewer tokens, give a mask that is"
            " true where a token counts"
        )


def _check_no_fillers(tokens: AnyArray) -> None:
    """Refuse last or first tokens that are all zeros in some images and not in others."""
    for place, name in ((-1, "last"), (0, "first")):
        empty = np.flatnonzero(~np.asarray(tokens[:, place]).any(axis=1))
        if 0 < empty.size < len(tokens):
            raise InputError(
                f"tokens must have a mask where images have fewer of them: the {name} token of"
                f" {empty.size} of {len(tokens)} images is all zeros, such as of index {empty[0]};"
                " give a mask (images, tokens) that is false at fillers, or true everywhere if"
                " these are tokens"
            )


@checked
def checked_mask(mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask (n, m) that leaves every image of tokens (n, m, d) at least one token.

    Raises:
        InputError: if it is not of booleans, of another shape, or leaves an image without tokens.

    >>> int(checked_mask([[True, False]], (1, 2, 3)).sum())
    1
    """
    present = np.asarray(mask)
    if len(shape) != 3 or present.dtype != bool or present.shape != shape[:2]:
        raise InputError(
            f"mask must hold booleans of shape {tuple(shape[:2])}, one for each token, got"
            f" {present.dtype} of shape {present.shape}"
        )
    empty = np.flatnonzero(~present.any(axis=1))
    if empty.size:
        raise InputError(
            f"mask must leave every image a token, got {empty.size} images without, such as"
            f" index {empty[0]}"
        )
    return present


@checked(image=instead(ragged))
@dataclass(frozen=True, eq=False)
class TokenSet:
    """Tokens of n images and vectors of their captions, row by row, with ids and splits.

    Args:
        image: (n, m, d), kept as float32.
        text: (n, captions, p), kept as float32; (n, p) means one caption for each image.
        ids: (n,) distinct integers. None: 0 to n - 1.
        split: (n,) names from `fusiontheory.data.SPLITS`. None: one pool.
        mask: (n, m), true where a token counts. None: all do.
        name: what the tokens are, for people.

    Raises:
        InputError: as `checked_tokens` and `fusiontheory.data.FeatureSet` do.

    >>> tokens = TokenSet(np.arange(1.0, 25).reshape(3, 4, 2), np.eye(3))
    >>> tokens.image.shape, tokens.text.shape
    ((3, 4, 2), (3, 1, 3))
    """

    image: Single
    text: Single
    ids: Integers = None  # type: ignore[assignment]
    split: NDArray[np.str_] | None = None
    mask: NDArray[np.bool_] | None = None
    name: str = "tokens"
    _pooled: FeatureSet = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check every array and keep read-only copies of the declared types."""
        image = checked_tokens(self.image, self.mask).astype(np.float32)
        # All that is asked of features is asked of the tokens of an image side by side.
        pooled = FeatureSet(image.reshape(len(image), -1), self.text, self.ids, self.split)
        mask = None if self.mask is None else checked_mask(self.mask, image.shape)
        image.flags.writeable = False
        for name, value in (
            ("image", image),
            ("text", pooled.text),
            ("ids", pooled.ids),
            ("split", pooled.split),
            ("mask", mask),
            ("_pooled", pooled),
        ):
            set_checked(self, name, value)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.image)

    @cached_property
    def fingerprint(self) -> str:
        """20 hex digits that change with any array."""
        return digest(self._tensors())[:20]

    def rows(self, *splits: str) -> Integers:
        """Return the rows of one or several splits in ascending order; without a name, all rows.

        Raises:
            InputError: if a name is no split, or has no rows here.
        """
        return self._pooled.rows(*splits)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a safetensors file, tokens and texts in eight bits with a scale for each column.

        What is loaded differs by up to half a scale in each value (`quantise`).

        Raises:
            InputError: if the name ends otherwise, or the folder cannot be written to.

        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "some.safetensors"
        >>> TokenSet(np.arange(1.0, 13).reshape(2, 3, 2), np.eye(2)).save(path)
        >>> TokenSet.load(path).image.shape
        (2, 3, 2)
        """
        if Path(path).suffix != ".safetensors":
            raise InputError(f"path must end in .safetensors, got {path}")
        tensors = self._tensors()
        for name in ("image", "text"):
            tensors[name], tensors[f"{name}_scale"] = quantise(tensors[name])
        write_tensors(path, tensors, {"name": self.name})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TokenSet:
        """Read a file that `save` wrote; its checksum is compared.

        Raises:
            InputError: if the file is not there, damaged, or holds no tokens.
        """
        tensors, notes = read_tensors(path)
        missing = [name for name in ("image", "text", "ids") if name not in tensors]
        if missing or tensors["image"].ndim != 3:
            raise InputError(
                f"path must hold tokens as TokenSet.save writes them, got {path} with"
                f" {', '.join(sorted(tensors)) or 'nothing'}"
            )
        split = tensors.get("split")
        return cls(
            decoded(tensors, "image"),
            decoded(tensors, "text"),
            tensors["ids"],
            None if split is None else np.array(SPLITS)[split],
            None if "mask" not in tensors else tensors["mask"].astype(bool),
            (notes or {}).get("name", Path(path).stem),
        )

    def _tensors(self) -> dict[str, AnyArray]:
        tensors = tensors_of(self.image, self.text, self.ids, self.split)
        if self.mask is not None:
            tensors["mask"] = self.mask.astype(np.uint8)
        return tensors
