"""Predicted accuracies of each head, at its own best ridge, from the training images of a seed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pandas as pd

from experiments.token_attention.config import Config
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_token_curve
from fusiontheory.tokens import find_token_head

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict", "predict_population"]


def predict(config: Config, _: Records) -> Tables:
    """Return a row per population, seed, head and n."""
    parts = [predict_population(config, population) for population in config.populations]
    return {"predictions.csv": pd.concat(parts, ignore_index=True)}


def predict_population(config: Config, population: str) -> pd.DataFrame:
    """Return a row per seed, head and n of one population."""
    parts = []
    for seed in range(config.seeds_of(population)):
        drawn = config.draw(population, seed)
        tokens, text = drawn.tokens[drawn.train], drawn.text[drawn.train]
        for head in config.heads:
            features = find_token_head(head).features(tokens, text)
            with warnings.catch_warnings():
                # The columns trusted and dimensions say what a warning would.
                warnings.simplefilter("ignore", ValidityWarning)
                curve = predict_token_curve(
                    head, tokens, text, config.sizes, "best", training_images=len(tokens)
                )
            dimensions = max(x.shape[-1] for x in features)
            curve = curve.assign(population=population, seed=seed, head=head)
            parts.append(curve.assign(images=len(tokens), dimensions=dimensions))
    table = pd.concat(parts, ignore_index=True)
    first = ["population", "seed", "head", "n", "ridge", "accuracy"]
    return table[[*first, *(c for c in table if c not in first)]]
