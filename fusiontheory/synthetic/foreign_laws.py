"""Laws of matched pairs beyond centred Gaussian features: parts that `foreign` puts together.

A law is a function (rows, rng) -> (image (rows, d_v), text (rows, d_t)). Fixed matrices of a law
come from its seed, so that two draws are of one population.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.typing import Array

__all__ = [
    "Law",
    "beside",
    "canonical",
    "categories",
    "cut_off",
    "lengthened",
    "magnitudes",
    "mild",
    "mixture",
    "moved",
    "multi_hot",
    "nonlinear_views",
    "relu",
    "signs",
    "spectrum",
    "stretched",
    "topics",
]

Law: TypeAlias = Callable[[int, np.random.Generator], tuple[Array, Array]]


def spectrum(dimensions: int, power: float = 0.0, first: ArrayLike = ()) -> Array:
    """Return standard deviations i^-power, the first of them replaced.

    Example:
        >>> spectrum(4, 0.0, first=[10.0])
        array([10.,  1.,  1.,  1.])
    """
    scale = np.arange(1, dimensions + 1.0) ** -power
    leading = np.asarray(first, dtype=np.float64)
    scale[: leading.size] = leading
    return scale


def canonical(image: Array, text: Array, correlation: ArrayLike, turn: int | None = None) -> Law:
    """Return Gaussian pairs v_i = s_i x_i, t_i = s'_i (rho_i x_i + sqrt(1 - rho_i^2) y_i).

    Args:
        image: standard deviations s, shape (d_v,).
        text: standard deviations s', shape (d_t,).
        correlation: rho, one for all or the first ones; 0 for the rest.
        turn: seed of a rotation of the texts; None for none.

    Example:
        >>> law = canonical(np.ones(2), np.ones(3), 0.5)
        >>> [x.shape for x in law(4, np.random.default_rng(0))]
        [(4, 2), (4, 3)]
    """
    shared = min(image.size, text.size)
    given = np.asarray(correlation, dtype=np.float64)
    rho = np.full(shared, given) if given.ndim == 0 else np.zeros(shared)
    if given.ndim:
        rho[: given.size] = given
    rotation = None if turn is None else _rotation(text.size, turn)

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        x = rng.standard_normal((rows, image.size))
        y = rng.standard_normal((rows, text.size))
        y[:, :shared] = rho * x[:, :shared] + np.sqrt(1 - rho**2) * y[:, :shared]
        y *= text
        return x * image, y if rotation is None else y @ rotation

    return draw


def mild(d: int = 48, power: float = 0.3, rho: float = 0.65, turn: int | None = None) -> Law:
    """Return Gaussian pairs in d directions of deviations i^-power and one correlation rho."""
    return canonical(spectrum(d, power), spectrum(d, power), rho, turn)


def stretched(d: int, first: list[float], rho: float, leading: float) -> Law:
    """Return Gaussian pairs of deviations 1 but for the first, of the correlation ``leading``."""
    own = np.full(d, rho)
    own[: len(first)] = leading
    return canonical(spectrum(d, first=first), spectrum(d, first=first), own)


def moved(law: Law, image: float, text: float, seed: int, together: bool = False) -> Law:
    """Return a law with means of the given lengths, as shares of each modality's own deviation.

    Args:
        law: of roughly centred pairs.
        image: |E v| over the root of E|v - E v|^2.
        text: the same of t.
        seed: of the directions.
        together: whether both means have one direction (equal dimensions).
    """
    own = [np.sqrt((x**2).sum(axis=1).mean()) for x in law(4000, np.random.default_rng(seed))]
    rng = np.random.default_rng(seed + 1)

    def draw(rows: int, generator: np.random.Generator) -> tuple[Array, Array]:
        v, t = law(rows, generator)
        return v + image * own[0] * direction[0], t + text * own[1] * direction[1]

    sizes = [x.shape[1] for x in law(2, np.random.default_rng(seed))]
    direction = [x / np.linalg.norm(x) for x in (rng.standard_normal(size) for size in sizes)]
    if together:
        direction[1] = direction[0]
    return draw


def lengthened(
    law: Law, *, freedom: float | None = None, sigma: float = 0.0, shared: bool = True
) -> Law:
    """Return a law whose rows are multiplied by random lengths.

    Args:
        law: of the directions.
        freedom: of Student's t: lengths sqrt(freedom / chi^2_freedom).
        sigma: else lengths are exp(sigma times a standard normal).
        shared: whether v and t of a pair have the same length.
    """

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        v, t = law(rows, rng)
        if freedom is not None:
            lengths = np.sqrt(freedom / rng.chisquare(freedom, (2, rows, 1)))
        else:
            lengths = np.exp(sigma * rng.standard_normal((2, rows, 1)))
        return v * lengths[0], t * lengths[0 if shared else 1]

    return draw


def cut_off(law: Law, freedom: float) -> Law:
    """Return a law with heavy tails in each coordinate alone: x / sqrt(chi^2 / freedom)."""

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        v, t = (x / np.sqrt(rng.chisquare(freedom, x.shape) / freedom) for x in law(rows, rng))
        return v, t

    return draw


def relu(latent: int, dimensions: int, threshold: float, noise: float, seed: int) -> Law:
    """Return features max(A z + noise - threshold, 0) of one latent z, as they come."""
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((2, latent, dimensions)) / np.sqrt(latent)

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        z = rng.standard_normal((rows, latent))
        v, t = (
            np.maximum(z @ map_ + noise * rng.standard_normal((rows, dimensions)) - threshold, 0)
            for map_ in (first, second)
        )
        return v, t

    return draw


def topics(count: int, dimensions: int, spread: float, correlation: float, seed: int) -> Law:
    """Return Gaussian clusters, image and text of one cluster, weakly correlated within it."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((2, count, dimensions))
    weights = rng.dirichlet(np.full(count, 3.0))
    centres -= np.einsum("k,skd->sd", weights, centres)[:, None]
    own = np.sqrt(1 - correlation**2)

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        topic = rng.choice(count, rows, p=weights)
        z, e, f = rng.standard_normal((3, rows, dimensions))
        mixed = correlation * z + own * f
        return centres[0][topic] + spread * (z + 0.5 * e), centres[1][topic] + spread * mixed

    return draw


def categories(count: int, agreement: float, noise: float = 0.0) -> Law:
    """Return one-hot categories; the text's is the image's with probability ``agreement``."""

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        first, other = rng.integers(0, count, (2, rows))
        second = np.where(rng.random(rows) < agreement, first, other)
        v, t = np.eye(count)[first], np.eye(count)[second]
        if noise:
            v, t = (x + noise * rng.standard_normal(x.shape) for x in (v, t))
        return v, t

    return draw


def multi_hot(dimensions: int, active: float, agreement: float) -> Law:
    """Return bags of independent tags; each tag of the text is the image's with a probability."""

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        first, other = rng.random((2, rows, dimensions)) < active
        same = rng.random((rows, dimensions)) < agreement
        return first.astype(np.float64), np.where(same, first, other).astype(np.float64)

    return draw


def magnitudes(dimensions: int, agreement: float) -> Law:
    """Return coordinates with shared magnitudes and independent signs: dependence with C = 0."""

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        x, y = rng.standard_normal((2, rows, dimensions))
        size = np.abs(np.where(rng.random((rows, dimensions)) < agreement, x, y))
        sign = np.where(rng.random((rows, dimensions)) < 0.5, -1.0, 1.0)
        return x, sign * size

    return draw


def nonlinear_views(latent: int, dimensions: int, noise: float, seed: int) -> Law:
    """Return v = tanh(1.5 A z) and t = sin(B z), both with noise: few effective dimensions."""
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((2, latent, dimensions)) / np.sqrt(latent)
    phase = rng.uniform(0, 2 * np.pi, dimensions)

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        z = rng.standard_normal((rows, latent))
        e, f = noise * rng.standard_normal((2, rows, dimensions))
        return np.tanh(1.5 * z @ first) + e, np.sin(2 * z @ second + phase) + f

    return draw


def signs(law: Law) -> Law:
    """Return the signs of a law's coordinates."""

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        v, t = law(rows, rng)
        return np.sign(v), np.sign(t)

    return draw


def mixture(first: Law, second: Law, share: float) -> Law:
    """Return rows of the first law with probability ``share``, else of the second."""

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        chosen = (rng.random(rows) < share)[:, None]
        one, two = first(rows, rng), second(rows, rng)
        return np.where(chosen, one[0], two[0]), np.where(chosen, one[1], two[1])

    return draw


def beside(first: Law, second: Law) -> Law:
    """Return the coordinates of two independent laws next to each other."""

    def draw(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
        one, two = first(rows, rng), second(rows, rng)
        return np.hstack([one[0], two[0]]), np.hstack([one[1], two[1]])

    return draw


def _rotation(dimensions: int, seed: int) -> Array:
    drawn = np.random.default_rng(seed).standard_normal((dimensions, dimensions))
    return np.asarray(np.linalg.qr(drawn)[0], dtype=np.float64)
