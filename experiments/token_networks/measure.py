"""The networks, at the rate and the decay that are best on dev pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.token_attention import train_networks
from experiments.token_networks.config import Config
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]

_PLACE = ["population", "seed", "head", "n"]
_SETTINGS = ("rates", "decays", "epochs", "patience", "seeds")


def measure(config: Config, _: Tables, records: Records) -> Tables:
    """Return a row per population, seed and network."""
    code = code_version(train_networks)
    values = {name: getattr(config, name) for name in _SETTINGS}
    settings = {name: list(x) if isinstance(x, tuple) else x for name, x in values.items()}
    settings["pairs"] = config.n
    cells = [
        Cell(records.name, {**settings, "population": p, "network": network}, "tokens", code)
        for p in config.trained
        for network in config.networks
    ]

    def trained(cell: Cell) -> list[dict[str, Any]]:
        return train_networks(cell, config.of(cell.config["population"]))

    found = records.computed(cells, trained)
    return {"results.csv": found[[*_PLACE, "accuracy", "rate", "decay"]].sort_values(_PLACE)}
