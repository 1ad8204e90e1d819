"""The search and the tuned runs, with the programs of the study of trained heads."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.tuned_heads.config import Config
from fusiontheory.store import Cell, code_version
from validation.trained import TrainedSession, recorded_runs

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure", "tuned_runs"]

_RUN = ["head", "condition", "n", "seed", "accuracy", "learning_rate", "weight_decay", "init_scale"]


def measure(config: Config, _: Tables, records: Records) -> Tables:
    """Return a row per run at what the search chose, with how many settings were tried."""
    code = code_version(tuned_runs)
    cells = [
        Cell(
            records.name,
            {"name": head, "at": condition, "pairs": config.n, "seeds": config.seeds},
            "shipped",
            code,
        )
        for head, condition in config.searched
    ]
    found = records.computed(cells, partial(tuned_runs, config=config, root=records.root))
    return {"results.csv": found[[*_RUN, "tried"]].sort_values(_RUN[:4])}


def tuned_runs(cell: Cell, config: Config, root: Path) -> pd.DataFrame:
    """Search and train one head at one condition; what the session's store has is not anew."""
    study = config.study(cell.config["name"], cell.config["at"])
    session = TrainedSession(study, config.features(), root / "tuned_heads")
    for part in ("search", "tuned"):
        session.run(part)
    known = (session.study, session.conditions, session.store)
    searched, _ = recorded_runs(*known, session.cells("search"), session.kind)
    runs, missing = recorded_runs(*known, session.cells("tuned"), session.kind)
    if missing:
        raise RuntimeError(f"runs are missing after they were trained: {'; '.join(missing)}")
    return runs.assign(tried=len(searched))[[*_RUN, "tried"]]
