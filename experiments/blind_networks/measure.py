"""The networks, trained with the programs of the study of trained heads."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.blind_networks.config import Config
from fusiontheory.store import Cell, RecordStore, code_version
from validation.trained import TrainedSession, recorded_runs

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["PARTS", "measure", "trained_runs"]

PARTS = {"fixed": ("fixed",), "published": ("grid",), "tuned": ("search", "tuned")}
"""The parts of the study of trained heads that train a setting."""

_RUN = ["encoder", "condition", "setting", "head", "n", "seed", "accuracy"]
_RUN += ["learning_rate", "weight_decay"]


def measure(config: Config, _: Tables, records: Records) -> Tables:
    """Return a row per run."""
    code = code_version(trained_runs)
    cells = [
        Cell(
            records.name,
            {**_settings(config), "backbone": encoder, "step": step},
            encoder,
            code,
        )
        for step in config.measured
        for encoder in config.encoders
    ]
    found = records.computed(cells, partial(trained_runs, config=config, root=records.root))
    return {"results.csv": found[_RUN].sort_values(_RUN[:-3])}


def trained_runs(cell: Cell, config: Config, root: Path) -> pd.DataFrame:
    """Train the networks of an encoder at a setting; what the session's store has is not anew."""
    encoder, step = cell.config["backbone"], cell.config["step"]
    session = TrainedSession(config.study(step), config.features(encoder), root / encoder)
    parts = PARTS[step]
    for part in parts:
        session.run(part)
    store = RecordStore(session.folder / "records")
    cells = session.cells(parts[-1])
    runs, missing = recorded_runs(session.study, session.conditions, store, cells, session.kind)
    if missing:
        raise RuntimeError(f"runs are missing after they were trained: {'; '.join(missing)}")
    return runs.assign(encoder=encoder)[_RUN]


def _settings(config: Config) -> dict[str, object]:
    names = ("heads", "sizes", "tuned", "seeds", "dimension", "split_seed")
    values = {name: getattr(config, name) for name in names}
    return {name: list(x) if isinstance(x, tuple) else x for name, x in values.items()}
