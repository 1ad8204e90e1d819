"""The excess risk that is predicted, with what counts as a parameter."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.rank.config import Config
from fusiontheory.checks import ValidityWarning
from fusiontheory.risk import LowRankTarget, low_rank_dimension, low_rank_risk, product_ridge_risk
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["cone_dimension", "predict", "predictions"]


def predict(config: Config, _: Records) -> Tables:
    """Return what the harness freezes."""
    return {"predictions.csv": predictions(config)}


def predictions(config: Config) -> pd.DataFrame:
    """Return a row per head, target and n with the excess risk that is predicted.

    ``dimension`` counts r (2 d - r), or d^2 for the full head; ``effective`` is the count whose
    excess s^2 k / (n - k - 1) is predicted: the dimension, or for a head of more rank than the
    target that of the tangent cone (`cone_dimension`). It is NaN where another formula holds.
    """
    rows: list[dict[str, Any]] = []
    for target_rank, head_rank, draws in config.pairs:
        dimension = low_rank_dimension(config.d, config.d, head_rank)
        effective, missing = float(dimension), None
        if head_rank < target_rank:
            effective = float("nan")
            missing = _missing_rank(config, target_rank, head_rank)
        elif head_rank > target_rank:
            effective = cone_dimension(config, target_rank, head_rank)
        for k, n in enumerate(config.n):
            room = n - effective - 1
            excess = missing[k] if missing is not None else np.inf
            if missing is None and room > 0:
                excess = config.noise * effective / room
            rows.append(
                {
                    "head": "low-rank",
                    "target_rank": target_rank,
                    "head_rank": head_rank,
                    "ridge": 0.0,
                    "n": n,
                    "dimension": dimension,
                    "effective": effective,
                    "predicted": float(excess),
                    "draws": draws,
                }
            )
    return pd.DataFrame(rows + _full(config))


def _missing_rank(config: Config, target_rank: int, head_rank: int) -> Array:
    """Return the predicted excess of a head of too low a rank, what it leaves out included."""
    coefficients = config.configuration(target_rank).coefficients
    target = LowRankTarget(
        config.d,
        config.d,
        head_rank,
        np.asarray(np.linalg.svd(coefficients.bilinear, compute_uv=False), np.float64),
        config.noise,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)  # the README says where it is no guide
        return np.asarray(low_rank_risk(target, list(config.n)) - config.noise)


def _full(config: Config) -> list[dict[str, Any]]:
    """Return rows of the full head, the same prediction for every target: features are flat."""
    flat, power = np.full(config.d, 1 / config.d), np.full((config.d, config.d), config.d**-2.0)
    rows: list[dict[str, Any]] = []
    for ridge in (0.0, config.best_ridge):
        risk = product_ridge_risk(flat, flat, power, list(config.n), ridge, config.noise)
        rows += [
            {
                "head": "full",
                "target_rank": rank,
                "head_rank": config.d,
                "ridge": ridge,
                "n": n,
                "dimension": config.d**2,
                "effective": float("nan"),
                "predicted": float(value - config.noise),
                "draws": config.full_draws,
            }
            for rank in config.target_ranks
            for n, value in zip(config.n, risk, strict=True)
        ]
    return rows


def cone_dimension(config: Config, target_rank: int, head_rank: int) -> float:
    """Return the mean squared length of a normal vector's projection on the tangent cone.

    At a matrix of rank r0 the matrices of rank r > r0 have the tangent cone of the r0 (2 d - r0)
    tangent directions and, off them, all (d - r0) x (d - r0) matrices of rank r - r0. Noise N
    projected on those keeps its r - r0 largest singular values: the count is
    r0 (2 d - r0) + E[sum_{i <= r - r0} sigma_i(N)^2], which is d^2 at r = d.
    """
    rest = config.d - target_rank
    generator = np.random.default_rng([config.seed, target_rank, head_rank])
    noise = generator.standard_normal((config.cone_draws, rest, rest))
    values = np.linalg.svd(noise, compute_uv=False)[:, : head_rank - target_rank]
    inside = low_rank_dimension(config.d, config.d, target_rank)
    return inside + float((values**2).sum(axis=1).mean())
