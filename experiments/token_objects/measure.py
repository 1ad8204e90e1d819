"""Measured accuracies: heads as kernels, at the ridges of the prediction, and networks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from experiments.token_attention import measure_kernel, train_networks
from experiments.token_objects.config import POPULATIONS, Config
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]

_PLACE = ["population", "seed", "head", "n"]
_KERNELS = ["sizes", "images", "test_pairs", "entropy"]
_NETWORKS = [*_KERNELS, "trained_seeds", "rates", "decays", "epochs", "patience"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return tables of kernels and of networks; the prediction stays a table of its own."""
    told = predicted["predictions.csv"]
    kernels = [
        _cell(records.name, config, _KERNELS, measure_kernel, population=p, seed=s, head=h)
        for p in config.populations
        for s in range(config.seeds_of(p))
        for h in config.heads
    ]
    networks = [
        _cell(records.name, config, _NETWORKS, train_networks, population=p, network=network)
        for p in config.trained
        for network in config.networks
    ]
    found = records.computed(kernels, partial(measure_kernel, config=config, told=told))
    tables = {"results.csv": found[[*_PLACE, "accuracy"]].sort_values(_PLACE)}
    if networks:
        learned = records.computed(networks, partial(train_networks, config=config))
        columns = [*_PLACE, "accuracy", "rate", "decay"]
        tables["trained.csv"] = learned[columns].sort_values(_PLACE)
    return tables


def _cell(name: str, config: Config, settings: list[str], made_by: Any, **place: Any) -> Cell:
    values = {key: getattr(config, key) for key in settings}
    shared = {key: list(x) if isinstance(x, tuple) else x for key, x in values.items()}
    law = str(POPULATIONS[place["population"]])
    return Cell(name, {**shared, **place}, features=law, code=code_version(made_by))
