"""Arrays as people have them, made a pilot: checked, thinned, and copies grouped."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fusiontheory.advice.doubts import label_doubts, task_doubts
from fusiontheory.advice.suspicions import suspicions
from fusiontheory.checks import InputError
from fusiontheory.data import Missing, equal_rows, missing_rows, same_images
from fusiontheory.pilot import LEAST_OF_CLASS, Labels, Task, class_codes
from fusiontheory.typing import AnyArray, Array, Integers

__all__ = ["MOST_ITEMS", "Pilot", "copies", "labelled_pilot", "thinned", "two_modalities"]


MOST_ITEMS = 2048
"""Labelled items that a pilot takes: the time grows as their cube."""

# Largest numbers from which on features are scaled.
_SMALL = 1e-6
_CHUNK = 8192
# Share of copies from which features are discrete, where equal rows say nothing.
_DISCRETE = 0.5


@dataclass(frozen=True, eq=False)
class Pilot:
    """Labelled items, ready to be measured.

    Attributes:
        image: (n, d_v).
        text: (n, d_t).
        y: (n,) labels.
        labels: the same as targets.
        task: "classification" or "regression".
        groups: (n,) items that belong together; None where each stands alone.
        complete: rows with both modalities, of which the pilot is some or all.
        facts: (what, value) of the data, for the table of features.
        notes: what was done, in sentences.
    """

    image: Array
    text: Array
    y: AnyArray
    labels: Labels
    task: Task
    groups: AnyArray | None
    complete: int
    facts: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def items(self) -> int:
        """Number of items."""
        return len(self.image)

    def subset(self, rows: AnyArray) -> Pilot:
        """Return some of the items, as a pilot of their own."""
        y = self.y[rows]
        return Pilot(
            self.image[rows],
            self.text[rows],
            y,
            Labels.from_labels(y, self.task, len(rows)),
            self.task,
            None if self.groups is None else self.groups[rows],
            self.complete,
            self.facts,
            self.notes,
        )


def two_modalities(v: ArrayLike, t: ArrayLike) -> tuple[AnyArray, AnyArray]:
    """Return two real arrays of as many rows, neither copied nor searched for NaN.

    Raises:
        InputError: if they are not numeric, or their rows do not fit.
    """
    arrays = []
    for name, value in (("v", v), ("t", t)):
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise InputError(f"{name} must be an array of real numbers, got {array.dtype}")
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim == 3 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim not in (2, 3) or (name == "v" and array.ndim == 3) or not array.size:
            raise InputError(f"{name} must be rows of numbers, got shape {array.shape}")
        arrays.append(array)
    if len(arrays[0]) != len(arrays[1]):
        turned = len(arrays[0]) in arrays[1].shape or len(arrays[1]) in arrays[0].shape
        raise InputError(
            f"v and t must have one row for each item, got {len(arrays[0])} and {len(arrays[1])}"
            + ("; one seems to be transposed: give array.T" if turned else "")
        )
    return arrays[0], arrays[1]


def labelled_pilot(
    v: ArrayLike,
    t: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None,
    *,
    task: Task = "auto",
    missing: Missing = "drop",
    seed: int = 0,
) -> Pilot:
    """Return the pilot of labelled arrays.

    Rows that are not there are left out, more than 2048 items are thinned (classes keep at least
    5), and exact copies are put in one group.

    Args:
        v, t: (n, d_v) and (n, d_t).
        y: (n,) labels; see `Labels.from_labels`.
        groups: (n,) or None.
        task: see `Labels.from_labels`.
        missing: "drop" and count rows with NaN, infinity or zeros alone, or "refuse" them.
        seed: of the thinning.

    Raises:
        InputError: for what cannot be used.
    """
    image, text = two_modalities(v, t)
    if text.ndim == 3:
        raise InputError(
            f"t must have one row for each label, got shape {text.shape}; take the mean of an"
            " item's texts"
        )
    image, text = (_of_middle_size(x) for x in (image, text))
    codes = class_codes(y, task, len(image))
    names = np.asarray(y).reshape(len(image))
    names = names.astype(str) if names.dtype.kind == "O" and codes is not None else names
    kind: Task = "regression" if codes is None else "classification"
    given, facts, notes = len(image), [("rows", str(len(image)))], list[str]()
    groups = None if groups is None else _named_groups(groups, given)
    for doubt in [*label_doubts(names), *task_doubts(names, task, kind)]:
        notes.append(f"{doubt[0].upper()}{doubt[1:]}.")
        warnings.warn(doubt, stacklevel=3)
    rows = _present(image, text, missing, facts, notes)
    if len(rows) < given:
        _say_lost(names, rows, codes, notes)
        codes = class_codes(names[rows], kind)
    complete = len(rows)
    if len(rows) > MOST_ITEMS:
        _few_classes(codes)
        kept = thinned(codes, len(rows), MOST_ITEMS, np.random.default_rng(seed))
        notes.append(
            f"The pilot is a random {MOST_ITEMS:,} of {len(rows):,} items: more would take longer,"
            " not say much more."
        )
        rows = rows[kept]
    image, text = (np.asarray(x[rows], np.float64) for x in (image, text))
    own = None if groups is None else np.asarray(groups)[rows]
    together = _grouped(image, text, own, facts, notes)
    known = Labels.from_labels(names[rows], kind)
    _say_labels(known, image, text, facts, notes)
    notes += suspicions(image, text, known, own)
    return Pilot(image, text, names[rows], known, kind, together, complete, facts, notes)


def _named_groups(groups: ArrayLike, rows: int) -> AnyArray:
    """Return a name for each row; missing ones would all be one group."""
    names = np.asarray(groups)
    if names.shape != (rows,):
        raise InputError(
            f"groups must name one group for each of {rows} rows, got shape {names.shape}"
        )
    if names.dtype.kind == "O":
        missing = np.array([name is None or name != name for name in names])
    else:
        missing = names != names  # NaN and NaT alone
    if missing.any():
        raise InputError(
            f"groups must name every row, got {missing.sum()} missing names (the first at row"
            f" {int(np.argmax(missing))}, counted from 0); give such rows a group of their own, or"
            " leave them out"
        )
    return names.astype(str) if names.dtype.kind == "O" else names


def _say_lost(names: AnyArray, rows: Integers, codes: Integers | None, notes: list[str]) -> None:
    """Note classes of which no row has both modalities."""
    if codes is None:
        return
    lost = np.setdiff1d(names, names[rows])
    if lost.size:
        shown = ", ".join(str(name) for name in lost[:3]) + (" and more" if lost.size > 3 else "")
        notes.append(
            f"No row of {lost.size} of the classes ({shown}) has both modalities: the advice is on"
            " the others alone."
        )


def _of_middle_size(x: AnyArray) -> AnyArray:
    """Return numbers whose powers are numbers too; no head sees by what all are divided."""
    ends = (float(end(x, initial=0, where=np.isfinite(x))) for end in (np.min, np.max))
    largest = max(abs(end) for end in ends)
    if largest == 0 or _SMALL < largest < 1 / _SMALL:
        return x
    scaled: AnyArray = np.asarray(x, np.float64) / largest
    return scaled


def _present(
    image: AnyArray,
    text: AnyArray,
    missing: Missing,
    facts: list[tuple[str, str]],
    notes: list[str],
) -> Integers:
    """Return the rows that both modalities have; one column may well be zero."""
    if missing not in ("drop", "refuse"):
        raise InputError(f"missing must be drop or refuse, got {missing!r}")
    gone = []
    for name, x in (("v", image), ("t", text)):
        parts = []
        for start in range(0, len(x), _CHUNK):
            part = np.asarray(x[start : start + _CHUNK], np.float64)
            one = part.shape[1] == 1
            parts.append(~np.isfinite(part[:, 0]) if one else missing_rows(part))
        mask = np.concatenate(parts)
        gone.append(mask)
        facts.append((f"rows without {name}", f"{mask.sum()}"))
    faults = [
        f"{name} must be there in every row, got {mask.sum()} of {len(mask)} rows that are zero or"
        f" not finite, the first at index {int(np.argmax(mask))}"
        for name, mask in zip("vt", gone, strict=True)
        if mask.any()
    ]
    if faults and missing == "refuse":
        raise InputError(f"{', and '.join(faults)}; leave them out, or give missing='drop'")
    lost = gone[0] | gone[1]
    if lost.any():
        notes.append(
            f"{lost.sum()} of {len(lost)} rows lack a modality (zero or not finite: {gone[0].sum()}"
            f" in v, {gone[1].sum()} in t) and are left out."
        )
        warnings.warn(notes[-1].rstrip("."), stacklevel=4)  # before the work, not after it
    return np.flatnonzero(~lost)


def _few_classes(codes: Integers | None) -> None:
    """Refuse more classes than a pilot holds."""
    most, classes = MOST_ITEMS // LEAST_OF_CLASS, 0 if codes is None else int(codes.max()) + 1
    if classes > most:
        raise InputError(
            f"y has {classes:,} classes; a pilot of {MOST_ITEMS:,} items holds {LEAST_OF_CLASS}"
            f" items each of at most {most}: join classes, or give the items of some of them"
        )


def thinned(codes: Integers | None, items: int, most: int, rng: np.random.Generator) -> Integers:
    """Return ``most`` random rows, rising, of which each class has 5 or all that it has.

    Args:
        codes: (items,) class of each; None for a regression.
        items: to choose from.
        most: how many rows.
        rng: draws them.

    Example:
        >>> codes = np.repeat([0, 1], [200, 5])
        >>> int((thinned(codes, 205, 50, np.random.default_rng(0)) >= 200).sum())
        5
    """
    order = rng.permutation(items)
    if codes is None:
        return np.sort(order[:most])
    # Place of each item among those of its class, in the random order.
    codes = codes[order]
    by_class = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    place = np.empty(len(codes), np.int64)
    place[by_class] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = np.argsort(place >= LEAST_OF_CLASS, kind="stable")
    return np.sort(order[first[:most]])


def copies(image: AnyArray, text: AnyArray) -> Integers:
    """Return for each item the first whose two rows both equal its own, shape (n,).

    Example:
        >>> x = np.array([[1.0], [2.0], [1.0]])
        >>> copies(x, x).tolist()
        [0, 1, 0]
    """
    pair = np.stack([same_images(image), equal_rows(text)], axis=1)
    _, first, place = np.unique(pair, axis=0, return_index=True, return_inverse=True)
    first_of_copies: Integers = first[place.ravel()]
    return first_of_copies


def _grouped(
    image: Array,
    text: Array,
    groups: AnyArray | None,
    facts: list[tuple[str, str]],
    notes: list[str],
) -> AnyArray | None:
    """Return groups in which copies are together; None where each item stands alone."""
    first = copies(image, text)
    number = len(first) - len(np.unique(first))
    facts.append(("copies of other rows", str(number)))
    if groups is not None:
        facts.append(("groups", str(len(np.unique(groups)))))
    if not number:
        return groups
    if number > _DISCRETE * len(first):
        notes.append(
            f"{number} of {len(first)} items equal others in both modalities: features this coarse"
            " repeat by nature, and are not taken as copies."
        )
        return groups
    notes.append(
        f"{number} of {len(first)} items are copies of others; copies are left out together, so"
        " that none is predicted from itself."
    )
    if groups is None:
        return first
    _, of_group, codes = np.unique(groups, return_index=True, return_inverse=True)
    leader = of_group[codes]
    n, rows = len(first), np.arange(len(first))
    links = coo_array(
        (np.ones(2 * n), (np.concatenate([rows, rows]), np.concatenate([first, leader]))), (n, n)
    )
    together: AnyArray = connected_components(links, directed=False)[1]
    return together


def _say_labels(
    labels: Labels, image: Array, text: Array, facts: list[tuple[str, str]], notes: list[str]
) -> None:
    """Note classes, and what is unusual about them or the dimensions."""
    facts.append(("columns of v and t", f"{image.shape[1]} and {text.shape[1]}"))
    for name, x in (("v", image), ("t", text)):
        if x.shape[1] == 1:
            notes.append(f"{name} has one column: what a fusion can do with it is little.")
    if labels.codes is None or labels.classes is None:
        return
    shares = labels.shares
    facts.append(("classes", str(len(labels.classes))))
    facts.append(("share of the largest class", f"{100 * shares.max():.1f} %"))
    if not labels.balanced:
        notes.append(
            f"Classes are unequal (from {100 * shares.min():.1f} to {100 * shares.max():.1f} % of"
            " the items): decisions are made on balanced accuracy, the mean over classes."
        )
