"""Predictions against truths: errors of curves, regret of each rule, calibration of P(best)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fusiontheory.typing import Array

__all__ = ["SETS", "curve_errors", "leaderboard", "reliability"]


PILOT = ["task", "pilot", "n0"]
SETS = {
    "synthetic": "synthetic worlds",
    "digits": "digit views (seen before)",
    "other": "planted on digits, Wikipedia, fashion",
}
_REPEATS = 100


def _with_set(table: pd.DataFrame) -> pd.DataFrame:
    """Add the set of each task, and repeat the rows with the set ``all``."""
    world = table["task"].str.startswith("world")
    names = np.where(world, "synthetic", np.where(table["family"] == "digits", "digits", "other"))
    return pd.concat([table.assign(set=names), table.assign(set="all")], ignore_index=True)


def curve_errors(curves: pd.DataFrame, truth: pd.DataFrame, target: int) -> pd.DataFrame:
    """Return mean absolute errors in points, signed ones, coverage and width, by set and size.

    ``covered_error`` is the standard error of ``covered`` over tasks.
    The flat curve and the power law are compared at the target, over heads that have both.
    """
    both = curves.merge(truth, on=["task", "n", "head"])
    classes = both["classes"] > 0
    power = (both["n"] == target) & (both["n0"] < target) & both["power"].notna()
    columns = {
        "risk_error": 100 * (both["risk"] - both["true_risk"]).abs(),
        "risk_bias": 100 * (both["risk"] - both["true_risk"]),
        "accuracy_error": (100 * (both["accuracy"] - both["true_accuracy"]).abs()).where(classes),
        "accuracy_bias": (100 * (both["accuracy"] - both["true_accuracy"])).where(classes),
        "kernel_error": (100 * (both["risk"] - both["true_risk"]).abs()).where(power),
        "flat_error": (100 * (both["flat"] - both["true_risk"]).abs()).where(power),
        "power_error": (100 * (both["power"] - both["true_risk"]).abs()).where(power),
        "covered": both["true_risk"].between(both["low"], both["high"]).astype(float),
        "width": both["high"] - both["low"],
        "accuracy_covered": both["true_accuracy"]
        .between(both["accuracy_low"], both["accuracy_high"])
        .where(classes),
        "accuracy_width": (both["accuracy_high"] - both["accuracy_low"]).where(classes),
    }
    table = _with_set(both.assign(**columns))
    table["accuracy_covered"] = table["accuracy_covered"].astype(float)
    grouped = table.groupby(["set", "n0", "n"])
    result = grouped[list(columns)].mean()
    by_task = table.groupby(["set", "n0", "n", "task"])["covered"].mean()
    tasks = by_task.groupby(["set", "n0", "n"])
    result["covered_error"] = tasks.std() / np.sqrt(tasks.size())
    result["tasks"] = grouped["task"].nunique()
    return result.reset_index().round(4)


def picks(group: pd.DataFrame) -> dict[str, str]:
    """Return the head that each rule takes, for one pilot; rules without a value are left out."""
    table = group.set_index("head")
    rules = {
        "advice": -table["advised_risk"],
        "forecast alone": -table["forecast"],
        "cross-validated accuracy": table["cv_accuracy"],
        "cross-validated risk": -table["cv_risk"],
        "power law": -table["power"],
        "LogME": table["evidence"],
        "H-score": table["h_score"],
    }
    found = {
        rule: str(values.idxmax()) for rule, values in rules.items() if bool(values.notna().any())
    }
    return {**found, **{f"always {head}": str(head) for head in table.index}}


def regrets(choices: pd.DataFrame, truth: pd.DataFrame, target: int) -> pd.DataFrame:
    """Return a row for each pilot below the target and rule, with the regret in points."""
    both = choices[choices["n0"] < target].merge(
        truth[truth["n"] == target], on=["task", "head"], validate="many_to_one"
    )
    rows = []
    for keys, group in both.groupby([*PILOT, "family"]):
        accuracy = group.set_index("head")["true_accuracy"]
        rows += [
            (*keys, rule, 100 * (accuracy.max() - accuracy[head]))
            for rule, head in picks(group).items()
        ]
    return pd.DataFrame(rows, columns=[*PILOT, "family", "rule", "regret"])


def leaderboard(choices: pd.DataFrame, truth: pd.DataFrame, target: int) -> pd.DataFrame:
    """Return the mean regret of each rule, and how far it is above the advice's, with its error.

    The error is over tasks: pilots of one task are averaged first. ``share`` is the advice's
    regret over the rule's, over the tasks that have both.
    """
    table = _with_set(regrets(choices, truth, target))
    rows = []
    for (name, n0), part in table.groupby(["set", "n0"]):
        wide = part.pivot_table(index="task", columns="rule", values="regret")
        for rule in wide.columns:
            known = wide[rule].notna()
            own, ours = wide.loc[known, rule], wide.loc[known, "advice"]
            gap = own - ours
            error, share = gap.std() / np.sqrt(len(gap)), ours.mean() / max(own.mean(), 1e-12)
            rows.append((name, n0, rule, own.mean(), gap.mean(), error, share, len(gap)))
    names = ["set", "n0", "rule", "regret", "above_advice", "error", "share", "tasks"]
    return pd.DataFrame(rows, columns=names).sort_values(["set", "n0", "regret"]).round(4)


def _calibration_error(said: Array, best: Array) -> float:
    """Return the expected calibration error in ten bins."""
    bins = np.minimum((said * 10).astype(int), 9)
    gap = np.abs(np.bincount(bins, said, 10) - np.bincount(bins, best, 10))
    return float(gap.sum() / len(said))


def reliability(choices: pd.DataFrame, truth: pd.DataFrame, target: int) -> pd.DataFrame:
    """Return said and true shares of "best" in ten bins, and the calibration error.

    ``bias`` is the error that probabilities would have that are right, at this number of rows.
    """
    below = choices[choices["n0"] < target]
    both = below.merge(truth[truth["n"] == target], on=["task", "head"])
    keys = [both[k] for k in PILOT]
    tied = both["true_accuracy"] == both.groupby(PILOT)["true_accuracy"].transform("max")
    both["best"] = tied / tied.groupby(keys).transform("sum")
    said, best = both["p_best"].to_numpy(), both["best"].to_numpy(float)
    both["bin"] = np.minimum((said * 10).astype(int), 9)
    table = both.groupby("bin").agg(
        said=("p_best", "mean"), best=("best", "mean"), rows=("best", "size")
    )
    rng, errors = np.random.default_rng(0), []
    groups = [g["p_best"].to_numpy() for _, g in both.groupby(PILOT, sort=False)]
    flat = np.concatenate(groups)
    for _ in range(_REPEATS):
        drawn = [np.eye(len(p))[rng.choice(len(p), p=p / p.sum())] for p in groups]
        errors.append(_calibration_error(flat, np.concatenate(drawn)))
    table["error"] = _calibration_error(said, best)
    table["bias"] = float(np.mean(errors))
    return table.reset_index().round(4)
