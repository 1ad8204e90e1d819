"""The numbers of the README, from the stored tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = [
    "BAR",
    "by_images",
    "cells",
    "coverage",
    "fourth_run",
    "limits_held",
    "moved",
    "pooled",
    "real_cells",
    "summary",
    "verdict",
]

# Of the study on real features.
COMPARISON = Path(__file__).parents[2] / "docs" / "results" / "ridge_0.1" / "comparison.csv"
_TRUTHS = ("limit", "independent", "measured")
BAR = (0.90, 0.99)


def coverage(results: pd.DataFrame, truth: str) -> pd.Series:
    """Return the share of replicates whose interval holds the truth, by row.

    Args:
        results: as stored.
        truth: "limit", "independent" or "measured".
    """
    missed = results[f"{truth}_below"] + results[f"{truth}_above"]
    return 1 - missed / results["replicates"]


def pooled(results: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return coverage of each truth with its binomial standard error, pooled over populations.

    ``theory_error`` is the mean of |limit - independent| in points, what the theory itself is off
    by; ``sharing`` that of |limit - measured|, where training pairs share images and the limit does
    not know it; ``shared_error`` that of the prediction that knows it.
    """
    rows = []
    for key, part in results.groupby(by, sort=False):
        count = int(part["replicates"].sum())
        names = key if isinstance(key, tuple) else (key,)
        row: dict[str, object] = dict(zip(by, names, strict=True))
        row["intervals"] = count
        for truth in _TRUTHS:
            share = float((coverage(part, truth) * part["replicates"]).sum() / count)
            row[truth] = share
            row[f"{truth}_se"] = float(np.sqrt(share * (1 - share) / count))
        row["stated_se"] = 100 * np.sqrt((part["stated_se"] ** 2).mean())
        row["true_sd"] = 100 * np.sqrt((part["predicted_sd"] ** 2).mean())
        row["bias"] = 100 * (part["predicted"] - part["limit"]).mean()
        row["theory_error"] = 100 * (part["limit"] - part["independent"]).abs().mean()
        row["sharing"] = 100 * (part["limit"] - part["measured"]).abs().mean()
        row["shared_error"] = 100 * (part["predicted_shared"] - part["measured"]).abs().mean()
        rows.append(row)
    return pd.DataFrame(rows)


def by_images(tables: Tables) -> pd.DataFrame:
    """Return `pooled` by head and number of images."""
    return pooled(tables["results.csv"], ["head", "images"])


def limits_held(tables: Tables) -> pd.DataFrame:
    """Return the share of stored intervals that hold the stored limit, by head and images."""
    table = tables["predictions.csv"].merge(tables["limits.csv"], on=["population", "head", "n"])
    table["held"] = (table["low"] <= table["limit"]) & (table["limit"] <= table["high"])
    return table.groupby(["head", "images"], sort=False)["held"].mean().reset_index()


def cells(tables: Tables) -> pd.DataFrame:
    """Return the stored cells once a `truth`, with the share of intervals that hold it (`held`)."""
    return _cells(tables["results.csv"])


def fourth_run(tables: Tables) -> pd.DataFrame:
    """Return `cells` of the run before, whose predictions were not kept."""
    return _cells(tables["results_fourth_run.csv"])


def moved(tables: Tables) -> pd.DataFrame:
    """Return by how much pooled shares differ from the fourth run's, by truth, head and images."""
    keys = ["head", "images"]
    now, before = (
        pooled(tables[name], keys).set_index(keys)[["independent", "measured"]]
        for name in ("results.csv", "results_fourth_run.csv")
    )
    return (now - before).abs().melt(var_name="truth", value_name="moved", ignore_index=False)


def _cells(results: pd.DataFrame) -> pd.DataFrame:
    parts = [results.assign(truth=truth, held=coverage(results, truth)) for truth in _TRUTHS]
    return pd.concat(parts, ignore_index=True)


def real_cells(comparison: pd.DataFrame, errors: float) -> pd.DataFrame:
    """Return the cells of the study on real features whose measured mean is outside the interval.

    Args:
        comparison: `docs/results/ridge_0.1/comparison.csv`.
        errors: standard errors of the measured mean that are allowed on each side.
    """
    slack = errors * comparison["measured_se"]
    low = comparison["predicted_low"] - comparison["measured"] - slack
    high = comparison["measured"] - comparison["predicted_high"] - slack
    return comparison[(low > 0) | (high > 0)]


def summary(tables: Tables) -> str:
    """Return what is predicted or, where it is measured, coverage."""
    if "results.csv" not in tables:
        names = ["population", "head", "images", "n"]
        columns = ["accuracy", "low", "high", "shared", "shared_low", "shared_high"]
        means = tables["predictions.csv"].groupby(names, sort=False)[columns].mean()
        return means.round(4).reset_index().to_string(index=False)
    return verdict(tables["results.csv"])


def verdict(results: pd.DataFrame) -> str:
    """Return coverage by head, images, n and population, and how many cells are in the bar."""
    parts = []
    for by in (["head"], ["head", "images"], ["head", "images", "n"], ["population", "head"]):
        parts.append(pooled(results, by).round(3).to_string(index=False))
    for truth in _TRUTHS:
        inside = coverage(results, truth).between(*BAR)
        parts.append(f"{truth}: {int(inside.sum())} of {len(results)} cells within 90 to 99 %")
    comparison = pd.read_csv(COMPARISON)
    for allowed in (0, 1, 2):
        out = real_cells(comparison, allowed)
        share = 1 - len(out) / len(comparison)
        parts.append(f"real features, {allowed} errors allowed: {share:.1%} of {len(comparison)}")
        if len(out):
            parts.append(out[["condition", "head", "n"]].to_string(index=False))
    return "\n\n".join(parts)
