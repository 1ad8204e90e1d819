"""Gaussian pairs: what their moments give in closed form, and surrogates of real features."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.moments.second import (
    ROUNDING,
    DotProductMoments,
    checked_features,
    checked_second_moment,
    cross_power,
    eigenbasis,
    joint_eigenvalue,
)
from fusiontheory.moments.source import LEAST_MEAN, PairSignal
from fusiontheory.typing import Array, Single

__all__ = ["GaussianPairs", "checked_gaussian", "debiased_cross", "gaussian_surrogate"]


_SEED = 0
# Of eigenvalues to each side, within which noise is taken to be alike.
_BLOCKS = 8
# Effective ridges, over tr M_v tr M_t, at which the operator is known.
_GRID = np.geomspace(1e-6, 1.0, 15)


@checked
@dataclass(frozen=True, eq=False)
class GaussianPairs:
    """Jointly Gaussian v and t in the eigenbases of their second moments.

    Attributes:
        image: eigenvalues of M_v = E[v v^T], shape (d_v,).
        text: eigenvalues of M_t, shape (d_t,).
        cross: Cov(v, t), shape (d_v, d_t).
        image_mean: E[v], shape (d_v,).
        text_mean: E[t], shape (d_t,).

    Example:
        >>> import numpy as np
        >>> zero = np.zeros(2), np.zeros(3)
        >>> pairs = GaussianPairs(np.ones(2), np.ones(3), np.eye(2, 3) / 2, *zero)
        >>> v, t = pairs.draw(100_000, np.random.default_rng(0))
        >>> (v.T @ t / len(v)).round(1)[0] + 0.0
        array([0.5, 0. , 0. ])
    """

    image: Array
    text: Array
    cross: Array
    image_mean: Array
    text_mean: Array

    @property
    def eigenvalues(self) -> tuple[Array, Array]:
        """Of M_v and of M_t."""
        return self.image, self.text

    @property
    def images(self) -> float:
        """Infinitely many: it is a distribution."""
        return np.inf

    @property
    def captions(self) -> int:
        """One text an image."""
        return 1

    @property
    def of_images(self) -> bool:
        """They are of a distribution."""
        return False

    @property
    def traces(self) -> tuple[float, float]:
        """The traces of M_v and M_t."""
        return float(self.image.sum()), float(self.text.sum())

    @property
    def clean_eigenvalues(self) -> tuple[Array, Array]:
        """Those of the pairs: noise is part of them."""
        return self.eigenvalues

    @property
    def means(self) -> tuple[Array, Array]:
        """E v and E t."""
        return self.image_mean, self.text_mean

    def mean_powers(self) -> tuple[float, float]:
        """Return |E v|^2 and |E t|^2; 0 and 0 where neither is a hundredth of its trace."""
        image = float(self.image_mean @ self.image_mean)
        text = float(self.text_mean @ self.text_mean)
        small = image <= LEAST_MEAN * self.image.sum() and text <= LEAST_MEAN * self.text.sum()
        return (0.0, 0.0) if small else (image, text)

    def features(self, noise: bool = True) -> None:
        """There are none: it is a distribution."""
        del noise

    @property
    def noise(self) -> tuple[float, float]:
        """None is to be added."""
        return 0.0, 0.0

    def signal(self, power: Array) -> PairSignal:
        """Return the signal in closed form, without an error."""
        del power
        grid = _GRID * self.image.sum() * self.text.sum()
        operator = self.rotations(grid).mean(axis=1)
        return PairSignal(self.image, self.text, grid, operator, np.zeros_like(grid), 0.0)

    def lengths(self, most: int) -> tuple[Array, Array]:
        """Return |v|^2 and |t|^2 of ``unit_trace_pairs``."""
        traces, image, text = self.unit_trace_pairs(most)
        squares = (np.einsum("nd,nd->n", x, x, dtype=np.float64) for x in (image, text))
        first, second = (trace * one for trace, one in zip(traces, squares, strict=True))
        return first, second

    @property
    def turn(self) -> None:
        """No sample's coordinates to turn."""
        return None

    @property
    def text_likeness(self) -> Array:
        """One text an image, which it shares whole, (d_t,)."""
        return np.ones_like(self.text)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return n matched pairs, shapes (n, d_v) and (n, d_t)."""
        d_v = self.image.size
        covariance = np.block(
            [
                [np.diag(self.image) - np.outer(self.image_mean, self.image_mean), self.cross],
                [self.cross.T, np.diag(self.text) - np.outer(self.text_mean, self.text_mean)],
            ]
        )
        # The symmetric root changes smoothly with the moments, as a Cholesky factor of a matrix
        # without full rank does not.
        values, vectors = np.linalg.eigh(covariance)
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        rows = rng.standard_normal((n, values.size)) @ root
        return rows[:, :d_v] + self.image_mean, rows[:, d_v:] + self.text_mean

    def unit_trace_pairs(self, most: int) -> tuple[tuple[float, float], Single, Single]:
        """Return tr M_v and tr M_t, and ``most`` pairs from one seed, brought to trace 1."""
        traces = self.traces
        image, text = (
            (x / np.sqrt(trace)).astype(np.float32)
            for x, trace in zip(self.draw(most, np.random.default_rng(_SEED)), traces, strict=True)
        )
        return traces, image, text

    def noisy(self, image: float, text: float) -> GaussianPairs:
        """Return v + sigma_v e and t + sigma_t e', e and e' standard normal and independent."""
        return replace(self, image=self.image + image**2, text=self.text + text**2)

    def rescaled(self, image: float, text: float) -> GaussianPairs:
        """Return the pairs image * v, text * t."""
        return GaussianPairs(
            image=image**2 * self.image,
            text=text**2 * self.text,
            cross=image * text * self.cross,
            image_mean=image * self.image_mean,
            text_mean=text * self.text_mean,
        )

    def rotations(self, kappa: Array) -> Array:
        """Return d_0 .. d_3 of `fusiontheory.signal.lanczos`, exactly, (len(kappa), 1, 4)."""
        product = np.outer(self.image, self.text)
        moments = np.empty((kappa.size, 1, 4))
        for row, level in enumerate(kappa):
            resolvent = 1 / (product + level)
            start = resolvent * self.cross
            once = self.excess(start)
            end = resolvent * once
            twice = self.excess(end)
            factors = ((start, self.cross), (once, start), (once, end), (twice, end))
            moments[row, 0] = [np.vdot(left, right) for left, right in factors]
        return moments

    def excess(self, weights: Array) -> Array:
        r"""Return D W, D = Cov(v (x) t | matched) - M_v (x) M_t, for W of shape (d_v, d_t).

        By Isserlis' theorem the covariance of x_i y_j and x_k y_l, x = v - mu and y = t - nu, has
        the swap term C_il C_kj beside the product of covariances: D W = C W^T C for zero means.
        With means, mu (x) y and x (x) nu correlate as well:

            D W = C W^T C + C W^T mu nu^T + mu nu^T W^T C - (mu . W nu) mu nu^T.

        Source: Isserlis (1918).
        """
        mu, nu = self.image_mean, self.text_mean
        swapped = self.cross @ weights.T
        excess: Array = swapped @ self.cross + np.outer(swapped @ mu, nu)
        excess += np.outer(mu, (weights @ nu) @ self.cross)
        excess -= (mu @ weights @ nu) * np.outer(mu, nu)
        return excess


@checked
def checked_gaussian(
    image: ArrayLike,
    text: ArrayLike,
    cross: ArrayLike,
    image_mean: ArrayLike | None = None,
    text_mean: ArrayLike | None = None,
) -> tuple[GaussianPairs, DotProductMoments | None]:
    """Return Gaussian pairs of given second moments, in their eigenbases, and moments of v.t.

    Args:
        image: M_v = E[v v^T], shape (d_v, d_v).
        text: M_t = E[t t^T], shape (d_t, d_t).
        cross: Cov(v, t) over matched pairs, shape (d_v, d_t).
        image_mean: E[v], shape (d_v,); None for zero.
        text_mean: E[t], shape (d_t,); None for zero.

    Raises:
        InputError: for moments that no data can have: not symmetric, an eigenvalue below 0, a
            mean too large for its second moment, a cross-covariance too large for both, sizes
            that do not fit.
    """
    m_v, m_t = checked_second_moment("image", image), checked_second_moment("text", text)
    c = finite_array("cross", cross, 2)
    if c.shape != (len(m_v), len(m_t)):
        raise InputError(
            f"cross must have shape (d_v, d_t) = ({len(m_v)}, {len(m_t)}), got {c.shape}"
        )
    mu = _checked_mean("image", image_mean, m_v)
    nu = _checked_mean("text", text_mean, m_t)
    sigma_v, sigma_t = m_v - np.outer(mu, mu), m_t - np.outer(nu, nu)
    smallest = joint_eigenvalue(sigma_v, sigma_t, c)
    if smallest < -ROUNDING:
        raise InputError(
            "cross must leave the joint covariance of v and t without eigenvalues below 0, got"
            f" {smallest:.3g} at unit traces; no data have canonical correlations above 1"
        )
    values_v, basis_v = eigenbasis("image", m_v, len(m_v))
    values_t, basis_t = eigenbasis("text", m_t, len(m_t))
    pairs = GaussianPairs(values_v, values_t, basis_v.T @ c @ basis_t, mu @ basis_v, nu @ basis_t)
    return pairs, _dot_product(m_v, m_t, c, mu, nu)


def _checked_mean(name: str, mean: ArrayLike | None, second_moment: Array) -> Array:
    d = len(second_moment)
    if mean is None:
        return np.zeros(d)
    vector = finite_array(f"{name}_mean", mean, 1)
    if vector.size != d:
        raise InputError(f"{name}_mean must have shape ({d},), got {vector.shape}")
    values = np.linalg.eigvalsh(second_moment - np.outer(vector, vector))
    if values[0] < -ROUNDING * np.trace(second_moment):
        raise InputError(
            f"{name}_mean must leave {name} - mean mean^T without eigenvalues below 0, got"
            f" {values[0]:.3g}"
        )
    return vector


def _dot_product(
    m_v: Array, m_t: Array, c: Array, mu: Array, nu: Array
) -> DotProductMoments | None:
    """Return the moments of v.t; beside those of mismatched pairs, C enters by tr C and tr C^2."""
    if c.shape[0] != c.shape[1]:
        return None
    mismatched = float(np.vdot(m_v, m_t) - (mu @ nu) ** 2)
    # With x = v - mu and y = t - nu, v.t = x.y + mu.y + x.nu + mu.nu.
    swapped = float(np.vdot(c, c.T) + 2 * nu @ c @ mu)
    return DotProductMoments(
        difference=float(np.trace(c)),
        matched_variance=max(mismatched + swapped, 0.0),
        mismatched_variance=max(mismatched, 0.0),
    )


@checked
def debiased_cross(
    cross: Array, power: Array, second: tuple[Array, Array], means: tuple[Array, Array]
) -> Array:
    """Return a cross-covariance without the power that sampling noise lends to the sample's.

    The cross-covariance of n pairs has noise of total power tr M_v tr M_t / n; in a population
    that had it for its own this would be signal. The matrix is scaled down in blocks of directions
    of like eigenvalues, so that the power of each block is the unbiased one: sum C^2 R then is that
    of the data at every kappa. Its directions keep the sample's noise. Canonical correlations
    above 1, which scaling may leave, are cut to 1.

    Args:
        cross: C of the sample in the eigenbases of M_v and M_t, shape (d_v, d_t).
        power: unbiased estimate of its squares, `cross_power`.
        second: eigenvalues of M_v and M_t, decreasing.
        means: E[v] and E[t] in the eigenbases.
    """
    groups_v, groups_t = (_octaves(values) for values in second)
    # Sums over blocks by matrices of 0 and 1, (blocks, d).
    in_v, in_t = (np.equal.outer(np.unique(g), g).astype(float) for g in (groups_v, groups_t))
    whole, unbiased = in_v @ cross**2 @ in_t.T, in_v @ power @ in_t.T
    share = np.divide(unbiased, whole, out=np.zeros_like(whole), where=whole > 0)
    scaled = cross * (in_v.T @ np.sqrt(np.clip(share, 0.0, 1.0)) @ in_t)
    roots = [
        _roots(np.diag(values) - np.outer(mean, mean))
        for values, mean in zip(second, means, strict=True)
    ]
    (root_v, whiten_v), (root_t, whiten_t) = roots
    left, correlations, right = np.linalg.svd(whiten_v.T @ scaled @ whiten_t, full_matrices=False)
    possible: Array = root_v @ (left * np.minimum(correlations, 1.0)) @ right @ root_t.T
    return possible


def _octaves(values: Array) -> NDArray[np.intp]:
    """Return the block of each eigenvalue: eight, of equal width in the logarithm."""
    logarithms = np.log(np.maximum(values, values[0] * 1e-12))
    width = max(float(logarithms[0] - logarithms[-1]), 1e-9) / _BLOCKS
    blocks = ((logarithms[0] - logarithms) / width).astype(np.intp)
    return np.asarray(np.minimum(blocks, _BLOCKS - 1))


def _roots(covariance: Array) -> tuple[Array, Array]:
    """Return A and B of shape (d, rank) with A A^T = covariance and B^T covariance B = I."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-10 * values[-1]
    scale = np.sqrt(values[kept])
    return vectors[:, kept] * scale, vectors[:, kept] / scale


@checked
def gaussian_surrogate(
    image: ArrayLike, text: ArrayLike, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw n Gaussian pairs with the means, second moments and cross-covariance of features.

    The cross-covariance is that of ``debiased_cross``. `Moments.gaussian_twin` has the moments of
    the distribution drawn from here: measure on these, predict from those.

    Args:
        image: image features, shape (m, d_v).
        text: text features, shape (m, captions, d_t), or (m, d_t).
        n: pairs to draw, at least 1, one text for each image.
        rng: where from.

    Raises:
        InputError: as for `Moments.from_features`.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> x = np.sign(rng.standard_normal((1000, 2)))
        >>> v, t = gaussian_surrogate(x, -x, 50_000, rng)
        >>> (v.T @ t / len(v)).round(1) + 0.0
        array([[-1.,  0.],
               [ 0., -1.]])
    """
    positive_integer("n", n)
    v, t = checked_features(image, text)
    texts = t.reshape(-1, t.shape[2])
    values_v, basis_v = eigenbasis("image", v.T @ v / len(v), len(v))
    values_t, basis_t = eigenbasis("text", texts.T @ texts / len(texts), len(texts))
    turned_v, turned_t = v @ basis_v, t.mean(axis=1) @ basis_t
    means = turned_v.mean(axis=0), turned_t.mean(axis=0)
    turned_v -= means[0]
    turned_t -= means[1]
    cross, power = turned_v.T @ turned_t / (len(v) - 1), cross_power(turned_v, turned_t)
    debiased = debiased_cross(cross, power, (values_v, values_t), means)
    pairs = GaussianPairs(values_v, values_t, debiased, *means)
    drawn_v, drawn_t = pairs.draw(n, rng)
    return drawn_v @ basis_v.T, drawn_t @ basis_t.T
