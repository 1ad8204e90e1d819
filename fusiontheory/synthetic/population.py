r"""Exact moments of synthetic features, and the exact error of a linear or bilinear predictor.

With x = v - mean_v and y = t - mean_t jointly Gaussian, covariances S_v, S_t, and cross-covariance
C in a share p of the rows (0 in the rest), f = c + w_v.x + w_t.y + x^T W y has

    E[f^2] = c^2 + 2 p c <W, C> + w^T Sigma w + <W, S_v W S_t> + p (<W, C W^T C> + <W, C>^2)

by Isserlis' theorem, Sigma the joint covariance with p C off its diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.synthetic.latent_model import LatentModel
from fusiontheory.typing import Array

__all__ = ["FeatureLaw", "LabelLaw", "Predictor", "population_risk"]


@checked
@dataclass(frozen=True, eq=False)
class Predictor:
    """f(v, t) = constant + image . v + text . t + v^T product t, or T of them.

    Attributes:
        constant: shape (T,).
        image: shape (T, d_v).
        text: shape (T, d_t).
        product: shape (T, d_v, d_t).

    Example:
        >>> import numpy as np
        >>> f = Predictor.of(2, 2, product=np.eye(2)[None])
        >>> f(np.ones((1, 2)), np.ones((1, 2)))
        array([[2.]])
    """

    constant: Array
    image: Array
    text: Array
    product: Array

    @classmethod
    def of(
        cls,
        d_v: int,
        d_t: int,
        constant: Array | None = None,
        image: Array | None = None,
        text: Array | None = None,
        product: Array | None = None,
    ) -> Predictor:
        """Return the predictors with 0 for the parts that are not given."""
        given = [part for part in (constant, image, text, product) if part is not None]
        t = len(given[0]) if given else 1
        return cls(
            constant=np.zeros(t) if constant is None else constant,
            image=np.zeros((t, d_v)) if image is None else image,
            text=np.zeros((t, d_t)) if text is None else text,
            product=np.zeros((t, d_v, d_t)) if product is None else product,
        )

    def __call__(self, v: Array, t: Array) -> Array:
        """Return the outputs, shape (n, T)."""
        linear = self.constant + v @ self.image.T + t @ self.text.T
        for column, matrix in enumerate(self.product):
            if matrix.any():
                linear[:, column] += np.einsum("ni,ni->n", v @ matrix, t)
        return np.asarray(linear)

    def column(self, k: int) -> Predictor:
        """Return predictor k alone, T = 1."""
        rows = slice(k, k + 1)
        return Predictor(self.constant[rows], self.image[rows], self.text[rows], self.product[rows])

    def around(self, mean_v: Array, mean_t: Array) -> Predictor:
        """Return the same functions of v - mean_v and t - mean_t."""
        from_t, from_v = self.product @ mean_t, mean_v @ self.product
        return Predictor(
            constant=self.constant + self.image @ mean_v + self.text @ mean_t + from_t @ mean_v,
            image=self.image + from_t,
            text=self.text + from_v,
            product=self.product,
        )


@checked
@dataclass(frozen=True, eq=False)
class FeatureLaw:
    """The moments of the features.

    Attributes:
        mean_v, mean_t: E[v], E[t], shapes (d_v,) and (d_t,).
        covariance_v, covariance_t: Cov(v) and Cov(t).
        matched_cross: Cov(v, t) over rows whose v and t belong together, (d_v, d_t).
        matched: share p of such rows; the others' v and t are independent.

    Example:
        >>> import numpy as np
        >>> law = FeatureLaw.of(LatentModel.plain(np.eye(2), np.eye(2), np.array([0.8, 0.4])))
        >>> law.canonical_correlations, law.coordinate_alignment
        (array([0.8, 0.4]), 1.0)
    """

    mean_v: Array
    mean_t: Array
    covariance_v: Array
    covariance_t: Array
    matched_cross: Array
    matched: float = 1.0

    @classmethod
    def of(cls, model: LatentModel, mismatched: bool = False) -> FeatureLaw:
        """Return the moments of a model; ``mismatched``: every second row is of two pairs."""
        return cls(
            mean_v=model.mean_v,
            mean_t=model.mean_t,
            covariance_v=model.covariance_v,
            covariance_t=model.covariance_t,
            matched_cross=model.cross,
            matched=model.keep_v * model.keep_t * (0.5 if mismatched else 1.0),
        )

    @property
    def cross(self) -> Array:
        """C = Cov(v, t), shape (d_v, d_t)."""
        return self.matched * self.matched_cross

    @property
    def second_moment_v(self) -> Array:
        """M_v = E[v v^T], shape (d_v, d_v)."""
        return np.asarray(self.covariance_v + np.outer(self.mean_v, self.mean_v))

    @property
    def second_moment_t(self) -> Array:
        """M_t = E[t t^T], shape (d_t, d_t)."""
        return np.asarray(self.covariance_t + np.outer(self.mean_t, self.mean_t))

    @property
    def joint_covariance(self) -> Array:
        """Cov([v; t]), shape (d_v + d_t, d_v + d_t)."""
        return np.block([[self.covariance_v, self.cross], [self.cross.T, self.covariance_t]])

    @property
    def canonical_correlations(self) -> Array:
        """Descending, shape (min(d_v, d_t),): how much information the modalities share."""
        left, right = inverse_root(self.covariance_v), inverse_root(self.covariance_t)
        return np.asarray(np.linalg.svd(left @ self.cross @ right, compute_uv=False))

    @property
    def information_alignment(self) -> float:
        """Root mean square of the canonical correlations."""
        return float(np.sqrt(np.mean(self.canonical_correlations**2)))

    @property
    def coordinate_alignment(self) -> float:
        """tr C / |C|_*: 1 if no rotation of t raises tr C; NaN without cross-covariance."""
        most = float(np.linalg.norm(self.cross, "nuc"))
        return float(np.trace(self.cross)) / most if most > 0 else float("nan")

    @property
    def matched_cosine(self) -> float:
        """E[v . t] / sqrt(tr M_v tr M_t) over the first min(d_v, d_t) coordinates: of both."""
        d = min(self.matched_cross.shape)
        total = float(np.trace(self.cross)) + float(self.mean_v[:d] @ self.mean_t[:d])
        traces = np.trace(self.second_moment_v) * np.trace(self.second_moment_t)
        return total / float(np.sqrt(traces))

    def centred(self, predictor: Predictor) -> Predictor:
        """Return the predictors as functions of v - E[v] and t - E[t]."""
        return predictor.around(self.mean_v, self.mean_t)

    def overlap(self, centred: Predictor) -> Predictor:
        """Return E[f], E[f x], E[f y] and E[f x y^T] of centred predictors, as one object."""
        c, p = self.matched_cross, self.matched
        trace = np.einsum("kij,ij->k", centred.product, c)
        swapped = c @ np.swapaxes(centred.product, 1, 2) @ c
        product = self.covariance_v @ centred.product @ self.covariance_t
        product = product + p * (swapped + (trace + centred.constant)[:, None, None] * c)
        return Predictor(
            constant=centred.constant + p * trace,
            image=centred.image @ self.covariance_v + centred.text @ self.cross.T,
            text=centred.image @ self.cross + centred.text @ self.covariance_t,
            product=product,
        )

    def power(self, centred: Predictor) -> Array:
        """Return E[f^2] of centred predictors, shape (T,)."""
        return inner(centred, self.overlap(centred))


@checked
@dataclass(frozen=True, eq=False)
class LabelLaw:
    """What the label shares with the features: moments with x = v - E[v] and y = t - E[t].

    Attributes:
        second: E[label^2].
        mean: E[label].
        image: E[label x], shape (d_v,).
        text: E[label y], shape (d_t,).
        product: E[label x y^T], shape (d_v, d_t).
    """

    second: float
    mean: float
    image: Array
    text: Array
    product: Array


@checked
def population_risk(
    features: FeatureLaw, label: LabelLaw | Sequence[LabelLaw], predictor: Predictor
) -> Array:
    """Return the exact test mean squared error of T predictors, shape (T,).

    Args:
        features: the moments of the features.
        label: of the one label of all predictors, or one for each.
        predictor: T functions of v and t.

    Example:
        >>> import numpy as np
        >>> law = FeatureLaw.of(LatentModel.plain(np.eye(1), np.eye(1), np.array([0.5])))
        >>> label = LabelLaw(1.5, 0.5, np.zeros(1), np.zeros(1), np.array([[1.5]]))  # v t
        >>> population_risk(law, label, Predictor.of(1, 1, product=np.array([[[1.0]], [[0.0]]])))
        array([0. , 1.5])
    """
    f = features.centred(predictor)
    labels = [label] * f.constant.size if isinstance(label, LabelLaw) else label
    if len(labels) != f.constant.size:
        raise InputError(
            f"label must be one, or one for each of {f.constant.size} predictors, got {len(labels)}"
        )
    shared = Predictor(
        constant=np.array([one.mean for one in labels]),
        image=np.stack([one.image for one in labels]),
        text=np.stack([one.text for one in labels]),
        product=np.stack([one.product for one in labels]),
    )
    second = np.array([one.second for one in labels])
    return np.asarray(second - 2 * inner(f, shared) + features.power(f))


def inner(first: Predictor, second: Predictor) -> Array:
    """Return the inner products of coefficients, shape (T,)."""
    return np.asarray(
        first.constant * second.constant
        + np.einsum("ki,ki->k", first.image, second.image)
        + np.einsum("ki,ki->k", first.text, second.text)
        + np.einsum("kij,kij->k", first.product, second.product)
    )


def inverse_root(covariance: Array) -> Array:
    """Return the symmetric inverse root of a covariance, 0 along directions without variance."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-13 * values[-1]
    scale = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    root: Array = (vectors * scale) @ vectors.T
    return root
