r"""Linear centred kernel alignment (CKA), unbiased.

CKA = HSIC(v, t)/sqrt(HSIC(v, v) HSIC(t, t)), with linear kernels |C|_F^2/(|M_v|_F |M_t|_F), C, M_v
and M_t the covariances of matched pairs of an image and one of its captions. Every HSIC is a mean
over distinct images; with a linear kernel it follows from d x d matrices and needs no n x n one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.alignment.hsic import MINIMUM_IMAGES, u_statistic
from fusiontheory.alignment.measurement import Measurement
from fusiontheory.alignment.vectors import matched_features
from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["linear_cka", "measure_cka"]


@checked
def linear_cka(image: ArrayLike, text: ArrayLike) -> float:
    """Return tr(C C^T)/sqrt(tr(M_v^2) tr(M_t^2)), each factor estimated without bias.

    It does not change under separate rotations, shifts and isotropic scaling. Sampling can make
    it slightly negative. Features are taken as they are; strong directions count most.

    Args:
        image: (n, d_v) with n >= 4.
        text: (n, captions, d_t) or (n, d_t), row by row the captions of the images. A pair is an
            image with one of its captions; all are averaged over.

    Raises:
        InputError: if the arrays do not fit each other, or a modality does not vary so that its
            power could be told from noise.

    Source: Kornblith et al., arXiv:1905.00414; the unbiased HSIC is that of Song et al., J. Mach.
    Learn. Res. 13 (2012).

    Example:
        >>> x = np.random.default_rng(0).standard_normal((50, 3))
        >>> round(linear_cka(x, 5 * x[:, ::-1] + 1), 12)
        1.0
    """
    parts = _parts(image, text)
    return parts.cross(parts.mean_text) / parts.unit


def measure_cka(image: ArrayLike, text: ArrayLike) -> Measurement:
    """Return `linear_cka` with influences; arguments are the same.

    It is a correlation over the n^2/2 pairs of images, of v.v' and t.t' once centred: these pairs
    add the variance (1 - CKA^2)^2 2/n^2 of such a correlation.
    A permutation leaves the denominator and all row sums as they are: it costs one product of
    the images with their new captions.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((50, 3))
        >>> measure_cka(x, x).value.round(12).tolist()
        [1.0]
    """
    parts = _parts(image, text)
    n = len(parts.image)
    cross = parts.cross(parts.mean_text)
    value = cross / parts.unit
    # Over the other images, so that no image's own length enters.
    joint = np.einsum(
        "nd,nd->n", parts.image @ (parts.image.T @ parts.mean_text), parts.mean_text
    ) - _squares(parts.image) * _squares(parts.mean_text)
    influence = (
        2 * (joint / (n - 1) - cross) / parts.unit
        - value
        * (
            parts.image_own.influence / parts.image_own.value
            + parts.text_own.influence / parts.text_own.value
        )
        / 2
    )
    # Averaging captions takes out some of what a single pair of images adds.
    kept = max(parts.text_own.mean_value / parts.text_own.value, 0.0)
    return Measurement(
        metrics=("cka",),
        value=np.array([value]),
        influence=influence[:, None],
        null=lambda rng: np.array([parts.cross(parts.mean_text[rng.permutation(n)]) / parts.unit]),
        pair_noise=2 / n**2 * (1 - value**2) ** 2 * kept,
        scale=lambda share: np.clip(share, -1.0, 1.0),
    )


@dataclass(frozen=True, eq=False)
class _Own:
    """HSIC(x, x) of one modality, influences on it, and that of the mean of each image's rows."""

    value: float
    influence: Array
    mean_value: float


@dataclass(frozen=True, eq=False)
class _Parts:
    """Centred features and what does not depend on the pairing."""

    image: Array
    mean_text: Array
    image_own: _Own
    text_own: _Own

    @property
    def unit(self) -> float:
        return float(np.sqrt(self.image_own.value * self.text_own.value))

    def cross(self, text: Array) -> float:
        """Return HSIC(v, t) with the mean captions in the order of ``text``."""
        norms_v, norms_t = _squares(self.image), _squares(text)
        two = float(((self.image.T @ text) ** 2).sum() - norms_v @ norms_t)
        return u_statistic(two, -norms_v, -norms_t)  # row sums: centred rows add up to 0


def _parts(image: ArrayLike, text: ArrayLike) -> _Parts:
    images, captions = matched_features(image, text, MINIMUM_IMAGES)
    # Shifts do not matter, but far from 0 they cancel with a loss; nor does the scale.
    images, captions = _standard(images), _standard(captions)
    own = []
    for name, rows in (("image", images[:, None]), ("text", captions)):
        own.append(_own_criterion(rows))
        if own[-1].value <= 0:
            raise InputError(
                f"{name} must vary more than {len(images)} images can hide:"
                f" its unbiased power is {own[-1].value:.3g} <= 0; take more images"
            )
    return _Parts(images, captions.mean(axis=1), *own)


def _standard(rows: Array) -> Array:
    """Return rows less their mean over all, in units of the largest entry."""
    flat = rows.reshape(-1, rows.shape[-1])
    largest = np.abs(flat).max() or 1.0
    centred = rows / largest
    centred -= centred.reshape(flat.shape).mean(axis=0)
    # What rounding leaves of a constant is no variation.
    size = np.abs(centred).max()
    if size <= 1e-14:
        return np.zeros_like(centred)
    scaled: Array = centred / size
    return scaled


def _own_criterion(rows: Array) -> _Own:
    r"""Return HSIC(x, x), (n, captions, d), for x one of an image's rows drawn at random.

    It is the mean over distinct i, j, k, l of (x_i.x_j)^2 - 2 (x_i.x_j)(x_i.x_k)
    + (x_i.x_j)(x_k.x_l), and over the draws; only x_i in the first two terms and x_j in the first
    enter squared, everything else through the mean of an image's rows.
    """
    n, count, d = rows.shape
    mean, flat = rows.mean(axis=1), rows.reshape(-1, d)
    second, second_mean = flat.T @ flat / count, mean.T @ mean
    within = ((rows @ rows.swapaxes(1, 2)) ** 2).mean(axis=(1, 2))
    two = float((second**2).sum() - within.sum())
    with_mean = np.einsum("ncd,nd->nc", rows, mean)
    # rows add up to 0: x_i . sum_{j != i} mean_j = -x_i . mean_i
    others = np.einsum("md,md->m", flat @ second_mean, flat).reshape(n, count) - with_mean**2
    three = float((with_mean**2 - others).mean(axis=1).sum())
    norms = _squares(mean)
    two_mean = float((second_mean**2).sum() - norms @ norms)
    three_mean = float(norms @ norms) - two_mean
    four = float(norms.sum() ** 2) - 4 * three_mean - 2 * two_mean
    pairs = float(n * (n - 1))
    value = two / pairs - 2 * three / (pairs * (n - 2)) + four / (pairs * (n - 2) * (n - 3))
    own = np.einsum("md,md->m", flat @ second, flat).reshape(n, count).mean(axis=1) - within
    return _Own(value, 2 * (own / (n - 1) - value), u_statistic(two_mean, -norms, -norms))


def _squares(rows: Array) -> Array:
    squares: Array = np.einsum("nd,nd->n", rows, rows)
    return squares
