"""Numbers of docs/predictors.md and docs/trained_heads.md, from the tables of three settings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

TABLES = Path(__file__).resolve().parent / "results" / "trained" / "settings"

_PREDICTED_BY = {
    "tuned": ("best ridge", "best accuracy"),
    "fixed": ("best ridge", "optimiser"),
    "published": ("best ridge", "optimiser", "logit growth"),
}
_HEADS = ("bilinear", "concat-mlp")
_SMALLEST = 2048
_BLIND = ("concat-linear", "image-only", "text-only", "cross-attention")
_LEARNERS = ("low-rank", "gated", "two-way-attention", "token-attention")
HEADS = (*_HEADS, "dot-product", "hadamard", *_LEARNERS, *_BLIND)
_LAZY = 2.0
_GROWN = 1e5


@functools.cache
def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(TABLES / f"{name}.csv")


def distances(
    setting: str, predictor: str, head: str, condition: str, smallest: int = _SMALLEST
) -> pd.Series[float]:
    """Return predicted less measured accuracy in points, by condition, head and n.

    Args:
        setting: "published", "fixed" or "tuned".
        predictor: of the stored predictions.
        head: its name.
        condition: its name, or "all".
        smallest: n from which on.
    """
    runs = _table("measured")
    runs = runs[(runs["setting"] == setting) & (runs["head"] == head) & (runs["n"] >= smallest)]
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
    found = rows[mine & (rows["head"] == head)]
    if found.empty:
        return "–"
    value = found.iloc[0][column]
    return f"{value:.0f}" if column == "cells" else f"{value:.2f}"


def _forecast_ratio(cells: str) -> str:
    """Return the forecast's error over the power law's, over some cells of all settings.

    Args:
        cells: "far", 4 and 8 times.
    """
    rows = _table("forecasts")
    of = rows["times"] >= {"far": 4}[cells]
    off = [
        (rows.loc[of, name] - rows.loc[of, "measured"]).abs() for name in ("forecast", "power_law")
    ]
    return f"{off[0].mean() / off[1].mean():.2f}"


@functools.cache
def _means() -> dict[tuple[str, str, str, int], float]:
    keys = ["setting", "head", "condition", "n"]
    found: dict[Any, float] = _table("measured").set_index(keys)["accuracy"].to_dict()
    return found


def _mean(setting: str, head: str, condition: str, n: str) -> str:
    rows = _means()
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


@functools.cache
def _kernel_errors(rule: str) -> pd.DataFrame:
    """Return kernels in Adam's metric less the fixed setting in points, with the growth.

    The rule "used" takes the derived ridge of heads that are lazy, and the best one of others.
    """
    rows = _table("adam_kernel")
    lazy = _lazy(rows)
    wanted = lazy.map({True: "derived", False: "best"}) if rule == "used" else rule
    rows = rows[rows["ridge_rule"] == wanted]
    measured = _table("measured")
    measured = measured[measured["setting"] == "fixed"]
    both = rows.merge(measured, on=["head", "condition", "n"])
    return both.assign(off=100 * (both["predicted"] - both["accuracy"]).abs())


def _lazy(rows: pd.DataFrame) -> pd.Series[bool]:
    """Return whether the signal grows or shrinks by less than a factor of 2."""
    return rows["growth"].between(1 / _LAZY, _LAZY)


def _kernel(head: str, rule: str, what: str) -> str:
    errors = _kernel_errors(rule)
    if head != "all":
        errors = errors[errors["head"] == head]
    elif what == "mean":
        # Each head counts alike, whatever it was run at.
        return f"{errors.groupby('head')['off'].mean().mean():.1f}"
    return f"{errors['off'].mean() if what == 'mean' else errors['off'].max():.1f}"


def _kernel_from_2048() -> str:
    errors = _kernel_errors("used")
    errors = errors[errors["n"] >= _SMALLEST]
    return f"{errors.groupby('head')['off'].mean().mean():.1f}"


def _kernel_of_seeing(rule: str) -> str:
    errors = _kernel_errors(rule)
    errors = errors[~errors["head"].isin(_BLIND)]
    return f"{errors.groupby('head')['off'].mean().mean():.1f}"


def _lazy_error(lazy: str) -> str:
    errors = _kernel_errors("derived")
    errors = errors[~errors["head"].isin(_BLIND)]
    mine = errors[_lazy(errors) == (lazy == "lazy")]
    return f"{mine.groupby('head')['off'].mean().mean():.1f}"


def _grown_error(condition: str, threshold: str) -> str:
    """Return the mean error of heads if the best ridge is that of a growth from a threshold on.

    Heads without a signal that is seen have the best ridge too, as in the rule "used".
    """
    derived, best = (_kernel_errors(rule) for rule in ("derived", "best"))
    both = derived.merge(best, on=["head", "condition", "n"], suffixes=("", "_best"))
    least = {"lazy": _LAZY, "grown": _GROWN}[threshold]
    stays = both["growth"].abs() < least
    off = both["off"].where(stays, both["off_best"])
    kept = off[(both["condition"] == condition) | (condition == "all")]
    return f"{kept.groupby(both['head']).mean().mean():.1f}"


def _grown_right(condition: str) -> str:
    """Return in how many per cent of cells the threshold names the nearer of two unlike ridges.

    Cells of heads that are not linear in their parameters, with a signal, whose two predictions are
    off by more than a point less or more than each other.
    """
    derived, best = (_kernel_errors(rule) for rule in ("derived", "best"))
    both = derived.merge(best, on=["head", "condition", "n"], suffixes=("", "_best"))
    both = both[both["growth"].notna() & ~_lazy(both) & (both["condition"] == condition)]
    both = both[(both["off"] - both["off_best"]).abs() > 1]
    right = (both["growth"].abs() >= _GROWN) == (both["off_best"] < both["off"])
    return f"{100 * right.mean():.0f}"


def _least_growth() -> str:
    rows = _table("adam_kernel")
    return f"{rows[rows['growth'] > _LAZY]['growth'].min():.0f}"


def _learned(kind: str, condition: str, n: str) -> str:
    rows = _table("feature_learning")
    mine = (rows["condition"] == condition) & (rows["n"] == int(n)) & (rows["learned"] == kind)
    return f"{100 * rows[mine]['accuracy'].mean():.1f}"


def _learned_error(kind: str, condition: str, what: str) -> str:
    rows = _table("feature_learning")
    rows = rows[(rows["learned"] == kind) & (rows["condition"] == condition)]
    means = rows.groupby("n")["accuracy"].mean()
    measured = _table("measured")
    mine = (measured["setting"] == "tuned") & (measured["head"] == "concat-mlp")
    tuned = measured[mine & (measured["condition"] == condition)].set_index("n")["accuracy"]
    off = 100 * (means - tuned).dropna().abs()
    return f"{off.mean() if what == 'mean' else off.max():.1f}"


def _rounds_off(condition: str, step: str) -> str:
    """Return how far rounds of the recursive feature machine are from the tuned MLP, mean over n.

    Args:
        condition: its name.
        step: rounds after the first gradient, or "plain".
    """
    rows = _table("metric_rounds")
    wanted = -1 if step == "plain" else int(step)
    rows = rows[(rows["condition"] == condition) & (rows["round"] == wanted)]
    means = rows.groupby("n")["accuracy"].mean()
    tuned = [_means()["tuned", "concat-mlp", condition, n] for n in means.index]
    return f"{100 * (means - tuned).abs().mean():.1f}"


def _repeated(what: str) -> str:
    return str(int(_table("repeated")[what].sum()))


def _seconds(predictor: str, head: str) -> str:
    rows = _table("cost").set_index(["predictor", "head"])
    seconds = float(rows.loc[(predictor, head), "seconds"])
    return f"{seconds:.1f}" if seconds >= 0.1 else f"{seconds:.2f}"


def _between(predictor: str, head: str, what: str) -> str:
    off = _table("between")
    off = off[(off["predictor"] == predictor) & (off["head"] == head)]["points"].abs()
    return f"{off.mean() if what == 'mean' else off.max():.1f}"


def numbers() -> dict[str, Callable[[], str]]:
    """Return each number's function by its name."""
    by_name: dict[str, Callable[[], str]] = {}

    def add(function: Callable[..., str], *place: str) -> None:
        kind = function.__name__.strip("_")
        name = "_".join((kind, *place)).replace(" ", "_").replace("-", "_").replace(".0", "")
        by_name[name] = functools.partial(function, *place)

    for setting, predictors in _PREDICTED_BY.items():
        for predictor in predictors:
            places = product(_HEADS, ("aligned", "unaligned", "all"), ("mean", "largest"))
            for place in places:
                add(_distance, setting, predictor, *place)
            for column in ("sign_right", "sign_clear"):
                add(_sign, setting, predictor, column)
    heads = (*HEADS, "all")
    columns = ("forecast_points", "power_law_points", "ratio", "coverage", "cells")
    for place in product(("2.0", "4.0", "8.0", "all"), heads, columns):
        add(_forecast, *place)
    add(_forecast_ratio, "far")
    timed = ("best ridge", "optimiser", "logit growth", "forecast", "own kernel")
    for place in product((*timed, "stored tangent kernel", "power law"), _HEADS):
        add(_seconds, *place)
    add(_seconds, "first gradient", "concat-mlp")
    for place in product(("optimiser", "logit growth"), _HEADS, ("mean", "largest")):
        add(_between, *place)
    rules = ("derived", "1 % of the diagonal", "0.01 % of the diagonal")
    for head, rule, what in product(("concat-mlp", "low-rank"), rules, ("mean", "largest")):
        words = rule.split()[0].replace(".", "")
        name = f"tangent_{head}_{words}_{what}".replace("-", "_")
        by_name[name] = functools.partial(_tangent, head, rule, what)
    _add_kernels(add)
    conditions, sizes = ("aligned", "unaligned"), (512, 1024, 2048, 4096, 8192, 16384)
    for place in product(_PREDICTED_BY, HEADS, conditions, map(str, sizes)):
        add(_mean, *place)
    return by_name


def _add_kernels(add: Callable[..., None]) -> None:
    """Add the numbers of kernels in Adam's metric and of those that learn features."""
    for place in product((*HEADS, "all"), ("derived", "best", "used"), ("mean", "largest")):
        add(_kernel, *place)
    add(_kernel_of_seeing, "used")
    add(_kernel_from_2048)
    add(_least_growth)
    for lazy in ("lazy", "other"):
        add(_lazy_error, lazy)
    for place in product(("aligned", "unaligned", "all"), ("lazy", "grown")):
        add(_grown_error, *place)
    for condition in ("aligned", "unaligned"):
        add(_grown_right, condition)
    kinds, conditions = ("plain", "fitted", "first gradient"), ("aligned", "unaligned")
    for place in product(kinds, conditions, ("512", "1024", "2048", "4096")):
        add(_learned, *place)
    for place in product(kinds, conditions, ("mean", "largest")):
        add(_learned_error, *place)
    for place in product(conditions, ("plain", "0", "2", "5")):
        add(_rounds_off, *place)
    for what in ("runs", "equal"):
        add(_repeated, what)
