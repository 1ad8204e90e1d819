"""Networks of tokens, trained on the pairs of all seeds at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.token_attention.config import Config
from experiments.token_attention.pairs import pairs_of
from fusiontheory.store import Cell
from fusiontheory.training import (
    Architecture,
    IndexedPairs,
    PairDataset,
    TrainingSettings,
    all_members,
    train_members,
)
from fusiontheory.typing import Array, Integers, Single

__all__ = ["token_dataset", "train_networks"]


def train_networks(cell: Cell, config: Config) -> list[dict[str, Any]]:
    """Train at every rate and decay, and give the test accuracy at the best pair of them on dev.

    Tokens and texts are centred and brought to a mean squared length of 1 on training images. The
    threshold is that of the training scores after each epoch.
    """
    population, network = cell.config["population"], cell.config["network"]
    sets = [token_dataset(config, population, seed) for seed in range(config.trained_seeds)]
    members = [
        member
        for seed, data in enumerate(sets)
        for member in all_members([data], [seed], config.rates, config.decays)
    ]
    settings = TrainingSettings(
        epochs=config.epochs, patience=config.patience, batch_size=128, threshold="scores"
    )
    rows = train_members(Architecture(network), members, settings)
    on_dev = rows.groupby(["learning_rate", "weight_decay"], as_index=False)["dev_accuracy"].mean()
    best = on_dev.loc[on_dev["dev_accuracy"].idxmax()]
    rate, decay = float(best["learning_rate"]), float(best["weight_decay"])
    chosen = rows[(rows["learning_rate"] == rate) & (rows["weight_decay"] == decay)]
    return [
        {
            "head": network,
            "n": int(row["n"]),
            "seed": int(row["seed"]),
            "accuracy": float(row["test_accuracy"]),
            "rate": rate,
            "decay": decay,
        }
        for _, row in chosen.iterrows()
    ]


def token_dataset(config: Config, population: str, seed: int) -> PairDataset:
    """Return tokens, texts and pairs of a seed as networks take them.

    Tokens and texts are centred and brought to a mean squared length of 1 on training images.
    """
    drawn = config.draw(population, seed)
    images, captions = drawn.text.shape[:2]
    tokens = _scaled(drawn.tokens, drawn.train)
    text = _scaled(drawn.text, drawn.train).reshape(images * captions, -1)
    indexed = [
        IndexedPairs(p.image, p.text * captions + p.caption, p.label.astype(np.float32))
        for p in pairs_of(config, drawn, seed)
    ]
    owner = np.repeat(np.arange(images), captions)
    return PairDataset("tokens", tokens, text, owner, indexed[0], indexed[1], indexed[2])


def _scaled(x: Array, rows: Integers) -> Single:
    own = x[rows].reshape(-1, x.shape[-1])
    centre = own.mean(axis=0)
    power = ((own - centre) ** 2).sum(axis=1).mean()
    scaled: Single = ((x - centre) / np.sqrt(power)).astype(np.float32)
    return scaled
