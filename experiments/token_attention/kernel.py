"""Heads of tokens as kernels, at the ridges of the prediction."""

from __future__ import annotations

from typing import Any

import pandas as pd

from experiments.token_attention.config import Config
from experiments.token_attention.pairs import pairs_of
from fusiontheory.heads import find_head
from fusiontheory.solvers import gather, measure_curve
from fusiontheory.store import Cell
from fusiontheory.tokens import find_token_head

__all__ = ["measure_kernel"]


def measure_kernel(cell: Cell, config: Config, told: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the accuracy of a head at each n, trained and tested on the pairs of a seed."""
    population, seed = cell.config["population"], cell.config["seed"]
    own = told[(told["population"] == population) & (told["head"] == cell.config["head"])]
    own = own[own["seed"] == seed].sort_values("n")
    drawn, head = config.draw(population, seed), find_token_head(cell.config["head"])
    v, t = head.features(drawn.tokens, drawn.text, rows=drawn.train)
    train, _, test = (gather(v, t, pairs) for pairs in pairs_of(config, drawn, seed))
    found = measure_curve(
        find_head(head.kernel), train, test, own["n"].tolist(), own["ridge"].tolist()
    )
    return [{"n": one.n, "accuracy": one.accuracy} for one in found]
