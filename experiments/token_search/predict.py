"""What is predicted of each network: the kernel of its first order, at its best ridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.token_attention import predict_population
from experiments.token_search.config import Config

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]


def predict(config: Config, _: Records) -> Tables:
    """Return a row per population, draw and network."""
    parts = [predict_population(config.of(name), name) for name in config.populations]
    return {"predictions.csv": pd.concat(parts, ignore_index=True)}
