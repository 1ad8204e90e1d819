"""The numbers of docs/predictors.md, from docs/results/trained/settings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pandas as pd

TABLES = Path(__file__).resolve().parent / "results" / "trained" / "settings"

_PREDICTED_BY = {
    "tuned": ("best ridge", "best accuracy"),
    "fixed": ("best ridge", "optimiser"),
    "published": ("best ridge", "optimiser"),
}
_HEADS = ("bilinear", "concat-mlp")
_SMALLEST = 2048
HEADS = (*_HEADS, "dot-product", "hadamard", "low-rank", "concat-linear")


def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(TABLES / f"{name}.csv")


def distances(setting: str, predictor: str, head: str, condition: str) -> pd.Series[float]:
    """Return predicted less measured accuracy in points, over n from 2048.

    Args:
        setting: "published", "fixed" or "tuned".
        predictor: of the stored predictions.
        head: its name.
        condition: its name, or "all".
    """
    runs = _table("measured")
    runs = runs[(runs["setting"] == setting) & (runs["head"] == head) & (runs["n"] >= _SMALLEST)]
    told = _table("predicted")
    of_setting = "fixed and tuned" if predictor.startswith("best") else setting
    told = told[(told["setting"] == of_setting) & (told["predictor"] == predictor)]
    if condition != "all":
        runs = runs[runs["condition"] == condition]
    measured = runs.set_index(["condition", "head", "n"])["accuracy"]
    predicted = told.set_index(["condition", "head", "n"])["predicted"]
    return (100 * (predicted - measured)).dropna()


def _distance(setting: str, predictor: str, head: str, condition: str, what: str) -> str:
    off = distances(setting, predictor, head, condition).abs()
    return f"{off.mean() if what == 'mean' else off.max():.1f}"


def _sign(setting: str, predictor: str, column: str) -> str:
    rows = _table("errors").set_index(["setting", "predictor", "scope", "of"])
    return str(int(rows.loc[(setting, predictor, "head", "bilinear"), column]))


def _forecast(times: str, head: str, column: str) -> str:
    rows = _table("forecast_errors")
    mine = (rows["setting"] == "all") & (rows["times"].astype(str) == times)
    value = rows[mine & (rows["head"] == head)].iloc[0][column]
    return f"{value:.0f}" if column == "cells" else f"{value:.2f}"


def _mean(setting: str, head: str, condition: str, n: str) -> str:
    rows = _table("measured").set_index(["setting", "head", "condition", "n"])["accuracy"]
    place = (setting, head, condition, int(n))
    return f"{100 * rows[place]:.1f}" if place in rows else "–"


def _tangent(head: str, rule: str, what: str) -> str:
    rows = _table("tangent")
    rows = rows[(rows["metric"] == "plain") & (rows["n"] >= _SMALLEST) & (rows["head"] == head)]
    measured = _table("measured")
    measured = measured[measured["setting"] == "fixed"]
    both = rows[rows["ridge_rule"] == rule].merge(measured, on=["head", "condition", "n"])
    off = 100 * (both["predicted"] - both["accuracy"]).abs()
    return f"{off.mean() if what == 'mean' else off.max():.1f}"


def _seconds(predictor: str, head: str) -> str:
    rows = _table("cost").set_index(["predictor", "head"])
    return f"{float(rows.loc[(predictor, head), 'seconds']):.1f}"


def _between(head: str, what: str) -> str:
    off = _table("between")
    off = off[off["head"] == head]["points"].abs()
    return f"{off.mean() if what == 'mean' else off.max():.1f}"


def numbers() -> dict[str, Callable[[], str]]:
    """Return each number's function by its name."""
    found: dict[str, Callable[[], str]] = {}

    def add(function: Callable[..., str], *place: str) -> None:
        kind = function.__name__.strip("_")
        name = "_".join((kind, *place)).replace(" ", "_").replace("-", "_").replace(".0", "")
        found[name] = functools.partial(function, *place)

    for setting, predictors in _PREDICTED_BY.items():
        for predictor in predictors:
            places = product(_HEADS, ("aligned", "unaligned", "all"), ("mean", "largest"))
            for place in places:
                add(_distance, setting, predictor, *place)
            for column in ("sign_right", "sign_clear"):
                add(_sign, setting, predictor, column)
    heads = (*_HEADS, "dot-product", "hadamard", "low-rank", "all")
    columns = ("forecast_points", "power_law_points", "ratio", "coverage", "cells")
    for place in product(("2.0", "4.0", "8.0", "all"), heads, columns):
        add(_forecast, *place)
    for place in product(("best ridge", "optimiser", "forecast"), _HEADS):
        add(_seconds, *place)
    for place in product(_HEADS, ("mean", "largest")):
        add(_between, *place)
    rules = ("derived", "1 % of the diagonal", "0.01 % of the diagonal")
    for head, rule, what in product(("concat-mlp", "low-rank"), rules, ("mean", "largest")):
        words = rule.split()[0].replace(".", "")
        name = f"tangent_{head}_{words}_{what}".replace("-", "_")
        found[name] = functools.partial(_tangent, head, rule, what)
    conditions, sizes = ("aligned", "unaligned"), (512, 1024, 2048, 4096, 8192, 16384)
    for place in product(_PREDICTED_BY, HEADS, conditions, map(str, sizes)):
        add(_mean, *place)
    return found
