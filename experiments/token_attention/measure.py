"""Measured accuracies: heads as kernels, at the ridges of the prediction, and networks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.token_attention.config import Config
from experiments.token_attention.kernel import measure_kernel
from experiments.token_attention.train import train_networks
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["kernel_cells", "measure", "network_cells"]

_PLACE = ["population", "seed", "head", "n"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return tables of kernels and of networks; the prediction stays a table of its own."""
    told = predicted["predictions.csv"]
    kernels = records.computed(
        kernel_cells(config, told), partial(measure_kernel, config=config, told=told)
    )
    networks = records.computed(network_cells(config), partial(train_networks, config=config))
    # A cell of networks has all seeds, and says them itself.
    return {
        "results.csv": kernels[[*_PLACE, "accuracy"]].sort_values(_PLACE),
        "trained.csv": networks[[*_PLACE, "accuracy", "rate", "decay"]].sort_values(_PLACE),
    }


def kernel_cells(config: Config, told: pd.DataFrame) -> list[Cell]:
    """Return a cell per population, seed and head, which knows its ridges."""
    shared = _settings(config, "sizes images real_images dimension test_pairs real_test_pairs")
    code = code_version(measure_kernel)
    made = []
    for (population, seed, head), rows in told.groupby(_PLACE[:3], sort=False):
        own = {"population": population, "seed": int(str(seed)), "head": head}
        at = {"ridges": [float(ridge) for ridge in rows["ridge"]]}
        made.append(Cell("token_attention", {**shared, **own, **at}, features="tokens", code=code))
    return made


def network_cells(config: Config) -> list[Cell]:
    """Return a cell per population and network."""
    shared = _settings(
        config,
        "sizes images real_images dimension test_pairs real_test_pairs trained_seeds rates decays"
        " epochs patience",
    )
    code = code_version(train_networks)
    return [
        Cell(
            "token_attention",
            {**shared, "population": population, "network": network},
            features="tokens",
            code=code,
        )
        for population in config.trained
        for network in config.networks
    ]


def _settings(config: Config, names: str) -> dict[str, Any]:
    values = {name: getattr(config, name) for name in [*names.split(), "entropy"]}
    return {name: list(x) if isinstance(x, tuple) else x for name, x in values.items()}
