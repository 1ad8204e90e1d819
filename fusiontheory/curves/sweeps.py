r"""How predicted accuracies and their gap change with the strength of alignment.

A dial between two linear maps, A(s) = (1 - s) A_0 + s A_1 for each modality, turns second moments
into polynomials of second degree in s,

    M_v(s) = A_v M_v A_v^T,   M_t(s) = A_t M_t A_t^T,   C(s) = A_v C A_t^T,

so that nothing is measured again at any s. Features brought to unit norm afterwards, as by
`fusiontheory.alignment.align`, are x/|x|, and second moments of x do not give theirs: there is no
closed form. To leading order in the spread of the lengths they are x/sqrt(E|x|^2), both moments at
trace 1 (``unit_trace``). The spread of |x|^2 is sqrt(2/effective dimension), (tr M)^2/tr M^2. On
Gaussian pairs at n = 1024 accuracies are then 5 to 9 points low at 7 to 14 effective dimensions, 1
to 4 at 64, at most 0.5 off at 200. The covariance of matched pairs is that of Gaussian pairs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, ValidityWarning, finite_array, non_negative_array
from fusiontheory.constraints import checked
from fusiontheory.curves.predict import predict_curve
from fusiontheory.heads import find_head
from fusiontheory.matching import check_request
from fusiontheory.moments import Moments
from fusiontheory.typing import Array

__all__ = [
    "alignment_curve",
    "correlation_curve",
    "degradation_curve",
]

_STEP = 1e-3
_FEW_DIMENSIONS = 100
# Gaps nearer than this are equal: what the heads of several orders draw is in single precision.
_ROUNDING = 2e-6


@checked
def alignment_curve(
    second: tuple[ArrayLike, ArrayLike, ArrayLike],
    image_maps: tuple[ArrayLike, ArrayLike],
    text_maps: tuple[ArrayLike, ArrayLike],
    heads: Sequence[str],
    n: ArrayLike,
    ridge: float,
    strengths: ArrayLike,
    *,
    unit_trace: bool = False,
) -> pd.DataFrame:
    """Predict the accuracies of two heads and their gap at each strength of a dial of linear maps.

    Args:
        second: M_v (d_v, d_v), M_t (d_t, d_t) and Cov(v, t) (d_v, d_t) of centred features before
            the maps.
        image_maps: A_0 and A_1 of the image, both (k_v, d_v).
        text_maps: of the text, both (k_t, d_t).
        heads: names of the two heads; the gap is the first one's accuracy less the second's.
        n: numbers of training pairs, at least 2.
        ridge: delta of K + delta I, absolute.
        strengths: s from 0 (A_0) to 1 (A_1).
        unit_trace: bring both moments to trace 1, in the place of unit norm; see the module.

    Returns:
        A frame with the columns ``strength``, ``n``, ``first``, ``second``, ``gap`` and
        ``gap_direction``, the sign of d(gap)/d(strength), at the ends that of the first step
        inwards; 0 means that the gap does not move.

    Raises:
        InputError: for other than two heads, maps that do not fit, a strength outside [0, 1],
            moments that no data can have, or what `predict_curve` does not take.

    Warns:
        ValidityWarning: with ``unit_trace``, below 100 effective dimensions.

    Example:
        >>> eye = np.eye(4)
        >>> turned = np.roll(eye, 1, axis=0)  # text coordinates that do not match the image's
        >>> curve = alignment_curve((eye, eye, 0.8 * eye), (eye, eye), (turned, eye),
        ...     ["dot-product", "bilinear"], 200, 0.1, [0.0, 0.9])
        >>> curve["gap"].gt(0).tolist(), curve["gap_direction"].tolist()
        ([False, True], [1, 1])
    """
    m_v, m_t = (finite_array(x, y, 2) for x, y in zip(("image", "text"), second, strict=False))
    cross = finite_array("cross", second[2], 2)
    dials = [
        _checked_maps(name, maps, size)
        for name, maps, size in (
            ("image_maps", image_maps, len(m_v)),
            ("text_maps", text_maps, len(m_t)),
        )
    ]

    def moments(strength: float) -> Moments:
        a, b = ((1 - strength) * start + strength * end for start, end in dials)
        aligned = Moments.from_second_moments(a @ m_v @ a.T, b @ m_t @ b.T, a @ cross @ b.T)
        if not unit_trace:
            return aligned
        values = aligned.image_eigenvalues, aligned.text_eigenvalues
        dimension = min(float(x.sum() ** 2 / (x**2).sum()) for x in values)
        if dimension < _FEW_DIMENSIONS:
            warnings.warn(
                f"the features have {dimension:.0f} effective dimensions at strength"
                f" {strength:g}, below {_FEW_DIMENSIONS}; there trace 1 does not stand for unit"
                " norm",
                ValidityWarning,
                stacklevel=4,
            )
        image, text = (x.sum() ** -0.5 for x in values)
        return aligned.rescaled(image=float(image), text=float(text))

    return _curve(moments, heads, n, ridge, strengths)


@checked
def correlation_curve(
    image: ArrayLike,
    text: ArrayLike,
    correlations: ArrayLike,
    heads: Sequence[str],
    n: ArrayLike,
    ridge: float,
    strengths: ArrayLike,
) -> pd.DataFrame:
    """Predict the same for Gaussian pairs with canonical correlations strength * rho_i.

    Args:
        image: eigenvalues of M_v above 0, shape (d_v,).
        text: eigenvalues of M_t, shape (d_t,).
        correlations: rho_i in [0, 1] between the i-th directions, shape (min(d_v, d_t),).
        heads: names of the two heads.
        n: numbers of training pairs.
        ridge: delta of K + delta I.
        strengths: from 0 (independent) to 1.

    Returns:
        As `alignment_curve`.

    Raises:
        InputError: for correlations above 1 or of another number, and as `alignment_curve`.

    Example:
        >>> flat = np.ones(8)
        >>> curve = correlation_curve(flat, flat, 0.9 * flat, ["bilinear", "concat-linear"],
        ...     200, 0.1, [0.0, 0.5])
        >>> curve["gap"].round(2).tolist(), curve["gap_direction"].tolist()
        ([0.0, 0.14], [1, 1])
    """
    values_v, values_t = (
        non_negative_array(name, x, 1) for name, x in (("image", image), ("text", text))
    )
    rho = non_negative_array("correlations", correlations, 1)
    d = min(values_v.size, values_t.size)
    if rho.size != d or rho.max() > 1:
        raise InputError(
            f"correlations must be {d} values of at most 1, got {rho.size} up to {rho.max():g}"
        )
    cross = np.zeros((values_v.size, values_t.size))
    np.fill_diagonal(cross, rho * np.sqrt(values_v[:d] * values_t[:d]))

    def moments(strength: float) -> Moments:
        return Moments.from_second_moments(np.diag(values_v), np.diag(values_t), strength * cross)

    return _curve(moments, heads, n, ridge, strengths)


def _checked_maps(
    name: str, maps: tuple[ArrayLike, ArrayLike], dimension: int
) -> tuple[Array, Array]:
    start, end = (finite_array(name, x, 2) for x in maps)
    if start.shape != end.shape or start.shape[1] != dimension:
        raise InputError(
            f"{name} must be two matrices of one shape (k, {dimension}), got {start.shape} and"
            f" {end.shape}"
        )
    return start, end


def _curve(
    moments: Callable[[float], Moments],
    heads: Sequence[str],
    n: ArrayLike,
    ridge: float,
    strengths: ArrayLike,
) -> pd.DataFrame:
    if isinstance(heads, str) or len(heads) != 2:
        raise InputError(f"heads must be two names, got {heads!r}")
    for head in heads:
        find_head(head)
    levels = np.atleast_1d(non_negative_array("strengths", strengths, (0, 1)))
    if levels.max() > 1:
        raise InputError(f"strengths must be from 0 to 1, got {levels.max():g}")
    sizes, delta = check_request(n, ridge, None)

    def accuracies(strength: float) -> list[Array]:
        known = moments(strength)
        return [predict_curve(x, known, sizes, delta)["accuracy"].to_numpy() for x in heads]

    frames = []
    for level in levels:
        first, second = accuracies(float(level))
        # Forwards, but for the end, where there is nothing further.
        step = _STEP if level + _STEP <= 1 else -_STEP
        later = accuracies(float(level) + step)
        change = (later[0] - later[1] - (first - second)) * np.sign(step)
        frame = pd.DataFrame({"strength": level, "n": sizes, "first": first, "second": second})
        frame["gap"] = first - second
        direction = np.where(np.abs(change) > _ROUNDING, np.sign(change), 0)
        frame["gap_direction"] = direction.astype(int)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


SIDES = {"image": (1.0, 0.0), "text": (0.0, 1.0), "both": (1.0, 1.0)}

# Steps of the finite difference, of the noise's own variance and, where that is small, of the
# features' mean variance per coordinate.
_STEP, _LEAST_STEP = 0.05, 1e-3

# Gaps nearer than this are equal: moments of features are in single precision.
_ROUNDING = 2e-6


@checked
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

    def accuracies(sigma: float) -> tuple[Array, Array]:
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
