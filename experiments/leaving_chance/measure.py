"""One run of each setting, with the programs of the study of trained heads."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.leaving_chance.config import Config
from fusiontheory.store import Cell, RecordStore, code_version
from validation.conditions import condition_features
from validation.trained import Trial, recorded_runs, train_cells

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "trial_run"]

_RUN = ["head", "condition", "n", "learning_rate", "weight_decay", "init_scale"]
_FOUND = ["dev_accuracy", "accuracy", "epoch"]


def measure(config: Config, _: Tables, records: Records) -> Tables:
    """Return a row per setting that is tried."""
    code = code_version(trial_run)
    cells = [
        Cell(
            records.name,
            {"name": config.head, "at": config.condition, "pairs": config.n, "trial": list(trial)},
            "shipped",
            code,
        )
        for trial in config.trials
    ]
    found = records.computed(cells, partial(trial_run, config=config, root=records.root))
    return {"results.csv": found[[*_RUN, *_FOUND]]}


def trial_run(cell: Cell, config: Config, root: Path) -> pd.DataFrame:
    """Train one run; what the store has is not trained anew."""
    study = config.study
    conditions = condition_features(config.features(), study.strengths, root / "heads")
    store = RecordStore(root / "leaving_chance" / "records")
    rate, decay, unit = cell.config["trial"]
    asked = [study.trial_cell(config.condition, config.head, config.n, Trial(rate, decay, unit))]
    train_cells(study, conditions, store, asked)
    runs, missing = recorded_runs(study, conditions, store, asked)
    if missing:
        raise RuntimeError(f"runs are missing after they were trained: {'; '.join(missing)}")
    return runs[[*_RUN, *_FOUND]]
