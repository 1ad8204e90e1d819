"""The search of hyper-parameters: one grid for every head, judged on dev pairs alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from validation.trained.variant import Variant

__all__ = ["choices", "chosen_table"]

_PLACE = ["condition", "head", "n"]


def chosen_table(runs: pd.DataFrame, tried: int) -> pd.DataFrame:
    """Return the best learning rate and weight decay of each condition, head and n.

    Best is the highest dev accuracy, of equal ones the lowest dev loss; a run that diverged is
    none. Only a search that is complete counts.

    Args:
        runs: of the search.
        tried: number of settings that a complete search has.

    Returns:
        Columns condition, head, n, learning_rate, weight_decay, dev_accuracy, tried and diverged;
        no test accuracy.
    """
    rows = []
    for place, part in runs.groupby(_PLACE, sort=False):
        if len(part) < tried or part["dev_accuracy"].isna().all():
            continue
        ranked = part.sort_values(["dev_accuracy", "dev_loss"], ascending=[False, True])
        best = ranked[["learning_rate", "weight_decay", "dev_accuracy"]].iloc[0].to_dict()
        counts = {"tried": len(part), "diverged": int(part["diverged"].sum())}
        rows.append({**dict(zip(_PLACE, place, strict=True)), **best, **counts})
    columns = [*_PLACE, "learning_rate", "weight_decay", "dev_accuracy", "tried", "diverged"]
    return pd.DataFrame(rows, columns=columns)


def choices(table: pd.DataFrame) -> dict[tuple[str, str, int], Variant]:
    """Return the tuned variant of each condition, head and n in a table of `chosen_table`."""

    def tuned(row: dict[str, Any]) -> Variant:
        return Variant("tuned", "", (row["learning_rate"],), (row["weight_decay"],))

    return {
        (row["condition"], row["head"], int(row["n"])): tuned(row)
        for row in table.to_dict("records")
    }
