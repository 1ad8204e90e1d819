"""Populations of known law that tests of several rooms share."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from fusiontheory.moments import Moments
from fusiontheory.synthetic import SharedLatentPairs

RIDGE = 0.1
SIZES = (128, 512, 2048)
# Mean accuracies of trained heads on these populations, a stored table.
_MEASURED = Path(__file__).parents[1] / "experiments" / "interval_coverage" / "measured.csv"
# Of Student's t.
_FREEDOM = 12


class World:
    """Gaussian pairs, as they are, at unit norm or with heavy-tailed lengths."""

    def __init__(self, pairs, shape="gaussian"):
        self.pairs, self.shape = pairs, shape

    @cached_property
    def _root(self):
        model = self.pairs.model()
        joint = np.block([[model.covariance_v, model.cross], [model.cross.T, model.covariance_t]])
        values, vectors = np.linalg.eigh(joint)
        return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T

    def draw(self, n, rng):
        """Return n matched pairs, shapes (n, d_v) and (n, d_t)."""
        rows = rng.standard_normal((n, len(self._root))) @ self._root
        v, t = rows[:, : self.pairs.d_v], rows[:, self.pairs.d_v :]
        if self.shape == "unit norm":
            return tuple(x / np.linalg.norm(x, axis=1, keepdims=True) for x in (v, t))
        if self.shape == "heavy tails":
            lengths = np.sqrt((_FREEDOM - 2) / rng.chisquare(_FREEDOM, (2, n, 1)))
            return v * lengths[0], t * lengths[1]
        return v, t


def _power(d, v, t, correlation, alignment):
    spectra = f"power {v:g}", f"power {t:g}"
    return SharedLatentPairs(d, d, *spectra, correlation, coordinate_alignment=alignment)


WORLDS = {
    "flat": World(SharedLatentPairs(16, 16, correlation=0.5, coordinate_alignment=0.6)),
    "mild": World(_power(32, 0.6, 0.4, 0.6, 0.8)),
    "weak": World(_power(32, 0.8, 0.8, 0.3, 0.6)),
    "unit norm": World(_power(64, 0.5, 0.5, 0.6, 0.6), "unit norm"),
    "heavy tails": World(_power(32, 0.6, 0.4, 0.6, 0.8), "heavy tails"),
}


def measured_means(name, kind, head):
    """Return mean accuracies of trained heads at `SIZES`; ``kind`` is measured or independent."""
    known = pd.read_csv(_MEASURED).set_index(["population", "kind", "head"])
    rows = known.loc[(name, kind, head)]
    assert tuple(rows["n"]) == SIZES
    return rows["mean"].to_numpy()


def correlated(n, d=6, seed=0):
    """Return standard normal pairs with all canonical correlations 0.7."""
    z, w = np.random.default_rng(seed).standard_normal((2, n, d))
    return z, 0.7 * z + np.sqrt(0.51) * w


def partly_shared(seed, n=300, d_v=6, d_t=5, captions=None, shared=0.8):
    """Return images and texts, or several of them each, that share coordinates up to a factor."""
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((n, d_v)) * np.arange(1, d_v + 1) ** -0.5
    shape = (n, d_t) if captions is None else (n, captions, d_t)
    text = rng.standard_normal(shape) * np.arange(1, d_t + 1) ** -0.5
    k = min(d_v, d_t)
    text[..., :k] += shared * (image[:, :k] if captions is None else image[:, None, :k])
    return image, text


def lengths(v, t, unit):
    """Return the length |x| of x = [v; t], in units of the root of ``unit``."""
    return np.sqrt(((v**2).sum(axis=1) + (t**2).sum(axis=1)) / unit)


def theory_alone(moments: Moments) -> Moments:
    """Return moments without a diagnosis of their features: intervals are the theory's own."""
    return replace(moments, source=None)
