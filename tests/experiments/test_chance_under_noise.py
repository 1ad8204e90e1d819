"""The study of chance under strong noise: what it runs, and how its tables are read."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

pytest.importorskip("torch")

from experiments.chance_under_noise.config import Config
from experiments.chance_under_noise.summary import comparison, evidence, verdict


def test_every_n_has_strong_noise_on_both_sides() -> None:
    config = Config()
    cells = [cell for own in config.cells().values() for cell in own]
    found = {(cell.head, cell.n, cell.noise.sigma) for cell in cells}
    assert found == {*itertools.product(config.heads, config.sizes, config.sigmas)}
    assert {(c.condition, c.noise.side, c.variant.setting) for c in cells} == {
        ("aligned", "both", "fixed")
    }


def test_a_head_above_a_point_from_chance_fails_the_claim_at_its_n() -> None:
    place = {"condition": "aligned"}
    told, runs = [], []
    for head, n, sigma in itertools.product(Config().heads, (2048, 4096), (0.2, 0.5)):
        accuracy = 0.53 if (head, n, sigma) == ("concat-mlp", 4096, 0.2) else 0.5
        cell = {"head": head, "n": n, "sigma": sigma, **place}
        told.append({**cell, "predicted": accuracy + 0.01})
        runs += [{**cell, "seed": k, "accuracy": accuracy + 1e-4 * k} for k in (-1, 0, 1)]
    results = pd.DataFrame(runs).assign(features="shipped", setting="fixed", side="both")
    tables = {"predictions.csv": pd.DataFrame(told), "results.csv": results}
    assert comparison(tables)["error"].tolist() == pytest.approx([1.0] * 8)
    found = evidence(tables).set_index(["head", "n", "sigma"])
    assert found.loc[("concat-mlp", 4096, 0.2), "outcome"] == "fails"
    assert found.loc[("concat-mlp", 4096, 0.2), "above"] == pytest.approx(3.0)
    assert found["outcome"].value_counts().to_dict() == {"holds": 7, "fails": 1}
    assert verdict(tables).startswith("mixed")
