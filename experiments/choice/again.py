"""Predictions by the code of now against the stored truths: ``python -m experiments.choice.again``.

The truths of the sealed run are what trained heads reached, and hang on none of the code that
forecasts. After ``predict --anew`` this takes the place of ``measure``: errors, regrets and
calibration of the new predictions, against `truth.csv` as it is stored. `truth_check.csv` says how
far truths of a few tasks are off the stored ones when they are measured by the code of now.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.choice.__main__ import STUDY
from experiments.choice.measure import judged, truth_rows
from experiments.side_tables import arguments, write_side_table
from fusiontheory.store import Cell

if TYPE_CHECKING:
    from experiments.choice.config import Config
    from experiments.study import Records, Tables

FOLDER = Path(__file__).parent
CHECKED = ("world0003", "world0098", "digits-fou-kar")


def compared(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the tables of `measure`, with the truths as they are stored."""
    del records  # nothing is measured
    truth = pd.read_csv(FOLDER / "truth.csv")
    return {"truth.csv": truth, **judged(config, predicted, truth)}


def truth_check() -> pd.DataFrame:
    """Return the largest differences of a few tasks' truths, measured again, and the stored."""
    config = STUDY.config
    sets = [list(one) for one in config.training_sets]
    settings = {"training_sets": sets, "pool": config.pool, "test": config.test}
    again = pd.concat(
        pd.DataFrame(truth_rows(Cell("choice", {**settings, "task": task}, task, "again"))).assign(
            task=task
        )
        for task in CHECKED
    )
    both = pd.read_csv(FOLDER / "truth.csv").merge(
        again, on=["task", "n", "head"], suffixes=("", "_again")
    )
    off = {k: (both[k] - both[f"{k}_again"]).abs() for k in ("true_risk", "true_accuracy")}
    return pd.DataFrame(off).groupby(both["task"]).max().reset_index()


def main() -> None:
    """Compare, and check a few truths."""
    arguments(__doc__)
    print(replace(STUDY, measure=compared).do("measure"))
    check = truth_check()
    write_side_table(FOLDER / "truth_check.csv", check, main, "%.3g")
    print(check.to_string(index=False))


if __name__ == "__main__":
    main()
