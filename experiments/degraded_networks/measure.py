"""The networks, trained with the programs of the study of trained heads."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.degraded_networks.config import Config
from experiments.degraded_networks.predict import conditions_of
from fusiontheory.store import Cell, RecordStore, code_version
from validation.trained import recorded_runs, train_cells

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "trained_runs"]

_RUN = ["setting", "condition", "head", "n", "sigma", "side", "seed", "accuracy"]


def measure(config: Config, _: Tables, records: Records) -> Tables:
    """Return a row per run."""
    code = code_version(trained_runs)
    names = ("heads", "predicted", "sigmas", "noisy", "sizes", "seeds")
    values = {name: getattr(config, name) for name in names}
    settings = {name: list(x) if isinstance(x, tuple) else x for name, x in values.items()}
    settings["strengths"] = [f"{name}: {value}" for name, value in config.strengths.items()]
    cells = [
        Cell(records.name, {**settings, "part": part}, "shipped", code) for part in config.cells()
    ]
    found = records.computed(cells, partial(trained_runs, config=config, root=records.root))
    return {"results.csv": found[["features", *_RUN]].sort_values(_RUN[:-1])}


def trained_runs(cell: Cell, config: Config, root: Path) -> pd.DataFrame:
    """Train the networks of a part; what the store has is not trained anew."""
    study, conditions = config.study, conditions_of(config, root)
    store = RecordStore(root / "degraded_networks" / "records")
    cells = config.cells()[cell.config["part"]]
    train_cells(study, conditions, store, cells)
    runs, missing = recorded_runs(study, conditions, store, cells)
    if missing:
        raise RuntimeError(f"runs are missing after they were trained: {'; '.join(missing)}")
    return runs[_RUN]
