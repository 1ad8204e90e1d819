r"""Why intervals of the dot product miss: its error and its law of scores.

The dot product has one feature, s = v.t, with the signal q = Delta^2 / W at a ridge of 0: Delta the
difference of the class means, W the mean of the class variances. Two things can be wrong: the
standard error of q, and the accuracy Phi(sqrt(q)/2), which takes scores to be normal.

One image moves q by psi/N (the infinitesimal jackknife),

    psi = (2 Delta/W) psi_Delta - (Delta/W)^2 psi_W,
    psi_Delta = (s - E+ s) - a,     a = v.E[t] + E[v].t - 2 m,   m = E[v].E[t],
    psi_W     = ((s - E+ s)^2 - Var+ s)/2 + (v^T M_t v + t^T M_v t - 2 tr M_v M_t - 2 m a)/2,

so that the error of q is the standard deviation of psi over sqrt(N). `predict_curve` has the term
(s - E+ s) alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from experiments.interval_checks.config import Config
from fusiontheory.checks import InputError
from fusiontheory.moments import dot_product_moments
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Array

__all__ = ["COLUMNS", "cells", "jackknife_error", "jackknife_rows", "score_accuracy"]

COLUMNS = ["population", "images", "sd", "stated", "jackknife", "accuracy", "normal"]

_MANY = 400_000


def jackknife_error(v: Array, t: Array) -> tuple[float, float, float]:
    """Return q, the error that `predict_curve` states for it and the error by the jackknife.

    Args:
        v: image features, shape (N, d).
        t: one text of each, shape (N, d).

    Raises:
        InputError: for different dimensions.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((1000, 8))
        >>> t = x + np.random.default_rng(1).standard_normal((1000, 8))
        >>> v, t = (y / np.linalg.norm(y, axis=1, keepdims=True) for y in (x, t))
        >>> q, stated, error = jackknife_error(v, t)
        >>> stated < 0.7 * error
        True
    """
    n = len(v)
    second_v, second_t = v.T @ v / n, t.T @ t / n
    known = dot_product_moments(v, t[:, None], second_v, second_t)
    if known is None:
        raise InputError(f"v and t must have one dimension, got {v.shape[1]} and {t.shape[1]}")
    delta = known.difference
    within = (known.matched_variance + known.mismatched_variance) / 2
    stated = (2 * abs(delta) * np.sqrt(known.matched_variance / n)) / within
    stated += known.matched_variance / n / within
    mean_v, mean_t = v.mean(axis=0), t.mean(axis=0)
    scores = np.einsum("nd,nd->n", v, t)
    centred = scores - scores.mean()
    product = float(mean_v @ mean_t)
    alone = v @ mean_t + t @ mean_v - 2 * product
    mismatched = np.einsum("nd,nd->n", v @ second_t, v) + np.einsum("nd,nd->n", t @ second_v, t)
    mismatched -= 2 * np.vdot(second_v, second_t) + 2 * product * alone
    spread = (centred**2 - known.matched_variance + mismatched) / 2
    psi = 2 * delta / within * (centred - alone) - (delta / within) ** 2 * spread
    return delta**2 / within, float(stated), float(psi.std() / np.sqrt(n))


def score_accuracy(v: Array, t: Array) -> tuple[float, float]:
    """Return the accuracy of v.t at the best threshold: of these scores, and of normal ones."""
    matched = np.einsum("nd,nd->n", v, t)
    mismatched = np.einsum("nd,nd->n", v, np.roll(t, 1, axis=0))
    middle = (matched.mean() + mismatched.mean()) / 2
    half = (matched.mean() - mismatched.mean()) / 2
    within = (matched.var() + mismatched.var()) / 2
    own = ((matched > middle).mean() + (mismatched < middle).mean()) / 2
    return float(own), float(norm.cdf(half / np.sqrt(within)))


def cells(config: Config, study: str) -> list[Cell]:
    """Return a cell for each population with few and with many images."""
    code = code_version(jackknife_rows)
    shared = config.settings("samples", "seed")
    return [
        Cell(
            study,
            {**shared, "part": "dot product", "population": population.name, "images": images},
            features="synthetic",
            code=code,
        )
        for population in config.populations
        for images in (config.images[0], config.images[-1])
    ]


def jackknife_rows(cell: Cell, config: Config) -> list[dict[str, Any]]:
    """Return the spread of q, the error stated and by the jackknife, and two accuracies."""
    population = config.population(cell.config["population"])
    rng = np.random.default_rng([config.seed, config.populations.index(population)])
    images = cell.config["images"]
    errors = np.array(
        [jackknife_error(*population.draw(images, rng)) for _ in range(config.samples)]
    )
    own, normal = score_accuracy(*population.draw(_MANY, rng))
    return [
        {
            "sd": float(errors[:, 0].std(ddof=1)),
            "stated": float(np.sqrt((errors[:, 1] ** 2).mean())),
            "jackknife": float(np.sqrt((errors[:, 2] ** 2).mean())),
            "accuracy": own,
            "normal": normal,
        }
    ]
