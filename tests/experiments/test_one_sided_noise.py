"""The study of noise on one modality: what it runs, and how its tables are read."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("torch")

from experiments.one_sided_noise import summary
from experiments.one_sided_noise.config import SIDES, Config
from experiments.one_sided_noise.summary import both_sides, errors, leads, right, sides


def test_noise_is_on_one_side_at_the_fixed_setting() -> None:
    config = Config()
    cells = config.cells()
    for side in SIDES:
        assert len(cells[side]) == 2 * 2 * len(config.sigmas)
        assert {cell.noise.side for cell in cells[side]} == {side}
        assert {cell.variant.setting for cell in cells[side]} == {"fixed"}


def test_a_side_that_noise_hurts_more_is_told_where_it_is_clear() -> None:
    place = {"condition": "aligned", "n": 2048, "sigma": 0.1}
    accuracy = {
        "bilinear": {"image": 0.80, "text": 0.75},
        "concat-mlp": {"image": 0.7, "text": 0.7},
    }
    told, runs = [], []
    for head, side in itertools.product(accuracy, SIDES):
        cell = {"head": head, "side": side, **place}
        told.append({**cell, "predicted": accuracy[head][side] + 0.01})
        for seed in range(3):
            # Seeds of one head move apart only where texts are noisy.
            moved = 0.01 * (seed - 1) * (side == "text") * (head == "concat-mlp")
            runs.append({**cell, "seed": seed, "accuracy": accuracy[head][side] + moved})
    tables = {"predictions.csv": pd.DataFrame(told), "results.csv": pd.DataFrame(runs)}
    assert errors(tables)["mean"].tolist() == pytest.approx([1.0] * 4)
    found = sides(tables).set_index("head")
    assert found["difference"].to_dict() == pytest.approx({"bilinear": 5.0, "concat-mlp": 0.0})
    assert leads(tables).set_index("side")["difference"]["image"] == pytest.approx(-10.0)
    counted = right(tables).set_index("of")
    assert counted.loc["sides", ["cells", "clear", "right"]].tolist() == [2, 1, 1]
    assert counted.loc["lead", ["cells", "clear", "right"]].tolist() == [2, 2, 2]


def test_one_noisy_side_is_held_against_both_at_the_same_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"condition": "aligned", "head": "bilinear", "n": 2048, "sigma": 0.1}
    both = [{**place, "side": "both", "seed": seed, "accuracy": 0.7 + seed / 9} for seed in (0, 1)]
    pd.DataFrame(both).to_csv(tmp_path / "both.csv", index=False)
    monkeypatch.setattr(summary, "BOTH", tmp_path / "both.csv")
    moved = {"image": -0.02, "text": 0.03}
    runs = [
        {**row, "side": s, "accuracy": row["accuracy"] + moved[s]} for row in both for s in SIDES
    ]
    found = both_sides({"results.csv": pd.DataFrame(runs)}).set_index("side")
    assert found["gain"].to_dict() == pytest.approx({"image": -2.0, "text": 3.0})
    assert found["worse"].to_dict() == {"image": True, "text": False}
