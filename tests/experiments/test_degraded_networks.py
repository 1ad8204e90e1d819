"""The study of networks under noise: what it runs, and how its tables are read."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

pytest.importorskip("torch")

from experiments.degraded_networks.config import Config
from experiments.degraded_networks.summary import (
    comparison,
    errors,
    growth,
    leads,
    signs,
    verdicts,
)


def test_all_cells_have_a_sound_threshold_and_noise_is_on_both_sides() -> None:
    cells = Config().cells()
    counts = {"clean": 3 + 2, "noise": (3 + 2) * 6, "controls": 2 * 4 * 1, "between": 3 * 2 * 2}
    assert {part: len(own) for part, own in cells.items()} == counts
    everyone = [cell for own in cells.values() for cell in own]
    assert {cell.variant.setting for cell in everyone} == {"fixed"}
    assert {cell.noise.side for cell in everyone} == {"both"}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Return made-up runs whose lead falls from 30 points to 10, predicted a point too high."""
    place = {"condition": "aligned", "n": 2048}
    sigmas = (0.0, 0.01, 0.02, 0.05, 0.1)
    heads = {"concat-mlp": 0.8, "cross-attention": 0.5, "bilinear": 0.85}
    told, runs = [], []
    for sigma, (head, start) in itertools.product(sigmas, heads.items()):
        accuracy = start if head == "cross-attention" else start - 2 * sigma
        told.append({"head": head, "sigma": sigma, "predicted": accuracy + 0.01})
        runs += [
            {"head": head, "sigma": sigma, "seed": seed, "accuracy": accuracy + 0.001 * k}
            for seed, k in enumerate((-1, 0, 1))
        ]
    results = pd.DataFrame(runs).assign(**place, features="shipped", setting="fixed", side="both")
    return {"predictions.csv": pd.DataFrame(told).assign(**place), "results.csv": results}


def test_errors_are_told_by_head_with_and_without_noise(tables: dict[str, pd.DataFrame]) -> None:
    assert comparison(tables)["error"].round(6).eq(1.0).all()
    found = errors(tables).set_index(["part", "head"])
    assert found.loc[("noise", "bilinear"), "cells"] == 4
    assert found.loc[("clean", "bilinear"), "largest"] == pytest.approx(1.0)


def test_a_lead_that_falls_refutes_the_claim(tables: dict[str, pd.DataFrame]) -> None:
    lead = leads(tables).set_index(["other", "sigma"])["lead"]
    assert lead[("cross-attention", 0.0)] == pytest.approx(30)
    assert lead[("bilinear", 0.1)] == pytest.approx(-5)
    told = signs(tables).set_index("cells")
    assert told.loc["off chance", ["right", "clear"]].tolist() == [5, 5]
    told = verdicts(tables).set_index("claim")["verdict"]
    assert told["gap-under-noise"] == "refuted"
    assert told["chance-under-noise"] == "not testable here"
    [row] = growth(tables).to_dict("records")
    assert row["estimate"] == pytest.approx(-20)
    assert (row["low"], row["high"]) == pytest.approx((-20, -20))  # all seeds move alike
