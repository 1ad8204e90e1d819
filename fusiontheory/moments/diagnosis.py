"""Diagnosis of paired features: where they leave the ground on which predictions were seen to hold.

Every item is one number of the features. The range of each was found by a study of populations of
many kinds (`experiments/foreign_features`): within all ranges predicted accuracies were seen to
hold; beyond one they may not, and `fusiontheory.moments.trust` widens their interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.moments.diagnosis_items import EFFECTS
from fusiontheory.moments.feature_shape import FeatureShape, distinct_values, repeated_rows
from fusiontheory.moments.groups import check_groups, largest_group, representatives
from fusiontheory.moments.hidden_dependence import halves_dependence, kernel_dependence
from fusiontheory.moments.near_duplicates import find_duplicates
from fusiontheory.moments.second import checked_features
from fusiontheory.moments.span import in_own_span
from fusiontheory.moments.trust import ranges
from fusiontheory.typing import Array, Integers

__all__ = ["Diagnosis", "check_variation", "diagnose"]


# Share of a mean square below which a variance is rounding, in single precision too.
_ROUNDING = 1e-10
# Kernels of pairs of rows are on so many images at most; halves and tails on so many.
_MOST_FOR_KERNELS = 1000
_MOST = 3000
# Share of distinct values in a coordinate below which features are discrete.
_DISCRETE = 0.05


@checked
@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Numbers of paired features that tell whether to trust a prediction.

    Attributes:
        values: by item, in the order of `EFFECTS`.
        groups: group of each row: given, or found near-duplicates; shape (images,).
        images: number of rows.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> image = rng.standard_normal((600, 24))
        >>> found = diagnose(image, image + rng.standard_normal((600, 24)))
        >>> list(found.to_frame().columns)
        ['name', 'value', 'low', 'high', 'inside', 'effect']
    """

    values: dict[str, float]
    groups: Integers = field(repr=False)
    images: int

    @property
    def independent_images(self) -> int:
        """Number of groups."""
        return int(self.groups.max()) + 1

    def to_frame(self, head: str | None = None) -> pd.DataFrame:
        """Return a row an item: value, range, whether it is inside, and its effect beyond.

        Args:
            head: whose range; None for the one that suits all heads.
        """
        known = ranges(head)
        rows = []
        for name, value in self.values.items():
            low, high = known.get(name, (-np.inf, np.inf))
            rows.append((name, value, low, high, bool(low <= value <= high), EFFECTS[name]))
        return pd.DataFrame(rows, columns=["name", "value", "low", "high", "inside", "effect"])


@checked
def diagnose(image: ArrayLike, text: ArrayLike, groups: ArrayLike | None = None) -> Diagnosis:
    """Diagnose matched features.

    Shapes of the features are those of one row a group; with several texts an image, dependence
    is that of their mean. Kernels are on 1000 rows, the rest on 3000, drawn with a fixed seed.

    Args:
        image: shape (n, d_v), n at least 2.
        text: shape (n, d_t) or (n, captions, d_t).
        groups: id of the item that a row is of, shape (n,); None to find near-duplicates.

    Raises:
        InputError: for what `Moments.from_features` refuses, groups that do not fit the rows,
            features of which all are duplicates, or a modality that is constant.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> image = rng.standard_normal((600, 24)) + 3  # far from centred
        >>> found = diagnose(image, image + rng.standard_normal((600, 24)))
        >>> round(found.values["mean_share"], 1)
        0.9
    """
    v, t = checked_features(image, text)
    check_variation(v, t)
    representative = find_duplicates(v, t) if groups is None else check_groups(groups, len(v))
    if len(v) > 1 and representative.max() == 0:
        raise InputError(
            f"image and text must not all be duplicates, got {len(v)} near copies of one row"
        )
    texts = t.reshape(-1, t.shape[-1])
    values = {
        "distinct_values": min(distinct_values(v), distinct_values(texts)),
        "repeated_rows": max(repeated_rows(v), repeated_rows(texts)),
    }
    # Rows of discrete features repeat by nature: they are not copies of one item.
    if groups is None and values["distinct_values"] < _DISCRETE:
        representative = np.arange(len(v))
    independent = int(representative.max()) + 1
    rng = np.random.default_rng(0)
    kept = rng.permutation(representatives(representative))[:_MOST]
    rows = in_own_span(v[kept])
    values |= {
        **_shapes(rows, in_own_span(t[kept].reshape(-1, t.shape[-1]))),
        **_dependence(rows, in_own_span(t[kept].mean(axis=1))),
        "near_duplicates": 1 - independent / len(v) if groups is None else 0.0,
        "grouped_copies": 0.0 if groups is None else 1 - independent / len(v),
        "largest_group": 0.0 if groups is None else largest_group(representative),
        "images_per_dimension": independent / max(v.shape[1], t.shape[2]),
    }
    return Diagnosis({name: values[name] for name in EFFECTS}, representative, len(v))


def check_variation(image: Array, text: Array) -> None:
    """Refuse a modality of which centring leaves nothing but rounding.

    Args:
        image: shape (n, d_v).
        text: shape (n, captions, d_t).

    Raises:
        InputError: where the variance is below 1e-10 of the mean squared length.
    """
    for name, rows in (("image", image), ("text", text.reshape(-1, text.shape[-1]))):
        mean, total = rows.mean(axis=0), float(np.vdot(rows, rows)) / len(rows)
        varying = total - float(mean @ mean)
        if varying <= _ROUNDING * total:
            raise InputError(
                f"{name} must differ between rows, got {len(rows)} copies of one row (variance"
                f" {varying:.3g} of a mean square of {total:.3g}): after centring nothing is left"
            )


def _shapes(image: Array, text: Array) -> dict[str, float]:
    sides = FeatureShape(image), FeatureShape(text)
    return {
        "mean_share": max(side.mean_share for side in sides),
        "length_kurtosis": max(side.length_kurtosis for side in sides),
        "length_kurtosis_low": min(side.length_kurtosis for side in sides),
        "leading_kurtosis": max(float(side.leading_kurtosis.max()) for side in sides),
        "leading_bimodality": min(float(side.leading_kurtosis.min()) for side in sides),
        "leading_skewness": max(float(np.abs(side.leading_skewness).max()) for side in sides),
        "effective_dimensions": min(side.effective_dimensions for side in sides),
        "first_share": max(side.first_share for side in sides),
    }


def _dependence(image: Array, text: Array) -> dict[str, float]:
    """Return the dependence of rows in random order."""
    halves = halves_dependence(image, text)
    squares, mixed = kernel_dependence(image[:_MOST_FOR_KERNELS], text[:_MOST_FOR_KERNELS])
    return {
        "signal_agreement": halves.agreement,
        "leading_correlation": halves.leading_correlation,
        "shared_lengths": halves.shared_lengths,
        "square_dependence": squares,
        "mixed_dependence": mixed,
    }
