"""The numbers of the README, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["summary", "within_reach"]


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, errors, regrets and calibration."""
    if "truth.csv" not in tables:
        tasks = tables["tasks.csv"]
        return f"{len(tasks)} tasks, {len(tables['choices.csv'])} pilots and heads are predicted"
    board = tables["leaderboard.csv"]
    table = tables["reliability.csv"]
    error, bias = table[["error", "bias"]].iloc[0]
    errors = tables["errors.csv"]
    ahead = errors[(errors["n"] == errors["n"].max()) & (errors["n0"] < errors["n"])]
    return "\n".join(
        [
            "mean absolute errors in points, n up to the pilot's",
            within_reach(errors).round(2).to_string(),
            "at the target",
            ahead.drop(columns="n").round(3).to_string(index=False),
            "mean regret at the target, in points",
            board[board["set"] == "all"].round(2).to_string(index=False),
            table[["said", "best", "rows"]].round(3).to_string(index=False),
            f"calibration error {error:.3f}, of which bias {bias:.3f}",
        ]
    )


def within_reach(errors: pd.DataFrame) -> pd.DataFrame:
    """Return errors of risk and accuracy over sizes up to the pilot's, by set and pilot."""
    within = errors[(errors["n"] <= errors["n0"])]
    columns = ["risk_error", "risk_bias", "accuracy_error", "accuracy_bias", "covered"]
    return within.groupby(["set", "n0"])[columns].mean()
