"""Who is ahead, where that changes, how sure: from made-up curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from fusiontheory import InputError
from fusiontheory.curves import answer, predicted_lead


def curves(points: dict[str, list[float]], half: float = 0.01, n=(64, 256, 1024)) -> pd.DataFrame:
    rows = [
        (head, size, a, a - half, a + half)
        for head, line in points.items()
        for size, a in zip(n, line, strict=True)
    ]
    columns = ["head", "n", "accuracy", "accuracy_low", "accuracy_high"]
    return pd.DataFrame(rows, columns=columns)


def test_the_leader_at_each_n_and_where_the_gap_changes_sign():
    table = curves({"concat-mlp": [0.6, 0.7, 0.9], "bilinear": [0.7, 0.8, 0.85]})
    found = answer(table)
    assert found.leaders["ahead"].tolist() == ["bilinear", "bilinear", "concat-mlp"]
    assert found.leaders["next"].tolist() == ["concat-mlp", "concat-mlp", "bilinear"]
    (where,) = found.crossovers
    assert where == pytest.approx(256 * 4 ** (0.1 / 0.15), rel=5e-3)
    assert "bilinear is ahead at n = 64, 256" in found.to_text()
    assert f"the lead changes at about {where:g} pairs" in found.to_text()


def test_a_small_lead_is_too_close_to_call():
    found = answer(curves({"concat-mlp": [0.700], "bilinear": [0.705]}, n=(64,)))
    assert found.leaders["ahead"].tolist() == ["too close to call"]
    assert found.to_text().startswith("Too close to call at 64 pairs")


def test_the_interval_is_that_of_a_difference_of_normal_errors():
    table = curves({"concat-mlp": [0.8], "bilinear": [0.7]}, half=0.03, n=(64,))
    row = predicted_lead(table, "concat-mlp", "bilinear").iloc[0]
    half = np.sqrt(2) * 0.03
    assert row["lead_low"] == pytest.approx(0.1 - half, abs=1e-6)
    assert row["lead_high"] == pytest.approx(0.1 + half, abs=1e-6)
    assert row["sure"] == pytest.approx(norm.cdf(0.1 * 1.959964 / half), abs=1e-6)


@given(st.floats(0.5, 1), st.floats(0.5, 1), st.floats(0, 0.1))
def test_exchanging_the_heads_turns_the_sign_and_nothing_else(a, b, half):
    table = curves({"concat-mlp": [a], "bilinear": [b]}, half=half, n=(64,))
    one = predicted_lead(table, "concat-mlp", "bilinear").iloc[0]
    other = predicted_lead(table, "bilinear", "concat-mlp").iloc[0]
    assert one["lead"] == -other["lead"]
    assert one["lead_low"] == pytest.approx(-other["lead_high"], abs=1e-12)
    assert one["sure"] == pytest.approx(other["sure"], abs=1e-12)
    assert one["ahead"] == other["ahead"]


def test_heads_that_are_not_to_be_trusted_are_named():
    table = curves({"concat-mlp": [0.6], "bilinear": [0.7]}, n=(64,))
    doubted = table.assign(trusted=table["head"] != "bilinear")
    assert "predictions of bilinear were seen to" in answer(doubted).to_text()
    assert "guess" not in answer(table.assign(trusted=True)).to_text()


def test_refusals():
    table = curves({"bilinear": [0.7]}, n=(64,))
    with pytest.raises(InputError, match="must have the columns accuracy_low"):
        answer(table.drop(columns="accuracy_low"))
    with pytest.raises(InputError, match="must have the head concat-mlp, got none"):
        predicted_lead(table, "concat-mlp", "bilinear")
