"""Gaussian images with several captions each: the second moments of features, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusiontheory.moments import Moments, checked_features, cross_power, debiased_cross, eigenbasis
from fusiontheory.typing import AnyArray, Array, Single

__all__ = ["CaptionLaw"]

# Directions with less than this share of the largest variance have none.
_NO_VARIANCE = 1e-10


@dataclass(frozen=True, eq=False)
class CaptionLaw:
    """Jointly Gaussian v and t_1 .. t_k; each (v, t_j) has the law of `gaussian_surrogate`.

    t_j = nu + (v - mu) B + u + e_j, u shared by the captions of an image and e_j not.

    Attributes:
        image_mean, text_mean: mu and nu.
        image: M_v, shape (d_v, d_v).
        text: M_t, shape (d_t, d_t).
        cross: C = Cov(v, t_j), shape (d_v, d_t).
        image_root: A with A^T A = Cov(v).
        regression: B = Cov(v)^+ C.
        shared_root: of Cov(u).
        own_root: of Cov(e_j).
        own_share: tr Cov(e_j) over the trace of the features' covariance within images; below 1
            by as much as had to be cut so that Cov(u) has no eigenvalue below 0.
    """

    image_mean: Array
    text_mean: Array
    image: Array
    text: Array
    cross: Array
    image_root: Array
    regression: Array
    shared_root: Array
    own_root: Array
    own_share: float

    @classmethod
    def of_features(cls, image: AnyArray, text: AnyArray) -> CaptionLaw:
        """Return the law with the moments of features (n, d_v) and (n, captions, d_t).

        M_v, M_t and the means are the sample's; C is without the power that sampling lends it
        (`debiased_cross`). The covariance of captions within images is the sample's, cut to what
        C leaves.

        Raises:
            InputError: as for `Moments.from_features`.
        """
        v, t = checked_features(image, text)
        mu, nu = v.mean(axis=0), t.mean(axis=(0, 1))
        texts = t.reshape(-1, t.shape[2])
        second_v, second_t = v.T @ v / len(v), texts.T @ texts / len(texts)
        cross = _cross(v, t, second_v, second_t)
        covariance = second_v - np.outer(mu, mu)
        regression = _inverse(covariance) @ cross
        left = second_t - np.outer(nu, nu) - cross.T @ regression
        deviation = (t - t.mean(axis=1, keepdims=True)).reshape(-1, t.shape[2])
        within = deviation.T @ deviation / (len(t) * max(t.shape[1] - 1, 1))
        own = _at_most(within, left)
        return cls(
            image_mean=mu,
            text_mean=nu,
            image=second_v,
            text=second_t,
            cross=cross,
            image_root=_root(covariance),
            regression=regression,
            shared_root=_root(left - own),
            own_root=_root(own),
            own_share=float(np.trace(own) / np.trace(within)),
        )

    def moments(self) -> Moments:
        """Return the moments of the law itself, in closed form."""
        return Moments.from_second_moments(
            self.image,
            self.text,
            self.cross,
            image_mean=self.image_mean,
            text_mean=self.text_mean,
        )

    def draw(self, n: int, captions: int, rng: np.random.Generator) -> tuple[Single, Single]:
        """Return n images and their captions, (n, d_v) and (n, captions, d_t)."""

        def normal(rows: int, root: Array) -> Single:
            values = rng.standard_normal((rows, len(root)), dtype=np.float32)
            return np.asarray(values @ root.astype(np.float32))

        v = normal(n, self.image_root)
        shared = v @ self.regression.astype(np.float32) + normal(n, self.shared_root)
        own = normal(n * captions, self.own_root).reshape(n, captions, -1)
        text = own + (shared + self.text_mean.astype(np.float32))[:, None]
        return v + self.image_mean.astype(np.float32), text


def _cross(v: Array, t: Array, second_v: Array, second_t: Array) -> Array:
    values_v, basis_v = eigenbasis("image", second_v, len(v))
    values_t, basis_t = eigenbasis("text", second_t, t.shape[0] * t.shape[1])
    turned_v, turned_t = v @ basis_v, t.mean(axis=1) @ basis_t
    means = turned_v.mean(axis=0), turned_t.mean(axis=0)
    turned_v, turned_t = turned_v - means[0], turned_t - means[1]
    cross = turned_v.T @ turned_t / (len(v) - 1)
    power = cross_power(turned_v, turned_t)
    debiased = debiased_cross(cross, power, (values_v, values_t), means)
    return np.asarray(basis_v @ debiased @ basis_t.T)


def _root(covariance: Array) -> Array:
    """Return the symmetric root; eigenvalues that rounding puts below 0 are 0."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _inverse(covariance: Array) -> Array:
    values, vectors = np.linalg.eigh(covariance)
    kept = values > _NO_VARIANCE * values[-1]
    return np.asarray((vectors[:, kept] / values[kept]) @ vectors[:, kept].T)


def _at_most(part: Array, whole: Array) -> Array:
    """Return a matrix near ``part`` that leaves ``whole`` less it without eigenvalues below 0."""
    values, vectors = np.linalg.eigh(whole)
    kept = values > _NO_VARIANCE * values[-1]
    root = vectors[:, kept] * np.sqrt(values[kept])
    white = vectors[:, kept] / np.sqrt(values[kept])
    shares, turn = np.linalg.eigh(white.T @ part @ white)
    turned = root @ turn
    return np.asarray((turned * np.clip(shares, 0.0, 1.0)) @ turned.T)
