"""Measured accuracies: heads as kernels, at the ridges of the prediction, and networks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.token_attention.config import Config, Drawn
from experiments.token_attention.train import trained
from fusiontheory.data import Pairs, draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.solvers import gather, measure_curve
from fusiontheory.store import Cell, code_version
from fusiontheory.tokens import find_token_head

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["cells", "measure"]

_PLACE = ["population", "seed", "head", "n"]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return tables of kernels and of networks; the prediction stays a table of its own."""
    told = predicted["predictions.csv"]
    compute = partial(measure_cell, config=config, ridges=told)
    found = records.rows(cells(config, told), compute)
    tables = {}
    for kind, name in (("kernel", "results.csv"), ("network", "trained.csv")):
        own = found[found["kind"] == kind].dropna(axis=1, how="all").drop(columns="kind")
        columns = [*_PLACE, *(c for c in ("accuracy", "rate", "decay") if c in own)]
        tables[name] = own[columns].sort_values(_PLACE)
    return tables


def cells(config: Config, told: pd.DataFrame) -> list[Cell]:
    """Return a cell per population, seed and head, and per population and network."""
    settings = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(config).items()
        if name not in ("heads", "networks", "trained", "seeds", "real_seeds")
    }
    code = code_version(measure_cell)
    made = []
    for (population, seed, head), rows in told.groupby(_PLACE[:3], sort=False):
        own = {"population": population, "seed": int(str(seed)), "head": head, "kind": "kernel"}
        at = {"ridges": [float(ridge) for ridge in rows["ridge"]]}
        made.append(
            Cell("token_attention", {**settings, **own, **at}, features="tokens", code=code)
        )
    for population in config.trained:
        for network in config.networks:
            own = {"population": population, "seed": -1, "head": network, "kind": "network"}
            made.append(Cell("token_attention", {**settings, **own}, features="tokens", code=code))
    return made


def measure_cell(cell: Cell, config: Config, ridges: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of one cell."""
    population, head = cell.config["population"], cell.config["head"]
    if cell.config["kind"] == "network":
        seeds = range(config.trained_seeds)
        draws = [config.draw(population, seed) for seed in seeds]
        pairs = [
            training_pairs(config, drawn, seed) for drawn, seed in zip(draws, seeds, strict=True)
        ]
        return [{"kind": "network", **row} for row in trained(config, head, draws, pairs)]
    seed = cell.config["seed"]
    own = ridges[(ridges["population"] == population) & (ridges["head"] == head)]
    own = own[own["seed"] == seed].sort_values("n")
    return [{"kind": "kernel", **row} for row in _kernel(config, population, seed, head, own)]


def _kernel(
    config: Config, population: str, seed: int, name: str, own: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    drawn, head = config.draw(population, seed), find_token_head(name)
    v, t = head.features(drawn.tokens, drawn.text, rows=drawn.train)
    train, _, test = (gather(v, t, pairs) for pairs in training_pairs(config, drawn, seed))
    sizes, ridges = own["n"].tolist(), own["ridge"].tolist()
    for one in measure_curve(find_head(head.kernel), train, test, sizes, ridges):
        yield {"n": one.n, "accuracy": one.accuracy}


def training_pairs(config: Config, drawn: Drawn, seed: int) -> tuple[Pairs, Pairs, Pairs]:
    """Return the training, dev and test pairs of a seed."""
    seeds = np.random.SeedSequence([config.entropy, seed]).spawn(3)
    captions = drawn.text.shape[1]
    counts = [max(config.sizes)]
    for rows in (drawn.dev, drawn.test):
        most = config.test_pairs if captions == 1 else config.real_test_pairs
        counts.append(min(most, 2 * rows.size * captions))
    splits = drawn.train, drawn.dev, drawn.test
    made = [draw_pairs(r, captions, n, s) for r, n, s in zip(splits, counts, seeds, strict=True)]
    return made[0], made[1], made[2]
