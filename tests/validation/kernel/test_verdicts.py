"""Each verdict follows its rule, on tables small enough to judge by eye."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pandas as pd
import pytest

from validation.kernel import (
    GAP_CLAIM,
    cell_verdicts,
    claim_verdicts,
    crossover_verdicts,
    head_summary,
    sentences,
    sign_verdicts,
)

NAN = float("nan")


def cell(measured: float, predicted: float, error: float = 0.01, band: float = 0.02) -> dict:
    return {
        "condition": "aligned",
        "head": "bilinear",
        "n": 256,
        "seeds": 5,
        "measured": measured,
        "measured_se": error,
        "predicted": predicted,
        "predicted_low": predicted - band,
        "predicted_high": predicted + band,
    }


def gaps(*rows: tuple[int, float, float], error: float = 0.01) -> pd.DataFrame:
    columns = ["n", "measured_gap", "predicted_gap"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(condition="aligned", measured_gap_se=error, seeds=5)


def crossover(measured: float, low: float, high: float, predicted: float) -> pd.DataFrame:
    columns = ["condition", "measured", "measured_low", "measured_high", "predicted"]
    return pd.DataFrame([("aligned", measured, low, high, predicted)], columns=columns)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (cell(0.80, 0.80), "agrees"),
        (cell(0.84, 0.80), "agrees"),  # band 0.02 and two errors of 0.01: on the edge
        (cell(0.76, 0.80), "agrees"),
        (cell(0.841, 0.80), "off"),
        (cell(0.759, 0.80), "off"),
        (cell(0.80, 0.80, error=NAN), "not tested"),
        (cell(0.80, NAN), "not tested"),
        (cell(NAN, 0.80), "not tested"),
        (cell(1.0, 0.0, error=0.0, band=0.0), "off"),
    ],
)
def test_accuracy_agrees_within_band_and_two_errors(row: dict, verdict: str) -> None:
    judged = cell_verdicts(pd.DataFrame([row]))
    assert judged["verdict"].tolist() == [verdict]
    expected = 100 * (row["predicted"] - row["measured"])
    assert judged["difference"][0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("measured", "predicted", "error", "verdict", "lead"),
    [
        (0.05, 0.01, 0.01, "agrees", 1),
        (-0.05, -0.2, 0.01, "agrees", -1),
        (0.05, -0.01, 0.01, "wrong sign", 1),
        (0.05, 0.0, 0.01, "wrong sign", 1),
        (0.02, -0.3, 0.01, "too close to call", 0),
        (0.0, 0.0, 0.0, "too close to call", 0),
        (0.05, NAN, 0.01, "not tested", 1),
        (0.05, 0.05, NAN, "not tested", 0),
        (NAN, 0.05, 0.01, "not tested", 0),
    ],
)
def test_sign(measured: float, predicted: float, error: float, verdict: str, lead: int) -> None:
    judged = sign_verdicts(gaps((256, measured, predicted), error=error))
    assert judged[["verdict", "lead"]].iloc[0].tolist() == [verdict, lead]


@pytest.mark.parametrize(
    ("numbers", "verdict", "factor"),
    [
        ((3000, 2800, 3200, 3100), "agrees", 3100 / 3000),
        ((3000, 2800, 3200, 6000), "late", 2.0),
        ((3000, 2800, 3200, 1500), "early", 0.5),
        ((3000, 2800, NAN, 9000), "agrees", 3.0),  # open above
        ((3000, NAN, NAN, 3000), "not tested", 1.0),
        ((3000, 2800, 3200, NAN), "only measured", NAN),
        ((NAN, NAN, NAN, 3000), "only predicted", NAN),
        ((NAN, NAN, NAN, NAN), "neither", NAN),
    ],
)
def test_crossover(numbers: tuple, verdict: str, factor: float) -> None:
    judged = crossover_verdicts(crossover(*numbers))
    assert judged["verdict"].tolist() == [verdict]
    assert judged["factor"][0] == pytest.approx(factor, nan_ok=True)
    (sentence,) = sentences.crossover_sentence(judged)
    assert all(f"{n:.0f}" in sentence for n in numbers if math.isfinite(n))
    assert "nan" not in sentence


def test_claim_is_judged_only_where_it_was_made() -> None:
    rows = [(1024, 0.05, 0.0), (2048, -0.1, 0.0), (4096, 0.01, 0.0), (8192, 0.05, 0.0)]
    table = pd.concat([gaps(*rows, (16384, 0.2, 0.0)), gaps((2048, 0.05, 0)).assign(condition="x")])
    judged = claim_verdicts(table)
    assert judged["n"].tolist() == [2048, 4096, 8192, 16384]
    assert judged["verdict"].tolist() == ["reversed", "smaller", "as claimed", "larger"]
    assert "at 1 of these 4 sizes" in sentences.claim_sentence(judged)
    assert "nothing was measured" in sentences.claim_sentence(judged[:0])
    assert "at none" in sentences.claim_sentence(judged[:2])
    assert (
        f"{GAP_CLAIM['lead_low_points']} to {GAP_CLAIM['lead_high_points']}"
        in sentences.claim_sentence(judged)
    )


def test_head_summary_names_the_worst_cell() -> None:
    rows = [cell(0.8, 0.8), {**cell(0.8, 0.7), "n": 512}, cell(NAN, 0.8)]
    (summary,) = head_summary(pd.DataFrame(rows)).to_dict("records")
    assert (summary["cells"], summary["tested"], summary["agree"]) == (2, 2, 1)
    assert summary["mean_absolute_error"] == pytest.approx(5)
    assert summary["bias"] == pytest.approx(-5)
    assert summary["half_band"] == pytest.approx(2)
    assert summary["worst"] == pytest.approx(-10)
    assert summary["worst_n"] == 512


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (-0.2, 0.1, "the bilinear head leads by 20.0 points at 256 pairs, but concatenation leads"),
        (0.2, -0.1, "concatenation leads by 20.0 points at 256 pairs, but the bilinear head leads"),
        (0.2, 0.1, "and still by 10.0 points at 8192 pairs"),
        (-0.2, -0.1, "and still by 10.0 points at 8192 pairs"),
        (0.0, 0.0, "neither leads clearly at 256 pairs, and still neither does at 8192 pairs"),
        (0.0, 0.1, "neither leads clearly at 256 pairs, but concatenation leads by 10.0 points"),
        (-0.2, 0.0, "but neither leads clearly at 8192 pairs"),
    ],
)
def test_answer_follows_the_sign_at_both_ends(first: float, last: float, words: str) -> None:
    signs = sign_verdicts(gaps((256, first, 0.0), (8192, last, 0.0)))
    none = crossover_verdicts(crossover(NAN, NAN, NAN, NAN))
    assert words in sentences.measured_sentence("aligned", signs, none)
    some = crossover_verdicts(crossover(3000, 2800, 3200, NAN))
    assert "changes at about 3000" in sentences.measured_sentence("aligned", signs, some)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(256, -0.1, -0.1), (512, 0.1, 0.1)], "in all 2 cases"),
        ([(256, -0.1, -0.1), (512, 0.1, -0.1)], "in 1 of the 2 cases"),
        ([(256, -0.1, -0.1), (512, 0.0, -0.1)], "in the one case"),
        ([(256, 0.0, -0.1)], "No measured lead"),
    ],
)
def test_prediction_is_counted(rows: list, words: str) -> None:
    assert words in sentences.predicted_sentence(sign_verdicts(gaps(*rows)))


@pytest.mark.parametrize(
    ("first", "last", "order", "decay"),
    [
        (-0.2, 0.1, "the other way round", "changes sign"),
        (0.2, -0.1, "this way round", "changes sign"),
        (0.2, 0.1, "no change of lead", "falls by a factor of 2."),
        (0.1, 0.2, "no change of lead", "grows by a factor of 2."),
        (0.2, 0.0, "no change of lead", "too close to zero"),
    ],
)
def test_orders_are_compared(first: float, last: float, order: str, decay: str) -> None:
    signs = sign_verdicts(gaps((256, first, 0.0), (8192, last, 0.0)))
    assert order in sentences.order_sentence(256.0, signs)
    assert decay in sentences.decay_sentence(32.0, signs)
    assert "factor of 32" in sentences.decay_sentence(32.0, signs)


def test_numbers_are_written_plainly() -> None:
    assert doctest.testmod(sentences).failed == 0
    assert [sentences.points(x) for x in (1.25, -3.0, -0.04, NAN)] == ["+1.2", "−3.0", "0.0", "–"]
    numbers = (np.int64(8192), 2913.4, 0.25, NAN, np.inf)
    assert [sentences.number(x) for x in numbers] == ["8192", "2913", "0.25", "–", "–"]
