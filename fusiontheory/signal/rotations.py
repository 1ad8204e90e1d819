"""d_0 .. d_3 of `fusiontheory.signal.lanczos`, measured on matched pairs, and what they are off by.

Each d_k is a product of sample means over different images: the images are cut into five folds,
whose rotations give as many unbiased estimates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fusiontheory.constraints import checked, shaped
from fusiontheory.signal.lanczos import lanczos_signal
from fusiontheory.signal.staircase import leading
from fusiontheory.typing import Array, Floats

__all__ = ["FOLDS", "operator_rotations", "signal_error"]


# d_3 has five factors that must not share images: two of c and three of D.
FOLDS = 5
# Directions in which Lambda is below this share of kappa are left out of D: there it changes q by
# a per cent of their part of it, at a cost that is the same for every kappa.
_NEGLIGIBLE = 0.02
# None is left out above this share of Lambda's largest value: d_1 says what scores vary by.
_LEADING = 0.1
# Of Lambda's largest value: kappa from which d_1 alone is found, as d_2 and d_3 change nothing.
_FAR = 1 / _NEGLIGIBLE


@checked(image=shaped(1, 1), text=shaped(1, 1, 1), product=shaped(1, 1), folds=shaped(1))
def operator_rotations(
    image: Floats,
    text: Floats,
    product: Array,
    folds: NDArray[np.intp],
    kappa: Sequence[float],
    noisy: Array | None = None,
    resolvents: Sequence[Array] | None = None,
) -> Array:
    """Return estimates of d_0 .. d_3 at each kappa, one for each rotation of the folds.

    Each rotation is unbiased where R is known; their spread tells the noise of their mean.

    Args:
        image: image features in the eigenbasis of M_v, shape (n, d_v).
        text: text features in the eigenbasis of M_t, shape (n, captions, d_t).
        product: eigenvalues of Lambda, lambda_v lambda_t, shape (d_v, d_t).
        folds: fold 0 .. 4 of each image, shape (n,); every fold needs at least 2 images.
        kappa: effective ridges, above 0, in the units of ``product``.
        noisy: Lambda of R where it differs from that of the features: independent noise on them
            changes Lambda and leaves D.
        resolvents: what takes the place of R at each kappa where R itself is of the same images
            (`fusiontheory.signal.resolvent`); ``noisy`` is not used then. D is then taken against
            the mismatched pairs of the same fold: Lambda of all images would meet the resolvents'
            own images in c.

    Returns:
        Shape (len(kappa), 5, 4).

    Source: the estimator is U-statistic-like (one image set per factor, averaged over the five
    rotations of the sets); the recursion is Lanczos's, see ``docs/theory.md``.
    """
    rows = [np.flatnonzero(folds == fold) for fold in range(FOLDS)]
    images = [image[index] for index in rows]
    texts = [text[index] for index in rows]
    crosses = [_cross_covariance(v, t.mean(axis=1)) for v, t in zip(images, texts, strict=True)]
    subtracted = product.astype(image.dtype)
    own = (
        None
        if resolvents is None
        else [_squares(*fold) for fold in zip(images, texts, strict=True)]
    )
    estimates = np.zeros((len(kappa), FOLDS, 4))
    for row, level in enumerate(kappa):
        if resolvents is None:
            inverse = 1.0 / ((product if noisy is None else noisy) + level)
        else:
            inverse = resolvents[row]
        resolvent = inverse.astype(image.dtype)
        starts = [resolvent * cross for cross in crosses]
        estimates[row, :, 0] = [_dot(starts[k], crosses[(k + 1) % FOLDS]) for k in range(FOLDS)]
        largest = float(product.max())
        cut = min(_NEGLIGIBLE * level, _LEADING * largest)
        d_v, d_t = (leading(product.max(axis=axis), cut) for axis in (1, 0))
        estimates[row, :, 1:] = _rotated(
            [v[:, :d_v] for v in images],
            [t[:, :, :d_t] for t in texts],
            [start[:d_v, :d_t] for start in starts],
            resolvent[:d_v, :d_t],
            subtracted[:d_v, :d_t]
            if own is None
            else [(x[:d_v, :d_v], y[:d_t, :d_t]) for x, y in own],
            far=level > _FAR * largest,
        )
    return estimates


def _rotated(
    images: list[Floats],
    texts: list[Floats],
    starts: list[Floats],
    resolvent: Floats,
    mismatched: Floats | list[tuple[Floats, Floats]],
    far: bool,
) -> Array:
    """Return d_1 .. d_3 from the folds, shape (5, 3), at one kappa; ``starts`` are R c.

    ``mismatched`` is Lambda, or of each fold the sums of v v^T and of t t^T. Where kappa is ``far``
    above Lambda d_2 and d_3 are 0.
    """

    def excess(fold: int, weights: Floats) -> Floats:
        if isinstance(mismatched, list):
            return _excess_times(images[fold], texts[fold], weights, *mismatched[fold])
        matched = _covariance_times(images[fold], texts[fold], weights)
        matched -= mismatched * weights
        return matched

    once = [excess((k + 2) % FOLDS, starts[k]) for k in range(FOLDS)]
    estimates = np.zeros((FOLDS, 3))
    if far:
        estimates[:, 0] = [_dot(once[k], starts[(k + 1) % FOLDS]) for k in range(FOLDS)]
        return estimates
    ends = [resolvent * term for term in once]
    for k in range(FOLDS):
        # The left factors use the images of folds k, k + 2 and k + 4, the right ones those
        # of folds k + 1 and k + 3.
        follower = (k + 1) % FOLDS
        twice = excess((k + 4) % FOLDS, ends[k])
        estimates[k] = (
            _dot(once[k], starts[follower]),
            _dot(once[k], ends[follower]),
            _dot(twice, ends[follower]),
        )
    return estimates


@checked
def signal_error(
    rotations: Array,
    cross_power: Array,
    product: Array,
    resolvents: Sequence[Array],
    images: int,
) -> Array:
    """Return the standard error of q, from what it owes to c and from the folds' noise.

    One image moves c^T R c by 2 (f - q) / n, f = v^T R c t its matched score (the infinitesimal
    jackknife over images); the noise of c itself adds 2 tr((Lambda R)^2) / n^2, all that is left
    where there is no signal. What the other d_k add is the jackknife over rotations of the folds.

    Args:
        rotations: of `operator_rotations`, (levels, turns, 4).
        cross_power: unbiased c^2.
        product: Lambda of the sample.
        resolvents: R or what takes its place, at each level.
        images: N.
    """
    operator = rotations.mean(axis=1)
    direct = np.empty(len(resolvents))
    for point, resolvent in enumerate(resolvents):
        within = max(float((cross_power * product * resolvent**2).sum()), 0.0)
        # d_1 is what matched scores vary by beyond mismatched ones; it is noisy too.
        scores = within + max(float(operator[point, 1]), 0.0)
        noise = float(((product * resolvent) ** 2).sum())
        direct[point] = 4 * scores / images + 2 * noise / images**2
    turns = rotations.shape[1]
    if turns == 1:
        return np.sqrt(direct)
    left_out = lanczos_signal((operator[:, None] * turns - rotations) / (turns - 1))
    return np.asarray(np.sqrt(direct + (turns - 1) * left_out.var(axis=1)))


def _cross_covariance(image: Floats, text: Floats) -> Floats:
    """Return the unbiased cross-covariance, (d_v, d_t)."""
    centred = image - image.mean(axis=0)
    return np.asarray(centred.T @ text / (len(image) - 1))


def _covariance_times(image: Floats, text: Floats, weights: Floats) -> Floats:
    """Return Cov(v (x) t) W for matched pairs, unbiased, as a (d_v, d_t) matrix."""
    n, captions = text.shape[:2]
    scores = np.einsum("nd,nkd->nk", image @ weights, text)
    scores -= scores.mean()
    weighted = np.einsum("nk,nkd->nd", scores, text)
    weighted /= captions
    # The product of the means is over different images: an image's captions are not independent.
    weighted += scores.mean(axis=1, keepdims=True) * text.mean(axis=1) / (n - 1)
    weighted /= n
    return np.asarray(image.T @ weighted)


def _squares(image: Floats, text: Floats) -> tuple[Floats, Floats]:
    """Return the sums of v v^T and, over images, of the captions' mean t t^T."""
    texts = text.reshape(-1, text.shape[2])
    return image.T @ image, texts.T @ texts / text.shape[1]


def _excess_times(
    image: Floats, text: Floats, weights: Floats, square_v: Floats, square_t: Floats
) -> Floats:
    """Return D W, matched pairs against all mismatched ones of the same images, unbiased."""
    n, captions = text.shape[:2]
    scores = np.einsum("nd,nkd->nk", image @ weights, text)
    centred = scores - scores.mean()
    # As in _covariance_times; an image with its own captions is no mismatched pair.
    weighted = np.einsum("nk,nkd->nd", centred + scores / (n - 1), text)
    weighted /= captions
    weighted += centred.mean(axis=1, keepdims=True) * text.mean(axis=1) / (n - 1)
    weighted /= n
    return np.asarray(image.T @ weighted - square_v @ weights @ square_t / (n * (n - 1)))


def _dot(left: Floats, right: Floats) -> float:
    return float(np.vdot(left, right))
