"""The matching signal and the spectrum of a population, as a sample of pairs tells them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from fusiontheory.checks import ValidityWarning
from fusiontheory.moments.source import PairSignal
from fusiontheory.signal import (
    FOLDS,
    SampleResolvent,
    fused_resolvent,
    fused_signal,
    lanczos_signal,
    least_ridge,
    population_eigenvalues,
    signal_error,
)
from fusiontheory.typing import Array

__all__ = ["IMAGES_FOR_FOLDS", "sampled_signal", "warn_of_few"]

if TYPE_CHECKING:
    from fusiontheory.moments.sample import SampledPairs


IMAGES_FOR_FOLDS = 10 * FOLDS
"""Below this many images a fold says nothing about a covariance."""

# Effective ridges, over tr M_v tr M_t, at which the operator is estimated, which takes most of the
# time. The smallest is reached near n = 10^5 samples.
_LEAST, _POINTS = 1e-6, 8
# Of the trace: images that show no sharper functions than this show next to nothing.
_BLUNT = 0.05
# The covariance of matched pairs is known where the sample's own resolvent shows this much of the
# signal. What two resolvents of the same images do to each other is left out: it makes d_1 too low
# by up to 2 or 3 times the share that is missing, so that as much of D's part of q is its error.
# Settled on q of every second population of `experiments/foreign_features`, from 500 and 10,000
# images; on the others it is as good (``docs/theory.md``).
_SHOWN = 0.7
_TOO_LOW = 2.5
# Standard errors above 0, as for the functions of `fusiontheory.signal.ritz`.
_CLEAR = 3.0


def sampled_signal(pairs: SampledPairs, power: Array) -> PairSignal:
    """Return the signal by `fusiontheory.signal.resolvent`, d_1 .. d_3 from folds of the images.

    The covariance of matched pairs is measured where the sample's own resolvent shows seven tenths
    of the signal; what it misses enters the error. Below that ridge its share of q is held. All of
    it enters the error, and so does the trend that it had above.

    With fewer than 50 images, or so few that they show nothing, it is the sample's own signal.

    Args:
        pairs: the kept pairs, with the noise that is to be added.
        power: unbiased c^2 in their eigenbases, (d_v, d_t).
    """
    n = len(pairs.image)
    own = pairs.eigenvalues
    product, trace = np.outer(*own), float(own[0].sum() * own[1].sum())
    # One image is lost to the mean.
    counts = n - 1.0, pairs.independent_texts - 1
    if n < IMAGES_FOR_FOLDS:
        return _uncorrected(pairs, power)
    clean = pairs.image_values, pairs.text_values
    image, text = (
        SampleResolvent.of(values, count).shifted(sigma**2)
        for values, count, sigma in zip(clean, counts, pairs.noise, strict=True)
    )
    reach = least_ridge(image, text)
    if reach > _BLUNT * trace:
        return _uncorrected(pairs, power)
    grid = np.geomspace(max(_LEAST * trace, reach), trace, _POINTS)
    resolvents = [fused_resolvent(image, text, float(level)) for level in grid]
    direct = np.maximum(fused_signal(image, text, power, n, grid), 0.0)
    plain = np.array([(power / (product + level)).sum() for level in grid])
    hidden = np.flatnonzero(plain < _SHOWN * direct)
    first = int(hidden[-1]) + 1 if hidden.size else 0
    rotations = np.zeros((grid.size, FOLDS, 4))
    if first < grid.size:
        rotations[first:] = pairs.rotations(grid[first:], resolvents[first:])
    rotations[:, :, 0] = direct[:, None]
    rotations = _settled(rotations)
    if 0 < first < grid.size and direct[first] > 0:
        share = direct[:first] / direct[first]
        rotations[:first, :, 1:] = share[:, None, None] * rotations[first, :, 1:]
    error = signal_error(rotations, power, product, resolvents, n)
    whole = lanczos_signal(rotations.mean(axis=1))
    # Where nothing is direct and less than that is plain, all is missing.
    with np.errstate(divide="ignore"):
        missing = 1 - np.divide(plain, direct, out=np.ones_like(plain), where=direct > plain)
    error = np.hypot(error, np.minimum(_TOO_LOW * missing, 1.0) * np.abs(whole - direct))
    error[:first] = np.hypot(error[:first], np.abs(whole - direct)[:first])
    if 0 < first < grid.size - 1 and direct[first] > 0:
        # The share was not held where it is known: it may go on as it went there.
        share = whole[first : first + 2] / direct[first : first + 2]
        trend = (share[0] - share[1]) * np.arange(first, 0, -1) * direct[:first]
        error[:first] = np.hypot(error[:first], trend)
    fitted = [
        population_eigenvalues(values, count) + sigma**2
        for values, count, sigma in zip(clean, counts, pairs.noise, strict=True)
    ]
    return PairSignal(
        image_eigenvalues=fitted[0],
        text_eigenvalues=fitted[1],
        grid=grid,
        operator=rotations.mean(axis=1),
        error=error,
        reach=reach if reach > _LEAST * trace else 0.0,
    )


def _settled(rotations: Array) -> Array:
    """Return rotations whose second Lanczos step is clear of noise, or ends the recursion.

    The step divides by the determinant of its Gram matrix. Where that is not 3 standard errors (a
    jackknife over rotations) above 0, d_2 and d_3 go on from d_0 and d_1 as powers, as if R c were
    an eigenvector of R D: one step is all there is.
    """
    turns = rotations.shape[1]
    mean = rotations.mean(axis=1)
    left_out = _determinant((turns * mean[:, None] - rotations) / (turns - 1))
    error = np.sqrt((turns - 1) * left_out.var(axis=1))
    noisy = (_determinant(mean) <= _CLEAR * error) & (mean[:, 0] > 0)
    settled = rotations.copy()
    ratio = (mean[noisy, 1] / mean[noisy, 0])[:, None]
    settled[noisy, :, 2] = settled[noisy, :, 1] * ratio
    settled[noisy, :, 3] = settled[noisy, :, 2] * ratio
    return settled


def _determinant(moments: Array) -> Array:
    d0, d1, d2, d3 = np.moveaxis(moments, -1, 0)
    return np.asarray((d0 + d1 / 2) * (d2 + d3 / 2) - (d1 + d2 / 2) ** 2)


def _uncorrected(pairs: SampledPairs, power: Array) -> PairSignal:
    """Return the sample's own signal, as if its eigenvalues were the population's."""
    n = len(pairs.image)
    own = pairs.eigenvalues
    product, trace = np.outer(*own), float(own[0].sum() * own[1].sum())
    grid = np.geomspace(_LEAST * trace, trace, _POINTS)
    resolvents = [1 / (product + level) for level in grid]
    rotations = np.zeros((grid.size, 1, 4))
    rotations[:, 0, 0] = [(power * resolvent).sum() for resolvent in resolvents]
    error = signal_error(rotations, power, product, resolvents, n)
    if n < max(product.shape):
        error = np.hypot(error, pairs.eigenvalue_error(grid))
    return PairSignal(*own, grid, rotations.mean(axis=1), error, 0.0)


def warn_of_few(images: int, dimension: int) -> None:
    """Warn where so few images leave something out of the theory."""
    if images < IMAGES_FOR_FOLDS:
        warnings.warn(
            f"image has {images} rows; below {IMAGES_FOR_FOLDS} the covariance of matched pairs"
            " is taken to be that of mismatched pairs",
            ValidityWarning,
            stacklevel=4,
        )
    if images < dimension:
        warnings.warn(
            f"image has {images} rows, fewer than the {dimension} dimensions; they do not show the"
            " signal at small effective ridges, and the interval is wider there",
            ValidityWarning,
            stacklevel=4,
        )
