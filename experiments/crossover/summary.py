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

__all__ = ["both", "predicted_text", "summary", "verdict"]

# In units of the standard error of the measured gap.
_CLEAR = 2.0
FORMULAS = ["predicted", "least_squares", "orders", "orders_alignment"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the verdict."""
    config = _config_of(tables["predictions.csv"])
    text = predicted_text(config, tables["predictions.csv"])
    if "results.csv" not in tables:
        return text
    return text + "\n" + verdict(config, both(tables), tables["crossings.csv"])


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


def verdict(config: Config, results: pd.DataFrame, crossings: pd.DataFrame) -> str:
    """Return agreement on winners and on crossovers, for each ridge and each theory."""
    results = results.merge(crossings[[*CELL, *FORMULAS]], on=CELL, validate="many_to_one")
    lines = []
    for ridge, rows in results.groupby("ridge"):
        lines += _winners(f"ridge {ridge:g}", rows)
        lines += [_winners(f"ridge {ridge:g}, n = {n}", rows[rows["n"] == n])[0] for n in config.n]
        lines += _risks(f"ridge {ridge:g}", rows)
        lines += _ratios(f"ridge {ridge:g}", crossings[crossings["ridge"] == ridge])
        lines.append(_alignment(f"ridge {ridge:g}", config, crossings[crossings["ridge"] == ridge]))
    return "\n".join(lines)


def _winners(name: str, rows: pd.DataFrame) -> list[str]:
    """Say in how many points each theory names the winner, where the data show one."""
    clear = rows[rows["gap"].abs() > _CLEAR * rows["gap_se"]]
    bilinear = clear["gap"] > 0
    named = {"sharp": clear["predicted_additive"] > clear["predicted_bilinear"]}
    for formula in ("least_squares", "orders", "orders_alignment"):
        named[formula] = clear["n"] > clear[formula]
    named["always additive"] = pd.Series(False, index=clear.index)
    return [
        f"{name}, winner by {formula}: {(said == bilinear).sum()} of {len(clear)} clear points"
        f" right ({(said == bilinear).mean():.2%}); {len(rows) - len(clear)} not clear"
        for formula, said in named.items()
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


def _ratios(name: str, rows: pd.DataFrame) -> list[str]:
    """Compare n* over the cells in which both are within the range of n."""
    inside = np.isfinite(rows["measured"]) & (rows["measured"] > 0)
    lines = [
        f"{name}, measured n*: {_census(rows['measured'])}; median relative standard error"
        f" {rows['log_se'][inside].replace(np.inf, np.nan).median():.2%}"
    ]
    for formula in FORMULAS:
        both = rows[inside & np.isfinite(rows[formula]) & (rows[formula] > 0)]
        ratio = both[formula] / both["measured"]
        low, high = (ratio.quantile(q) for q in (0.05, 0.95))
        error = np.log(ratio).abs() / both["log_se"]
        lines.append(
            f"{name}, {formula} n* over measured: {len(both)} of {inside.sum()} cells, median"
            f" {ratio.median():.3f}, 5 to 95 % {low:.3f} to {high:.3f};"
            f" {(ratio.sub(1).abs() <= 0.1).mean():.0%} within 10 %,"
            f" {(error < _CLEAR).mean():.0%} within {_CLEAR:g} standard errors"
        )
    return lines


def _alignment(name: str, config: Config, rows: pd.DataFrame) -> str:
    """Say by how much alignment moves n* at a given interaction, measured and predicted."""
    ends = []
    for rho in (config.correlations[0], config.correlations[-1]):
        ends.append(rows[rows["correlation"] == rho].set_index("interaction"))
    ratios = []
    for column in ("measured", "predicted"):
        first, last = (end[column] for end in ends)
        held = np.isfinite(first) & np.isfinite(last) & (first > 0) & (last > 0)
        ratio = (last / first)[held]
        ratios.append(
            f"{column} {ratio.median():.3f} ({ratio.min():.3f} to {ratio.max():.3f},"
            f" {held.sum()} shares)"
        )
    return (
        f"{name}, n* at correlation {config.largest_correlation:g} over that at 0, median over"
        f" interaction shares: {'; '.join(ratios)}"
    )
