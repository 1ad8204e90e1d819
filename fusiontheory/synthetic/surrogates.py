"""Surrogates of real features: Gaussian pairs with the second moments of a features file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np

from fusiontheory.checks import InputError, set_checked
from fusiontheory.constraints import checked
from fusiontheory.data import FeatureSet
from fusiontheory.synthetic.latent_model import LatentModel
from fusiontheory.typing import Array

__all__ = ["SurrogatePairs", "latent_model_of_features"]


@checked
@dataclass(frozen=True)
class SurrogatePairs:
    """Gaussian pairs with the means, second moments and cross-covariance of a features file.

    The moments are those of the file's rows as they are, every caption counted in M_t and captions
    of one image averaged in C; ``fusiontheory.moments.gaussian_surrogate`` takes the noise
    of few rows out of C, this keeps it: the population is the file itself.

    Attributes:
        path: a features file, .safetensors or .npz.
        split: use these rows only; None for all.
        fingerprint: of the features; read from the file. Give it to refuse another file.

    Raises:
        InputError: if the file cannot be read, has no such split, or has another fingerprint.

    Example:
        >>> import pathlib, tempfile
        >>> rng = np.random.default_rng(0)
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "pairs.safetensors"
        >>> x = rng.standard_normal((100, 3))
        >>> FeatureSet(x, x[:, :2]).save(file)
        >>> model = SurrogatePairs(str(file)).model()
        >>> bool(np.allclose(model.covariance_v, np.cov(x.T, bias=True), atol=1e-6))
        True
    """

    path: str
    split: str | None = None
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        """Read the file once, for its fingerprint."""
        set_checked(self, "path", os.fspath(self.path))
        fingerprint = FeatureSet.load(self.path).fingerprint
        if self.fingerprint not in (None, fingerprint):
            raise InputError(
                f"fingerprint must be that of {self.path}, {fingerprint}, got {self.fingerprint};"
                " the file is another one"
            )
        set_checked(self, "fingerprint", fingerprint)
        self._rows()

    def model(self) -> LatentModel:
        """Return the loadings on the canonical variables of the features."""
        return latent_model_of_features(*self._rows())

    def _rows(self) -> tuple[Array, Array]:
        features = FeatureSet.load(self.path)
        rows = np.arange(len(features.image)) if self.split is None else features.rows(self.split)
        if rows.size < 2:
            raise InputError(f"split must have at least 2 rows, got {rows.size} in {self.split!r}")
        return np.asarray(features.image[rows], float), np.asarray(features.text[rows], float)


@checked
def latent_model_of_features(image: Array, text: Array) -> LatentModel:
    """Return the `LatentModel` with the moments of features, (n, d_v) and (n, captions, d_t).

    With Sigma_v = U S U^T etc. the canonical variables come from the singular vectors of
    Sigma_v^{-1/2} C Sigma_t^{-1/2}; directions without variance have loading 0.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((50, 2))
        >>> latent_model_of_features(x, x[:, None]).correlation.round(6)
        array([1., 1.])
    """
    texts = text.reshape(-1, text.shape[-1])
    means = image.mean(axis=0), texts.mean(axis=0)
    centred = image - means[0], text.mean(axis=1) - means[1]
    covariances = np.cov(image.T, bias=True), np.cov(texts.T, bias=True)
    cross = centred[0].T @ centred[1] / len(image)
    (root_v, white_v), (root_t, white_t) = (_roots(np.atleast_2d(c)) for c in covariances)
    left, rho, right = np.linalg.svd(white_v @ cross @ white_t)
    model = LatentModel.plain(root_v @ left, root_t @ right.T, np.clip(rho, 0.0, 1.0))
    return replace(model, mean_v=means[0], mean_t=means[1])


def _roots(covariance: Array) -> tuple[Array, Array]:
    """Return the symmetric root and its pseudo-inverse."""
    values, vectors = np.linalg.eigh(covariance)
    root = np.sqrt(np.maximum(values, 0.0))
    kept = root > 1e-7 * root[-1]
    inverse = np.where(kept, 1 / np.where(kept, root, 1.0), 0.0)
    return (vectors * root) @ vectors.T, (vectors * inverse) @ vectors.T
