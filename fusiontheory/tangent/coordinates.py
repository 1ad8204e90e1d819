r"""Moments of the Hadamard product v * t, for kernels that are tied to coordinates.

A kernel a (v.v')(t.t') + a_dot (v.t)(v'.t') + a_had sum_i v_i t_i v'_i t'_i is linear in v (x) t
with the prior covariance B = a I + E (a_had I + a_dot 1 1^T) E^T, E the d directions e_i (x) e_i.
With c the mean difference of v (x) t between the classes and S its covariance within one, the
signal is

    q = max_w (w^T c)^2 / (w^T (S + kappa B^{-1}) w) = c^T (S + kappa B^{-1})^{-1} c.

S is too large to estimate. Here w is taken from the span of E and of w_0 = (S + kappa/a)^{-1} c,
the solution without the coordinate blocks: Rayleigh-Ritz, a lower bound, exact when those are 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["CoordinateMoments"]

_Signal = Callable[[Array], tuple[Array, Array]]

# Step in log kappa of the derivative.
_STEP = 0.02


@checked
@dataclass(frozen=True, eq=False)
class CoordinateMoments:
    """Moments of z = v * t within and between matched and mismatched pairs.

    Attributes:
        difference: mean of z over matched less that over mismatched pairs, diag C, shape (d,).
        covariance: of z within a class, mean of the two classes, shape (d, d).
        noise: covariance of the estimated ``difference``, shape (d, d).
        axes_image, axes_text: eigenvectors of the second moments, shape (d, d).
        product: their eigenvalues' products, shape (d, d).
        cross: cross-covariance in these axes, shape (d, d).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> v = rng.standard_normal((500, 3))
        >>> moments = CoordinateMoments.from_features(v, v)
        >>> moments.difference.shape, moments.covariance.shape
        ((3,), (3, 3))
    """

    difference: Array
    covariance: Array
    noise: Array
    axes_image: Array = field(repr=False)
    axes_text: Array = field(repr=False)
    product: Array = field(repr=False)
    cross: Array = field(repr=False)

    @classmethod
    def from_features(cls, image: ArrayLike, text: ArrayLike) -> CoordinateMoments:
        """Estimate the moments from matched features, one row per image.

        Args:
            image: image features, shape (n, d), n at least 4.
            text: text features, shape (n, d) or (n, captions, d).

        Raises:
            InputError: for other shapes, different dimensions, NaN, or fewer than 4 images.
        """
        v = finite_array("image", image, 2)
        t = finite_array("text", text, (2, 3))
        t = t[:, None, :] if t.ndim == 2 else t
        if len(v) != len(t) or v.shape[1] != t.shape[2] or len(v) < 4:
            raise InputError(
                "image and text must have one row per image, 4 rows at least, and one dimension,"
                f" got {v.shape} and {t.shape}"
            )
        n, captions, d = t.shape
        texts = t.reshape(n * captions, d)
        moment_v, moment_t = v.T @ v / n, texts.T @ texts / (n * captions)
        mean_v, mean_t = v.mean(axis=0), texts.mean(axis=0)
        centred_v, centred_t = v - mean_v, t.mean(axis=1) - mean_t
        cross = centred_v.T @ centred_t / (n - 1)
        matched = (v[:, None, :] * t).reshape(n * captions, d)
        mismatched = moment_v * moment_t - np.outer(mean_v * mean_t, mean_v * mean_t)
        within = (np.atleast_2d(np.cov(matched, rowvar=False)) + mismatched) / 2
        values_v, axes_v = np.linalg.eigh(moment_v)
        values_t, axes_t = np.linalg.eigh(moment_t)
        return cls(
            difference=np.diag(cross).copy(),
            covariance=within,
            noise=np.atleast_2d(np.cov(centred_v * centred_t, rowvar=False)) / n,
            axes_image=axes_v,
            axes_text=axes_t,
            product=np.outer(np.clip(values_v, 0.0, None), np.clip(values_t, 0.0, None)),
            cross=axes_v.T @ cross @ axes_t,
        )

    def eigenvalues(self, dot: float, hadamard: float) -> Array:
        """Return those of the blocks a_dot (v.t)(v'.t') + a_had sum_i v_i t_i v'_i t'_i, (d,)."""
        root = _root(0.0, dot, hadamard, self.difference.size)
        total = self.covariance + np.outer(self.difference, self.difference) / 4
        return np.clip(np.linalg.eigvalsh(root @ total @ root), 0.0, None)

    def signal(
        self, kappa: Array, bilinear: _Signal, cross: float, dot: float, hadamard: float
    ) -> tuple[Array, Array]:
        """Return q(kappa) of all three blocks and its derivative in log kappa.

        Args:
            kappa: effective ridges above 0, in the units of the kernel, shape (k,).
            bilinear: signal of the cross block alone.
            cross: its coefficient a.
            dot: a_dot.
            hadamard: a_had.
        """
        steps = np.concatenate([kappa, kappa * np.exp(_STEP), kappa * np.exp(-_STEP)])
        root = _root(cross, dot, hadamard, self.difference.size)
        values, axes = np.linalg.eigh(root @ self.covariance @ root)
        along = axes.T @ root
        delta = along @ self.difference
        # The noise of the difference is in its square.
        power = delta**2 - np.einsum("ki,ij,kj->k", along, self.noise, along, optimize=True)
        shrink = 1 / (np.clip(values, 0.0, None) + steps[:, None])
        coordinate = np.maximum(shrink @ power, 0.0)
        if cross:
            # All blocks together are at most this multiple of the cross block. The signal of
            # that is an estimate from below, too, and no bound where E alone has more.
            most = cross + hadamard + self.difference.size * dot
            alone, bound = bilinear(steps)[0], bilinear(steps * cross / most)[0]
            pulled, resisted = self._pull(steps, cross, dot, hadamard)
            pulled = pulled @ along.T
            shared = (pulled * shrink) @ delta
            # w_0 less its part in the span of E: numerator and denominator of its quotient.
            rest = alone - coordinate + shared
            norm = rest + shared - resisted - (pulled**2 * shrink).sum(axis=1)
            good = (rest > 0) & (norm > 0)
            added = np.divide(rest**2, norm, out=np.zeros_like(rest), where=good)
            most_signal = np.maximum(bound, np.maximum(alone, coordinate))
            coordinate = np.clip(coordinate + added, alone, most_signal)
        here, above, below = np.split(coordinate, 3)
        return here, np.clip((above - below) / (2 * _STEP), -here, 0.0)

    def signal_error(self, kappa: Array, cross: float, dot: float, hadamard: float) -> Array:
        """Return the standard error of the part of q along v * t, from the number of images."""
        root = _root(cross, dot, hadamard, self.difference.size)
        values, axes = np.linalg.eigh(root @ self.covariance @ root)
        along = axes.T @ root
        delta, noise = along @ self.difference, along @ self.noise @ along.T
        shrunk = delta / (np.clip(values, 0.0, None) + kappa[:, None])
        return np.asarray(2 * np.sqrt(np.einsum("ki,ij,kj->k", shrunk, noise, shrunk)))

    def _pull(self, kappa: Array, cross: float, dot: float, hadamard: float) -> tuple[Array, Array]:
        """Return G y, shape (k, d), and y G y, shape (k,).

        y = E^T w_0 is what w_0 has in the directions E, with the covariance of mismatched pairs
        for S, and G = kappa (I / a - B_E^{-1}) by how much weaker the ridge on it is.
        """
        y = np.empty((kappa.size, self.difference.size))
        for row, level in enumerate(kappa):
            solved = self.cross / (self.product + level / cross)
            y[row] = ((self.axes_image @ solved) * self.axes_text).sum(axis=1)
        # B_E = (a + a_had) I + a_dot 1 1^T, inverted by Sherman & Morrison.
        each = cross + hadamard
        common = dot * y.sum(axis=1, keepdims=True) / (each + self.difference.size * dot)
        pulled = kappa[:, None] * (y / cross - (y - common) / each)
        return pulled, (y * pulled).sum(axis=1)


def _root(cross: float, dot: float, hadamard: float, d: int) -> Array:
    """Return the symmetric root of B in the span of E, (a + a_had) I + a_dot 1 1^T, (d, d)."""
    low, high = np.sqrt(cross + hadamard), np.sqrt(cross + hadamard + d * dot)
    return np.asarray(low * np.eye(d) + np.full((d, d), (high - low) / d))
