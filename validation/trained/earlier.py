"""Runs of other versions of the code beside those of a report: which count, and whether they agree.

A study is run anew when the version of its code changes, even where nothing that a run depends on
did. Cells that are not yet run anew stand with their earlier runs, and say so; every run that was
made by both versions is a test of that. Cells that a report lacks and that were run after it stand
with these, from a report of its own in the folder ``later``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

__all__ = ["EARLIER", "HERE", "LATER", "STORED", "joined_runs", "repeated_runs"]

HERE, EARLIER, LATER, STORED = "here", "earlier version", "later version", "stored study"
"""Where the runs of a cell are from."""

_CELL = ["setting", "condition", "head", "n", "sigma", "side"]
_OUTCOME = ["accuracy", "dev_accuracy", "train_accuracy", "epoch", "epochs", "gradient_end"]


def joined_runs(out: Path) -> pd.DataFrame:
    """Return the runs of each cell, from where there are most seeds of it, with a column from.

    They are those of ``runs.csv``, of ``earlier_runs.csv`` beside it, of ``runs.csv`` in the folder
    ``later``, and at the published setting of ``runs.csv`` in the folder above, where there are
    these. Of equally many seeds those made here count, then the earlier ones, then the later ones.
    A run of several choices of learning rate and weight decay counts with its choice: cells are
    never mixed.

    Args:
        out: folder with ``runs.csv``.
    """
    tables = [pd.read_csv(out / "runs.csv").assign(**{"from": HERE})]
    if (earlier := _earlier(out)) is not None:
        tables.append(earlier.assign(**{"from": EARLIER}))
    if (later := out / "later" / "runs.csv").is_file():
        tables.append(pd.read_csv(later).assign(**{"from": LATER}))
    if (stored := out.parent / "runs.csv").is_file():
        older = pd.read_csv(stored).assign(**{"from": STORED})
        tables.append(older[older["setting"] == "published"])
    table = pd.concat(tables, ignore_index=True)
    order = {HERE: 0, EARLIER: 1, LATER: 2, STORED: 3}
    seeds = table.groupby([*_CELL, "from"])["seed"].nunique().rename("seeds").reset_index()
    seeds = seeds.assign(order=seeds["from"].map(order), fewer=-seeds["seeds"])
    first = seeds.sort_values(["fewer", "order"]).drop_duplicates(_CELL)[[*_CELL, "from"]]
    return table.merge(first, on=[*_CELL, "from"])


def repeated_runs(out: Path) -> pd.DataFrame:
    """Return how many runs were made by both versions, and in how many all outcomes are equal.

    Outcomes are accuracies on training, dev and test pairs, the epoch that was kept, the number of
    epochs and the last gradient's norm, as the tables have them (six digits).

    Args:
        out: folder with ``runs.csv``, and ``earlier_runs.csv`` if there are such.

    Returns:
        Columns setting, head, runs, equal and largest_points (of test accuracy).
    """
    columns = ["setting", "head", "runs", "equal", "largest_points"]
    earlier = _earlier(out)
    if earlier is None:
        return pd.DataFrame(columns=columns)
    same = [*_CELL, "seed", "learning_rate", "weight_decay", "init_scale"]
    both = pd.read_csv(out / "runs.csv").merge(earlier, on=same, suffixes=("", "_earlier"))
    outcomes = [name for name in _OUTCOME if name in earlier]
    equal = pd.concat([both[name] == both[f"{name}_earlier"] for name in outcomes], axis=1)
    off = 100 * (both["accuracy"] - both["accuracy_earlier"]).abs()
    both = both.assign(equal=equal.all(axis=1), off=off)
    rows = [
        (*place, len(part), int(part["equal"].sum()), float(part["off"].max()))
        for place, part in both.groupby(["setting", "head"], sort=False)
    ]
    return pd.DataFrame(rows, columns=columns)


def _earlier(out: Path) -> pd.DataFrame | None:
    path = out / "earlier_runs.csv"
    return pd.read_csv(path) if path.is_file() else None
