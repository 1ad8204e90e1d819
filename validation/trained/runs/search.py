"""The search of hyper-parameters: one grid for every head, judged on dev pairs alone."""

from __future__ import annotations

import pandas as pd

from validation.trained.design import Variant

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
    for (condition, head, n), part in runs.groupby(_PLACE, sort=False):
        if len(part) < tried or part["dev_accuracy"].isna().all():
            continue
        ranked = part.sort_values(["dev_accuracy", "dev_loss"], ascending=[False, True])
        best = ranked[["learning_rate", "weight_decay", "dev_accuracy"]].iloc[0]
        rows.append((condition, head, n, *best, len(part), int(part["diverged"].sum())))
    columns = [*_PLACE, "learning_rate", "weight_decay", "dev_accuracy", "tried", "diverged"]
    return pd.DataFrame(rows, columns=columns)


def choices(table: pd.DataFrame) -> dict[tuple[str, str, int], Variant]:
    """Return the tuned variant of each condition, head and n in a table of `chosen_table`."""

    wanted = table[[*_PLACE, "learning_rate", "weight_decay"]]
    return {
        (str(condition), str(head), int(n)): Variant("tuned", "", (rate,), (decay,))
        for condition, head, n, rate, decay in wanted.itertuples(index=False, name=None)
    }
