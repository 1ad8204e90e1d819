"""What was asked of the predictors and what was found: intervals, signs, laziness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from validation.trained.bars import BARS, bar_table, gap_table, linear_table
from validation.trained.earlier import joined_runs
from validation.trained.lazy import lazy_table

STORED = Path(__file__).parents[3] / "docs/results/trained/settings"


def _runs(gap: float, spread: float) -> pd.DataFrame:
    """Return runs of five seeds at the fixed setting, n = 2048 and 4096, whose heads are apart."""
    noise = spread * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    return pd.DataFrame(
        [
            ("fixed", "aligned", head, n, seed, accuracy + noise[seed] * (head == "bilinear"))
            for head, accuracy in (("bilinear", 0.8), ("concat-mlp", 0.8 + gap))
            for n in (2048, 4096)
            for seed in range(5)
        ],
        columns=["setting", "condition", "head", "n", "seed", "accuracy"],
    )


def _told(gap: float) -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("fixed", "aligned", head, n, "optimiser", accuracy)
            for head, accuracy in (("bilinear", 0.81), ("concat-mlp", 0.81 + gap))
            for n in (2048, 4096)
        ],
        columns=["setting", "condition", "head", "n", "predictor", "predicted"],
    )


def test_an_interval_is_as_wide_as_seeds_are_apart() -> None:
    found = bar_table(_runs(0.02, 0.01), _told(0.015)).set_index("head")
    assert found["cells"].eq(2).all()
    assert found["found"].round(6).to_dict() == {"bilinear": 1.0, "concat-mlp": 0.5}
    # All seeds of the MLP agree.
    assert found.loc["concat-mlp", ["low", "high", "within"]].round(6).tolist() == [0.5, 0.5, 1.0]
    # Seeds are 0.79 points apart, so that their mean has a standard error of 0.354.
    low, high = found.loc["bilinear", "low"], found.loc["bilinear", "high"]
    assert (high - low) / (2 * 1.96) == pytest.approx(0.354, rel=0.1)
    assert 0.4 < found.loc["bilinear", "within"] < 0.6


def test_a_sign_is_right_or_wrong_only_where_it_is_clear() -> None:
    verdicts = {
        (0.02, 0.01): "right",
        (-0.02, 0.01): "wrong",
        (0.02, 0.2): "not clear",
    }
    for (gap, spread), expected in verdicts.items():
        assert gap_table(_runs(gap, spread), _told(0.01))["verdict"].unique().tolist() == [expected]


def test_a_head_that_is_called_lazy_has_to_be_at_its_first_kernel() -> None:
    cells = [("a", 1.0, 0.80), ("b", 1.0, 0.90), ("c", 1e4, 0.90), ("d", np.nan, 0.51)]
    place = {"condition": "aligned", "n": 512}
    kernels = pd.DataFrame(
        [{"head": h, "growth": g, "predicted": 0.8 if h != "d" else 0.5} for h, g, _ in cells]
    ).assign(ridge_rule="derived", **place)
    measured = pd.DataFrame([{"head": h, "accuracy": a} for h, _, a in cells])
    table = lazy_table(kernels, measured.assign(setting="fixed", **place)).set_index("head")
    assert table["lazy"].to_dict() == {"a": True, "b": True, "c": False, "d": False}
    assert table["right"].to_dict() == {"a": True, "b": False, "c": True, "d": False}
    assert table["learns"].to_dict() == {"a": True, "b": True, "c": True, "d": False}


def test_a_tuned_head_is_held_against_the_kernel_of_its_own_pairs() -> None:
    runs = _runs(0.02, 0.01).assign(setting="tuned")
    kernels = runs[runs["seed"] < 2].assign(accuracy=lambda rows: rows["accuracy"] + 0.005)
    table = linear_table(kernels, runs)
    assert table["seeds"].eq(2).all()
    assert table["off"].to_numpy() == pytest.approx(-0.5)


def test_stored_bars_are_those_of_the_stored_runs() -> None:
    stored = pd.read_csv(STORED / "bars.csv")
    runs = joined_runs(STORED)
    clean = runs[(runs["sigma"] == 0) & runs["condition"].isin(["aligned", "unaligned"])]
    again = bar_table(clean, pd.read_csv(STORED / "predicted.csv"))
    assert list(zip(stored["setting"], stored["what"], strict=True)) == [
        (bar.setting, bar.what) for bar in BARS
    ]
    for column in ("found", "low", "high", "within"):
        assert again[column].to_numpy() == pytest.approx(stored[column].to_numpy(), abs=1e-4)
