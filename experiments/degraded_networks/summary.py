"""Predicted beside measured, the lead of concatenation, and the claims that noise decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.network_errors import beside_predictions
from validation.claims import find_claim, judge

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["comparison", "errors", "growth", "leads", "signs", "summary", "verdicts"]

_CELL = ["condition", "head", "n", "sigma"]
_GAP = ["condition", "n", "sigma"]
_CLAIMS = ("gap-under-noise", "chance-under-noise")


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per cell: predicted, measured with its standard error, and error, in points."""
    return beside_predictions(tables, _CELL)


def errors(tables: Tables) -> pd.DataFrame:
    """Return mean and largest error by head: clean, noise, controls, and between the ends."""
    table = comparison(tables)
    part = table["sigma"].gt(0).map({True: "noise", False: "clean"})
    part = part.mask(table["condition"].str.startswith("strength"), "between")
    part = part.mask(table["condition"].str.contains("-rotated|-shuffled"), "controls")
    off = table.assign(part=part, off=table["error"].abs()).groupby(["part", "head"])["off"]
    return off.agg(cells="count", mean="mean", largest="max").reset_index()


def leads(tables: Tables) -> pd.DataFrame:
    """Return the lead of concatenation over each other head, mean and standard error in points."""
    runs = tables["results.csv"].pivot_table("accuracy", [*_GAP, "seed"], "head")
    told = tables["predictions.csv"].pivot_table("predicted", _GAP, "head")
    parts = []
    for other in runs.columns.drop("concat-mlp"):
        lead = (100 * (runs["concat-mlp"] - runs[other])).dropna().groupby(_GAP)
        table = lead.agg(["mean", "sem"]).rename(columns={"mean": "lead", "sem": "se"})
        table["predicted"] = 100 * (told["concat-mlp"] - told[other])
        parts.append(table.assign(other=other).reset_index())
    return pd.concat(parts, ignore_index=True)


def verdicts(tables: Tables) -> pd.DataFrame:
    """Return what the claims about noise are by these runs."""
    judged = [(name, judge(find_claim(name), tables["results.csv"])) for name in _CLAIMS]
    rows = [(name, one.verdict, find_claim(name).expected, one.reason) for name, one in judged]
    return pd.DataFrame(rows, columns=["claim", "verdict", "expected", "reason"])


def growth(tables: Tables) -> pd.DataFrame:
    """Return the growth of the lead from sigma = 0 to 0.1 with its interval, in points."""
    found = judge(find_claim(_CLAIMS[0]), tables["results.csv"]).evidence
    rows = found[found["quantity"].str.startswith("growth") & found["outcome"].ne("context")]
    return 100 * rows[["estimate", "low", "high"]].reset_index(drop=True)


def signs(tables: Tables) -> pd.DataFrame:
    """Return how often the sign of the lead over bilinear is right where the lead is clear.

    Clear is beyond two standard errors. Cells in which both heads are within a point of chance are
    counted apart.
    """
    table = leads(tables)
    table = table[(table["other"] == "bilinear") & (table["lead"].abs() > 2 * table["se"])]
    farthest = comparison(tables).groupby(_GAP)["measured"].agg(lambda x: (x - 50).abs().max())
    table = table.merge(farthest.rename("farthest").reset_index(), on=_GAP)
    table["cells"] = table["farthest"].lt(1).map({True: "at chance", False: "off chance"})
    table["right"] = np.sign(table["lead"]) == np.sign(table["predicted"])
    counted = table.groupby("cells")["right"].agg(["sum", "count"])
    return counted.rename(columns={"sum": "right", "count": "clear"}).reset_index()


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them, in points."""
    if "results.csv" not in tables:
        told = tables["predictions.csv"]
        means = 100 * told.pivot_table("predicted", ["condition", "n", "sigma"], "head")
        return means.round(1).to_string()
    parts = [part(tables) for part in (comparison, errors, leads, signs, growth, verdicts)]
    return "\n\n".join(part.round(2).to_string(index=False) for part in parts)
