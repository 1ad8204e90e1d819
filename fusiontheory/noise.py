"""How predicted accuracies and their gap fall as noise is added to the features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, non_negative_array
from fusiontheory.curve import predict_curve
from fusiontheory.heads import find_head
from fusiontheory.matching import check_request
from fusiontheory.moments import Moments

__all__ = ["degradation_curve"]

_Array = NDArray[np.float64]

SIDES = {"image": (1.0, 0.0), "text": (0.0, 1.0), "both": (1.0, 1.0)}
# Steps of the finite difference, of the noise's own variance and, where that is small, of the
# features' mean variance per coordinate.
_STEP, _LEAST_STEP = 0.05, 1e-3
# Gaps nearer than this are equal: moments of features are in single precision.
_ROUNDING = 2e-6


def degradation_curve(
    moments: Moments,
    heads: Sequence[str],
    n: ArrayLike,
    ridge: float,
    sigmas: ArrayLike,
    side: str = "image",
) -> pd.DataFrame:
    """Predict the accuracies of two heads and their gap with noise of each sigma on the features.

    Nothing is measured again: the moments change in closed form (`Moments.with_noise`). Each
    sigma takes the time of two estimates of the signal.

    Args:
        moments: of the features without noise.
        heads: names of the two heads; the gap is the first one's accuracy less the second's.
        n: numbers of training pairs, at least 2.
        ridge: delta of K + delta I, absolute: it does not grow with the features' length.
        sigmas: standard deviations of the noise in each coordinate, at least 0.
        side: whose features it is added to: image, text or both.

    Returns:
        A frame with the columns ``sigma``, ``n``, ``first`` and ``second`` (accuracies of the two
        heads), ``gap``, and ``gap_direction``: the sign of d(gap)/d(sigma), at sigma = 0 that of
        the first change. 0 means that the gap does not move.

    Raises:
        InputError: for other than two heads, an unknown head or side, a negative sigma, or what
            `predict_curve` does not take.

    Example:
        >>> import numpy as np
        >>> moments = Moments.from_second_moments(np.eye(8), np.eye(8), 0.8 * np.eye(8))
        >>> curve = degradation_curve(moments, ["dot-product", "bilinear"], 100, 1.0, [0.0, 1.0])
        >>> curve["gap"].gt(0).tolist(), curve["gap_direction"].tolist()
        ([True, True], [1, -1])
    """
    if isinstance(heads, str) or len(heads) != 2:
        raise InputError(f"heads must be two names, got {heads!r}")
    for head in heads:
        find_head(head)
    if not isinstance(moments, Moments):
        raise InputError(f"moments must be a Moments, got {type(moments).__name__}")
    if side not in SIDES:
        raise InputError(f"side must be one of {', '.join(SIDES)}, got {side!r}")
    levels = np.atleast_1d(non_negative_array("sigmas", sigmas, (0, 1)))
    sizes, delta = check_request(n, ridge, None)
    weights = SIDES[side]
    power = [moments.image_eigenvalues.mean(), moments.text_eigenvalues.mean()]
    smallest = _LEAST_STEP * min(p for p, w in zip(power, weights, strict=True) if w)

    def accuracies(sigma: float) -> tuple[_Array, _Array]:
        noisy = moments.with_noise(image=weights[0] * sigma, text=weights[1] * sigma)
        first, second = (
            predict_curve(head, noisy, sizes, delta)["accuracy"].to_numpy() for head in heads
        )
        return first, second

    frames = []
    for sigma in levels:
        first, second = accuracies(sigma)
        # In the variance: the first derivative in sigma vanishes at 0.
        step = max(_STEP * sigma**2, smallest)
        later_first, later_second = accuracies(float(np.sqrt(sigma**2 + step)))
        gap = first - second
        change = later_first - later_second - gap
        frame = pd.DataFrame({"sigma": sigma, "n": sizes, "first": first, "second": second})
        frame["gap"] = gap
        frame["gap_direction"] = np.where(np.abs(change) > _ROUNDING, np.sign(change), 0).astype(
            int
        )
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
