"""Vectors as people have them, row by row, and what makes one image a row of them.

Every check of people's arrays is here, so that whatever reads them refuses and groups alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.data.duplicates import caption_places, equal_rows, same_images
from fusiontheory.data.missing import check_varies, filler_rows, missing_rows
from fusiontheory.data.reading.joining import owners_by_name
from fusiontheory.data.reading.shapes import (
    check_numbers,
    check_orientation,
    counting_column,
    image_rows,
    text_rows,
    token_ids,
)
from fusiontheory.typing import AnyArray, Integers

__all__ = ["Missing", "Rows", "settle"]

Missing = Literal["refuse", "drop"]
"""What to do with rows that are zero or not finite, and with images that have no text."""

_MANY_TEXTS = 10
"""Captions of an image that need no word; more are seldom captions."""

_NAMES_JOIN = (
    "; leave out rows without a partner, or give the names of the rows in both files, to join by"
    " them"
)
_REPEATED = 0.01
"""Share of equal texts from which they are worth a word."""


@checked
@dataclass(frozen=True, eq=False)
class Rows:
    """Arrays with the names of their rows.

    Attributes:
        image: (n, d_v).
        text: (n, captions, d_t) or (n, d_t), or m rows where both sides have names.
        image_ids: n names, that may repeat; None if there are none.
        text_ids: names of the rows of text; None if they are those of image.
        split: n names of `fusiontheory.data.SPLITS`; None for one pool.
        where: what errors call the source.
    """

    image: AnyArray
    text: AnyArray
    image_ids: Sequence[str] | None = None
    text_ids: Sequence[str] | None = None
    split: Sequence[str] | None = None
    where: str = "the arrays"


@checked
def settle(rows: Rows, missing: str = "refuse") -> tuple[Rows, list[str]]:
    """Return one row for each image, with equally many captions, and sentences about what was done.

    Names join the two sides. Rows of image that are equal become one image, whose captions are the
    texts beside them; images with fewer captions than most are left out.

    Args:
        rows: as they were read.
        missing: "refuse" rows without a vector, or "drop" them.

    Raises:
        InputError: if arrays are not numeric, of another shape, do not fit each other or do not
            vary; if vectors are zero or not finite, and to be refused; if one name has two images
            or one image is in two splits.

    >>> image = np.repeat(np.eye(3), 2, axis=0)
    >>> found, said = settle(Rows(image, np.arange(18.0).reshape(6, 3)))
    >>> found.image.shape, found.text.shape, said[0][:47]
    ((3, 3), (3, 2, 3), 'image has 3 distinct rows of 6 in the arrays: r')
    """
    if missing not in ("refuse", "drop"):
        raise InputError(f"missing must be refuse or drop, got {missing!r}")
    said: list[str] = []
    present, captions = _present(rows, missing, said)
    grouped = _grouped(present, captions, missing, said)
    return grouped, said


def _present(rows: Rows, missing: str, said: list[str]) -> tuple[Rows, Integers]:
    """Return images (k, d) that are there, all texts, and the image of each caption or -1."""
    image = image_rows(check_numbers("image", rows.image, rows.where), rows.where)
    text = text_rows(check_numbers("text", rows.text, rows.where), rows.where)
    if len(text) == 1 and text.shape[1] == len(image):
        text = text.transpose(1, 0, 2)  # (1, n, d), a batch of n texts
    for name, x in (("image", rows.image), ("text", rows.text)):
        numbers = token_ids(name, x, rows.where)
        said += [] if numbers is None else [numbers]
    for name, x in (("image", image), ("text", text[:, 0])):
        counted = counting_column(name, x, rows.where)
        said += [] if counted is None else [counted]
    _check_lengths(rows, image, text)
    owner = _owners(rows, image, text, said)
    if text.shape[1] > _MANY_TEXTS:
        said.append(
            f"text has {text.shape[1]} vectors for each image in {rows.where}, which are taken as"
            " captions; if they are words, patches or frames, pool them to one vector first"
        )
    _check_columns("image", image, rows.where)
    _check_columns("text", text, rows.where)
    gone = missing_rows(image), missing_rows(text)
    sides = [("image", image, gone[0]), ("text", text, gone[1])]
    if missing == "refuse":
        _refuse(sides, rows.where)
    for name, _, mask in sides:
        if mask.any():
            said.append(
                f"{name}: {np.count_nonzero(mask)} of {mask.size} rows of {rows.where} are zero,"
                " not finite or of one value throughout and are left out, with the images that have"
                " no others"
            )
    captions = np.where(gone[1].ravel(), -1, np.repeat(owner, text.shape[1]))
    ids, split = rows.image_ids, rows.split
    if gone[0].any():
        kept = np.flatnonzero(~gone[0])
        place = np.full(len(image) + 1, -1)  # the last for captions of no image
        place[kept] = np.arange(len(kept))
        captions, image = place[captions], image[kept]
        ids, split = _taken(ids, kept), _taken(split, kept)
    if len(image) < 2:
        raise InputError(f"image must have at least 2 rows, got {len(image)} in {rows.where}")
    check_varies("image", image, f" in {rows.where}")
    check_varies("text", text[~gone[1]] if gone[1].any() else text, f" in {rows.where}")
    if np.array_equal(image, text[:, 0]):
        said.append(
            f"image and text are the same array in {rows.where}: every row is matched with itself"
        )
    return Rows(image, text, ids, None, split, rows.where), captions


def _grouped(rows: Rows, captions: Integers, missing: str, said: list[str]) -> Rows:
    """Return one row for each distinct image that has captions."""
    first = same_images(rows.image)
    _check_names(rows, first)
    captions = np.where(captions < 0, -1, first[captions])
    flat = rows.text.reshape(-1, rows.text.shape[-1])
    heads = np.unique(first)
    if len(heads) < len(first):
        _drop_copies(captions, flat)
        said.append(
            f"image has {len(heads)} distinct rows of {len(first)} in {rows.where}: rows that"
            f" are equal{_or_nearly(rows.image, heads)} are taken as one image with several"
            " captions"
        )
    lost = np.setdiff1d(heads, captions)
    if lost.size and missing == "refuse":
        which = f"row {lost[0]}" if rows.image_ids is None else rows.image_ids[lost[0]]
        raise InputError(
            f"text must have a row for each image, got none for {lost.size} of {len(heads)}, such"
            f" as {which}, in {rows.where}; add them, or leave these images out, as predict,"
            " alignment and arrays do with --missing drop"
        )
    kept, places = caption_places(captions, len(first))
    if len(kept) < 2:
        raise InputError(f"image must have at least 2 rows, got {len(kept)} in {rows.where}")
    unused = int(np.count_nonzero(captions >= 0)) - places.size
    if unused:
        said.append(
            f"images have different numbers of captions in {rows.where}: {places.shape[1]} each of"
            f" {len(kept)} images are taken, {unused} captions and"
            f" {len(heads) - lost.size - len(kept)} images are left out"
        )
    _check_repeated_texts(said, flat[places.ravel()], rows.where)
    whole = len(kept) == len(first) and np.array_equal(places.ravel(), np.arange(len(flat)))
    return Rows(
        rows.image if whole else rows.image[kept],
        flat.reshape(*places.shape, -1) if whole else flat[places],
        _taken(rows.image_ids, kept),
        None,
        _taken(rows.split, kept),
        rows.where,
    )


def _or_nearly(image: AnyArray, heads: Integers) -> str:
    """Return the words for rows that are near each other, where not all of a group are equal."""
    return ", or nearly so," if len(np.unique(equal_rows(image))) > len(heads) else ""


def _taken(names: Sequence[str] | None, kept: Integers) -> list[str] | None:
    return None if names is None else [names[row] for row in kept]


def _check_lengths(rows: Rows, image: AnyArray, text: AnyArray) -> None:
    for name, given, n in (
        ("image ids", rows.image_ids, len(image)),
        ("text ids", rows.text_ids, len(text)),
        ("split", rows.split, len(image)),
    ):
        if given is not None and len(given) != n:
            raise InputError(f"{name} must be {n}, one for each row, got {len(given)}")


def _owners(rows: Rows, image: AnyArray, text: AnyArray, said: list[str]) -> Integers:
    """Return the row of image that each row of text belongs to, -1 for none."""
    n, m = len(image), len(text)
    if rows.image_ids is not None and rows.text_ids is not None:
        if list(rows.image_ids) == list(rows.text_ids):
            return np.arange(n)
        owner, how = owners_by_name(rows.image_ids, rows.text_ids)
        if how is not None:
            said.append(f"{how} in {rows.where}")
        if (owner < 0).all():
            raise InputError(
                f"names must join the rows of text to those of image, got {rows.text_ids[0]!r} and"
                f" others of text, {rows.image_ids[0]!r} and others of image, none alike, in"
                f" {rows.where}; write the same names in both{_turned_too(image, text)}"
            )
        if (owner < 0).any():
            said.append(
                f"text: {np.count_nonzero(owner < 0)} of {m} rows of {rows.where} belong to no"
                f" image, such as {rows.text_ids[int(np.argmin(owner))]}, and are left out"
            )
        return owner
    turned = check_orientation(image, text)
    if turned is not None:
        said.append(turned)
    if n == m:
        return np.arange(n)
    each = f"; if the {m // n} texts of an image follow one another, save" if m % n == 0 else ""
    how = f"{each} text.reshape({n}, {m // n}, -1)" if each else _NAMES_JOIN
    if not each and image.shape[1] == text.shape[-1] and text.shape[1] == 1:
        how += (
            f"; if the {image.shape[1]} columns are the items, save the transposed arrays, array.T"
        )
    raise InputError(
        f"text must have one row for each of the {n} images, got {m} rows in {rows.where}{how}"
    )


def _turned_too(image: AnyArray, text: AnyArray) -> str:
    """Return what else may be wrong where names of rows differ: they may be names of columns."""
    d = image.shape[1]
    if text.shape[1] > 1 or text.shape[-1] != d or d <= max(len(image), len(text)):
        return ""
    return f", or turn both tables if their {d} columns are the items"


def _refuse(sides: Sequence[tuple[str, AnyArray, NDArray[np.bool_]]], where: str) -> None:
    """Refuse rows without a vector, those of both sides in one sentence."""
    faults = [_fault(*side) for side in sides if side[2].any()]
    if not faults:
        return
    padded = [
        name
        for name, x, gone in sides
        if x.ndim == 3 and x.shape[1] > 1 and 2 * np.count_nonzero(_per_row(gone)) > len(x)
    ]
    why = " a modality is missing"
    if any(np.isinf(x).any() for _, x, _ in sides):
        why += ", or where numbers were too large for their type (float16 ends at 65504)"
    if padded:
        why = (
            f" captions or tokens are padded ({padded[0]} is images, captions, dimension: of tokens"
            " give one vector, such as the mean of those that are there)"
        )
    raise InputError(
        f"{', and '.join(faults)}, in {where}, as where{why}; leave these rows out, or let"
        " predict, alignment or arrays leave them out with --missing drop"
    )


def _fault(name: str, x: AnyArray, gone: NDArray[np.bool_]) -> str:
    """Return what is wrong with the rows of one side that are gone, how many, and the first."""
    rows = np.flatnonzero(_per_row(gone))
    broken = ~np.isfinite(x).all(axis=-1)
    filler = filler_rows(x) & np.any(x, axis=-1)
    values = int(x.size - np.count_nonzero(np.isfinite(x)))
    rule = (
        f"be finite, got {values} NaN or infinite of {x.size} values"
        if broken.any()
        else f"have no vector with one value throughout, got {x[filler][0][0]:g}"
        if filler.any()
        else "have no zero vector, got zeros"
    )
    return f"{name} must {rule} in {rows.size} of {len(x)} rows, the first at index {rows[0]}"


def _per_row(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(mask.reshape(len(mask), -1).any(axis=1), dtype=bool)


def _check_columns(name: str, x: AnyArray, where: str) -> None:
    """Refuse columns that are nowhere finite, as of a measure that was not taken."""
    columns = np.flatnonzero(~np.isfinite(x).any(axis=tuple(range(x.ndim - 1))))
    if 0 < columns.size < x.shape[-1]:
        told = ", ".join(map(str, columns[:8].tolist())) + ", ..." * (columns.size > 8)
        raise InputError(
            f"{name} must be finite, got NaN or infinite in every row of {columns.size} of"
            f" {x.shape[-1]} columns, {told}, in {where}; leave these columns out"
        )


def _check_names(rows: Rows, first: Integers) -> None:
    """Refuse one name for two images, and one image in two splits."""
    for given, what in ((rows.image_ids, "name"), (rows.split, "split")):
        if given is None:
            continue
        known: dict[Any, Any] = {}
        for row, (value, image) in enumerate(zip(given, first.tolist(), strict=True)):
            key, own = (value, image) if what == "name" else (image, value)
            before = known.setdefault(key, own)
            if before == own:
                continue
            if what == "name":
                raise InputError(
                    f"image ids must be distinct, got {value!r} twice, for two vectors (rows"
                    f" {before} and {row} of {rows.where}); rename one of the two"
                )
            raise InputError(
                f"an image must be in one split, got rows {image} and {row} of {rows.where}, which"
                f" are equal, in {before} and {value}; put both in one"
            )


def _drop_copies(captions: Integers, flat: AnyArray) -> None:
    """Leave out a caption that its image has already, in place."""
    pairs = np.stack([captions, equal_rows(flat)], axis=1)
    _, first = np.unique(pairs, axis=0, return_index=True)
    copies = np.ones(len(captions), dtype=bool)
    copies[first] = False
    captions[copies] = -1


def _check_repeated_texts(said: list[str], flat: AnyArray, where: str) -> None:
    first = equal_rows(flat)
    copies = len(first) - len(np.unique(first))
    if copies > _REPEATED * len(first):
        row, times = (int(k[0]) for k in _most_frequent(first))
        said.append(
            f"text has {len(first) - copies} distinct rows of {len(first)} in {where} (one of them"
            f" {times} times, first in row {row}): mismatched pairs may hold equal texts, as with"
            " class names or an empty caption, and accuracy is then below what is predicted"
        )


def _most_frequent(first: Integers) -> tuple[Integers, Integers]:
    values, counts = np.unique(first, return_counts=True)
    top = np.argsort(-counts, kind="stable")[:1]
    return values[top], counts[top]
