"""The study of tokens: its splits, its networks, and how their settings are chosen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")

from experiments.token_attention.config import POPULATIONS, REAL, Config
from experiments.token_attention.measure import network_cells
from experiments.token_attention.pairs import pairs_of
from experiments.token_attention.train import train_networks
from validation.data import shipped_tokens


@pytest.mark.parametrize("population", [REAL, next(iter(POPULATIONS))])
def test_no_image_is_in_two_splits_and_seeds_draw_others(population: str) -> None:
    config = Config()
    first, second = (config.draw(population, seed) for seed in (0, 1))
    for drawn in (first, second):
        rows = np.concatenate([drawn.train, drawn.dev, drawn.test])
        assert np.unique(rows).size == rows.size
        train, dev, test = pairs_of(config, drawn, 0)
        assert set(train.image) | set(train.text) <= set(drawn.train)
        assert set(dev.image) | set(dev.text) <= set(drawn.dev)
        assert set(test.image) | set(test.text) <= set(drawn.test)
    if population == REAL:
        assert set(first.train) != set(second.train)
        # Components were fitted on these.
        assert not set(first.test) & set(shipped_tokens().rows("align"))
    else:
        assert not np.allclose(first.tokens[:3], second.tokens[:3])


def test_a_network_is_trained_on_a_few_pairs() -> None:
    config = dataclasses.replace(
        Config(),
        sizes=(256,),
        images=(128, 50, 200),
        test_pairs=100,
        rates=(1e-2,),
        decays=(1e-4,),
        epochs=1,
        trained_seeds=1,
    )
    cell = network_cells(config)[0]
    [row] = train_networks(cell, config)
    assert row["n"] == 256
    assert 0 <= row["accuracy"] <= 1
