"""What is suspicious about labelled items: said, not refused, as it may be meant."""

from __future__ import annotations

import numpy as np

from fusiontheory.pilot import Labels
from fusiontheory.typing import AnyArray, Array

__all__ = ["suspicions"]


# Share of a label's variance in few items, and the share of items that are few.
_MOST, _FEW = 0.5, 0.01
# Share of a column's variance that is left within classes, or beside a label, if it is the label.
_ROUNDING = 1e-9


def suspicions(image: Array, text: Array, labels: Labels, groups: AnyArray | None) -> list[str]:
    """Return a sentence for each thing that is hardly meant.

    Args:
        image, text: (n, d_v) and (n, d_t).
        labels: of the n items.
        groups: (n,) that are left out together, or None.

    Example:
        >>> labels = Labels.from_labels(np.arange(60) % 2)
        >>> v = np.random.default_rng(0).standard_normal((60, 2))
        >>> suspicions(v, v, labels, None)
        ['v and t are the same rows: there is one modality, and nothing to fuse.']
    """
    said = []
    if image.shape == text.shape and np.array_equal(image, text):
        said.append("v and t are the same rows: there is one modality, and nothing to fuse.")
    for name, x in (("v", image), ("t", text)):
        column = _label_column(x, labels)
        if column is not None:
            said.append(
                f"Column {column} of {name} (counted from 0) says the label exactly: is the label"
                " among the features?"
            )
    said += _outliers(labels) + _one_group_a_class(labels, groups)
    return said


def _label_column(x: Array, labels: Labels) -> int | None:
    """Return the first column of those that are the label, or together one point for each class."""
    centred = x - x.mean(0)
    total = (centred**2).sum(0)
    if labels.codes is None:
        y = labels.targets[:, 0] - labels.targets.mean()
        left, means = total - (y @ centred) ** 2 / (y @ y), None
    else:
        counts = np.bincount(labels.codes)
        means = np.stack([np.bincount(labels.codes, c) / counts for c in centred.T], axis=1)
        left = ((centred - means[labels.codes]) ** 2).sum(0)
    found = np.flatnonzero((total > 0) & (left <= _ROUNDING * total))
    if means is not None and found.size:
        points = np.round(means[:, found] / np.sqrt(total[found] / len(x)), 6)
        found = found[: len(np.unique(points, axis=0)) // len(points)]
    return int(found[0]) if found.size else None


def _outliers(labels: Labels) -> list[str]:
    """Say that few numbers hold most of the variance of a regression's label."""
    if labels.codes is not None:
        return []
    y = labels.targets[:, 0]
    squares = (y - np.median(y)) ** 2
    largest = np.argsort(squares)[::-1]
    shares = np.cumsum(squares[largest]) / squares.sum()
    few = int(np.argmax(shares > _MOST)) + 1
    if few > max(1, _FEW * len(y)):
        return []
    names = ", ".join(f"{y[k]:g}" for k in largest[: min(few, 3)])
    return [
        f"{few} of {len(y)} labels ({names}) hold {100 * shares[few - 1]:.0f} % of all squared"
        " distances from the median: squared error sees little else. Leave them out if they are"
        " mistakes, or give the logarithm or the rank of the label."
    ]


def _one_group_a_class(labels: Labels, groups: AnyArray | None) -> list[str]:
    """Say which classes lie within one group: left out together, nothing is left to learn from."""
    if groups is None or labels.codes is None or labels.classes is None:
        return []
    _, group = np.unique(groups, return_inverse=True)
    alone = [
        str(name)
        for code, name in enumerate(labels.classes)
        if len(np.unique(group[labels.codes == code])) == 1
    ]
    if not alone:
        return []
    names = ", ".join(alone[:3]) + (" and more" if len(alone) > 3 else "")
    return [
        f"{len(alone)} of {len(labels.classes)} classes ({names}) lie within one group each: with"
        " the group left out there is no item to learn the class from, so that every fusion looks"
        " worse than it is. Give groups of which a class has several."
    ]
