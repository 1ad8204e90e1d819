"""The numbers of the prediction and of the verdict, from tables alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.crossover.config import CELL, Config
from experiments.crossover.crossings import last_crossing

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = [
    "alignment",
    "both",
    "predicted_text",
    "ratios",
    "summary",
    "verdict",
    "winners",
]

# In units of the standard error of the measured gap.
_CLEAR = 2.0
FORMULAS = ["predicted", "least_squares", "orders", "orders_alignment"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    config = _config_of(tables["predictions.csv"])
    text = predicted_text(config, tables["predictions.csv"])
    if "results.csv" not in tables:
        return text
    return text + "\n" + verdict(config, tables)


def _config_of(predicted: pd.DataFrame) -> Config:
    """Return the settings that the table was made with, as far as the texts name them."""
    return replace(
        Config(),
        n=tuple(predicted["n"].unique().tolist()),
        cells=predicted["correlation"].nunique(),
        largest_correlation=float(predicted["correlation"].max()),
    )


def both(tables: Tables) -> pd.DataFrame:
    """Return the stored results beside their predictions."""
    return tables["results.csv"].merge(
        tables["predictions.csv"], on=[*CELL, "n"], validate="one_to_one"
    )


def predicted_text(config: Config, predicted: pd.DataFrame) -> str:
    """Say what the closed forms expect: who wins where, and from which n."""
    lines = []
    gap = np.log(predicted["predicted_additive"] / predicted["predicted_bilinear"])
    predicted = predicted.assign(gap=gap)
    for ridge, rows in predicted.groupby("ridge"):
        for n in config.n:
            held = rows[rows["n"] == n]
            edges = []
            for rho in (config.correlations[0], config.correlations[-1]):
                column = held[held["correlation"] == rho]
                edges.append(_edge(column["interaction"].to_numpy(), column["gap"].to_numpy()))
            lines.append(
                f"ridge {ridge:g}, n = {n}: bilinear wins {(held['gap'] > 0).mean():.1%} of the"
                f" cells, from an interaction of {edges[0]:.3f} (correlation 0) and"
                f" {edges[1]:.3f} ({config.largest_correlation:g})"
            )
        stars = pd.Series(
            {
                place: last_crossing(curve["n"].to_numpy(float), curve["gap"].to_numpy())
                for place, curve in rows.groupby(CELL)
            }
        )
        lines.append(f"ridge {ridge:g}, n*: {_census(stars)}")
    return "\n".join(lines)


def _edge(interaction: np.ndarray, gap: np.ndarray) -> float:
    """Return the interaction share above which the gap is above 0."""
    if gap[-1] <= 0:
        return float("inf")
    below = np.flatnonzero(gap <= 0)
    if below.size == 0:
        return 0.0
    k = below[-1]
    step = interaction[k + 1] - interaction[k]
    return float(interaction[k] - gap[k] / (gap[k + 1] - gap[k]) * step)


def _census(stars: pd.Series) -> str:
    finite = stars[np.isfinite(stars) & (stars > 0)]
    return (
        f"{(stars == 0).sum()} cells below the range, {len(finite)} in it"
        f" ({finite.min():.0f} to {finite.max():.0f}), {np.isinf(stars).sum()} beyond or never"
    )


def verdict(config: Config, tables: Tables) -> str:
    """Return agreement on winners and on crossovers, for each ridge and each theory."""
    lines, crossings = [], tables["crossings.csv"]
    named, stars, moved = winners(tables), ratios(tables), alignment(tables)
    for ridge, rows in both(tables).groupby("ridge"):
        name, own = f"ridge {ridge:g}", named[named["ridge"] == ridge]
        lines += _winners(name, own, len(rows))
        for n in config.n:
            points = int((rows["n"] == n).sum())
            lines.append(_winners(f"{name}, n = {n}", own[own["n"] == n], points)[0])
        lines += _risks(name, rows)
        lines += _ratios(
            name, crossings[crossings["ridge"] == ridge], stars[stars["ridge"] == ridge]
        )
        lines.append(_alignment(name, moved[moved["ridge"] == ridge]))
    return "\n".join(lines)


def winners(tables: Tables) -> pd.DataFrame:
    """Return every point in which the data show a winner, once for each theory that names one.

    Returns:
        the columns of ``results.csv`` and ``predictions.csv``, `theory`, and `right`.
    """
    points = both(tables).merge(tables["crossings.csv"][[*CELL, *FORMULAS]], on=CELL)
    clear = points[points["gap"].abs() > _CLEAR * points["gap_se"]]
    named = {"sharp": clear["predicted_additive"] > clear["predicted_bilinear"]}
    for formula in ("least_squares", "orders", "orders_alignment"):
        named[formula] = clear["n"] > clear[formula]
    named["always additive"] = pd.Series(False, index=clear.index)
    parts = [
        clear.assign(theory=theory, right=said == (clear["gap"] > 0))
        for theory, said in named.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _winners(name: str, rows: pd.DataFrame, points: int) -> list[str]:
    """Say in how many points each theory names the winner, where the data show one."""
    return [
        f"{name}, winner by {theory}: {part['right'].sum()} of {len(part)} clear points"
        f" right ({part['right'].mean():.2%}); {points - len(part)} not clear"
        for theory, part in rows.groupby("theory", sort=False)
    ]


def _risks(name: str, rows: pd.DataFrame) -> list[str]:
    lines = []
    for head in ("additive", "bilinear"):
        error = rows[f"predicted_{head}"] / rows[head] - 1
        lines.append(
            f"{name}, {head} risk: relative error mean {error.abs().mean():.2%}, signed"
            f" {error.mean():+.2%}, largest {error.abs().max():.2%}"
        )
    return lines


def ratios(tables: Tables) -> pd.DataFrame:
    """Return n* of each theory over the measured one, in cells where both are within the sizes.

    Returns:
        ridge, correlation, interaction, `formula`, `ratio`, and `deviation` of its logarithm in
        standard errors of the measured one.
    """
    rows = tables["crossings.csv"]
    rows = rows[np.isfinite(rows["measured"]) & (rows["measured"] > 0)]
    parts = []
    for formula in FORMULAS:
        known = rows[np.isfinite(rows[formula]) & (rows[formula] > 0)]
        ratio = known[formula] / known["measured"]
        off = np.log(ratio).abs() / known["log_se"]
        parts.append(known[CELL].assign(formula=formula, ratio=ratio, deviation=off))
    found: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return found


def alignment(tables: Tables) -> pd.DataFrame:
    """Return by what factor alignment moves n* at a given interaction.

    Returns:
        ridge, interaction, `source` (measured or predicted), and `ratio` of n* at the largest
        correlation to that at none, where both are within the sizes.
    """
    rows = tables["crossings.csv"]
    key = ["ridge", "interaction"]
    first, last = (
        rows[rows["correlation"] == rho].set_index(key)
        for rho in (rows["correlation"].min(), rows["correlation"].max())
    )
    ratio = (last / first)[["measured", "predicted"]].melt(
        ignore_index=False, var_name="source", value_name="ratio"
    )
    found: pd.DataFrame = ratio[np.isfinite(ratio["ratio"]) & (ratio["ratio"] > 0)].reset_index()
    return found


def _ratios(name: str, rows: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """Compare n* over the cells in which both are within the range of n."""
    inside = np.isfinite(rows["measured"]) & (rows["measured"] > 0)
    lines = [
        f"{name}, measured n*: {_census(rows['measured'])}; median relative standard error"
        f" {rows['log_se'][inside].replace(np.inf, np.nan).median():.2%}"
    ]
    for formula, part in found.groupby("formula", sort=False):
        ratio = part["ratio"]
        low, high = (ratio.quantile(q) for q in (0.05, 0.95))
        lines.append(
            f"{name}, {formula} n* over measured: {len(part)} of {inside.sum()} cells, median"
            f" {ratio.median():.3f}, 5 to 95 % {low:.3f} to {high:.3f};"
            f" {(ratio.sub(1).abs() <= 0.1).mean():.0%} within 10 %,"
            f" {(part['deviation'] < _CLEAR).mean():.0%} within {_CLEAR:g} standard errors"
        )
    return lines


def _alignment(name: str, found: pd.DataFrame) -> str:
    """Say by how much alignment moves n* at a given interaction, measured and predicted."""
    parts = [
        f"{source} {rows['ratio'].median():.3f} ({rows['ratio'].min():.3f} to"
        f" {rows['ratio'].max():.3f}, {len(rows)} shares)"
        for source, rows in found.groupby("source")
    ]
    return (
        f"{name}, n* at the largest correlation over that at 0, median over interaction"
        f" shares: {'; '.join(parts)}"
    )
