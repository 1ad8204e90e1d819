"""Jointly Gaussian pairs as loadings on canonical latents: what is drawn, and its moments.

    z_v, z_t   standard normal, Cov(z_v, z_t) = R, the rho_i on the diagonal and 0 elsewhere
    v = mean_v + A_v z_v + e_v,   t = mean_t + A_t z_t + e_t,   e_v, e_t private Gaussian noise

Labels are functions of the latents. With the rates ``keep_v`` and ``keep_t`` v and t are those of
the label's latents, else of another, independent pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.constraints import checked, in_memory
from fusiontheory.typing import Array

__all__ = ["Draw", "LatentModel"]


@dataclass(frozen=True, eq=False)
class Draw:
    """Rows drawn from a `LatentModel`, before labels.

    Attributes:
        v, t: features, shapes (n, d_v) and (n, d_t).
        z_v, z_t: latents of the label, shapes (n, q_v) and (n, q_t).
        matched: +1 where t belongs to v, -1 where it was drawn for another v, shape (n,).
        normal, uniform: random numbers for the labels' noise, shape (n,).
    """

    v: Array
    t: Array
    z_v: Array
    z_t: Array
    matched: Array
    normal: Array
    uniform: Array


@checked
@dataclass(frozen=True, eq=False)
class LatentModel:
    """Loadings, correlations, noise and means of Gaussian pairs.

    Attributes:
        load_v: A_v, shape (d_v, q_v).
        load_t: A_t, shape (d_t, q_t).
        correlation: rho_i in [0, 1], shape (min(q_v, q_t),).
        noise_v: covariance of e_v, shape (d_v, d_v).
        noise_t: covariance of e_t, shape (d_t, d_t).
        mean_v, mean_t: shapes (d_v,) and (d_t,).
        keep_v, keep_t: share of rows whose v (t) is that of the label.
        axes_v, axes_t: orthonormal axes along which the features were made, (d_v, d_v) and
            (d_t, d_t): the eigenbasis wherever there is one that both modalities share.

    Example:
        >>> import numpy as np
        >>> model = LatentModel.plain(np.eye(2), np.eye(2), np.array([0.5, 0.0]))
        >>> model.cross
        array([[0.5, 0. ],
               [0. , 0. ]])
    """

    load_v: Array
    load_t: Array
    correlation: Array
    noise_v: Array
    noise_t: Array
    mean_v: Array
    mean_t: Array
    axes_v: Array
    axes_t: Array
    keep_v: float = 1.0
    keep_t: float = 1.0

    @classmethod
    def plain(cls, load_v: Array, load_t: Array, correlation: Array) -> LatentModel:
        """Return the model without noise and means, its axes those of the coordinates."""
        d_v, d_t = len(load_v), len(load_t)
        return cls(
            load_v=load_v,
            load_t=load_t,
            correlation=correlation,
            noise_v=np.zeros((d_v, d_v)),
            noise_t=np.zeros((d_t, d_t)),
            mean_v=np.zeros(d_v),
            mean_t=np.zeros(d_t),
            axes_v=np.eye(d_v),
            axes_t=np.eye(d_t),
        )

    @property
    def shared(self) -> Array:
        """R = Cov(z_v, z_t), shape (q_v, q_t)."""
        shared = np.zeros((self.load_v.shape[1], self.load_t.shape[1]))
        np.fill_diagonal(shared, self.correlation)
        return shared

    @property
    def covariance_v(self) -> Array:
        """Cov(v), shape (d_v, d_v)."""
        covariance: Array = self.load_v @ self.load_v.T + self.noise_v
        return covariance

    @property
    def covariance_t(self) -> Array:
        """Cov(t), shape (d_t, d_t)."""
        covariance: Array = self.load_t @ self.load_t.T + self.noise_t
        return covariance

    @property
    def cross(self) -> Array:
        """Cov(v, t) where neither is exchanged, shape (d_v, d_t)."""
        cross: Array = self.load_v @ self.shared @ self.load_t.T
        return cross

    @checked(together=in_memory("n", lambda of: of["n"] * _numbers_of_a_row(of["self"])))
    def draw(self, n: int, seed: np.random.SeedSequence, mismatched: bool = False) -> Draw:
        """Return n rows; the first rows of a longer draw with the same seed are the same.

        Args:
            n: rows.
            seed: of everything that is drawn.
            mismatched: whether every second row, from the second, has the t of another pair and
                ``matched`` = -1.
        """
        # A copy: a seed sequence remembers what it spawned, and a second draw would differ.
        fresh = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)
        streams = [np.random.default_rng(child) for child in fresh.spawn(11)]
        q_v, q_t = self.load_v.shape[1], self.load_t.shape[1]

        def latents(first: int) -> tuple[Array, Array]:
            z_v = streams[first].standard_normal((n, q_v))
            z_t = streams[first + 1].standard_normal((n, q_t))
            rho = self.correlation
            pairs = slice(0, rho.size)
            z_t[:, pairs] = rho * z_v[:, pairs] + np.sqrt(1 - rho**2) * z_t[:, pairs]
            return z_v, z_t

        z_v, z_t = latents(0)
        matched = np.ones(n)
        shown_v, shown_t = z_v, z_t
        if mismatched or self.keep_t < 1:
            _, other = latents(2)
            if mismatched:
                matched[1::2] = -1.0
            lost = (matched < 0) | (streams[8].random(n) >= self.keep_t)
            shown_t = np.where(lost[:, None], other, z_t)
        if self.keep_v < 1:
            lost = streams[9].random(n) >= self.keep_v
            shown_v = np.where(lost[:, None], streams[4].standard_normal((n, q_v)), z_v)
        return Draw(
            v=self.mean_v + shown_v @ self.load_v.T + _noise(self.noise_v, n, streams[5]),
            t=self.mean_t + shown_t @ self.load_t.T + _noise(self.noise_t, n, streams[6]),
            z_v=z_v,
            z_t=z_t,
            matched=matched,
            normal=streams[7].standard_normal(n),
            uniform=streams[10].random(n),
        )


def _numbers_of_a_row(model: LatentModel) -> int:
    """Return how many numbers a row takes: latents and features, each drawn up to four times."""
    return 4 * (sum(model.load_v.shape) + sum(model.load_t.shape))


def _noise(covariance: Array, n: int, rng: np.random.Generator) -> Array | float:
    if not covariance.any():
        return 0.0
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    rows: Array = rng.standard_normal((n, len(covariance))) @ root
    return rows
