"""The study of tuned heads of attention: what it searches, and how its tables are read."""

from __future__ import annotations

import pandas as pd
import pytest

pytest.importorskip("torch")

from experiments.tuned_attention.config import CONFIG, STRENGTHS
from experiments.tuned_attention.predict import CONCATENATION, STARTS
from experiments.tuned_attention.summary import comparison


def test_both_heads_are_searched_in_both_conditions() -> None:
    assert CONFIG.searched == CONFIG.places
    assert len({*CONFIG.places}) == 2 * len(STRENGTHS)
    for head, condition in CONFIG.places:
        [cell] = CONFIG.study(head, condition).cells("search")
        assert (cell.head, cell.condition, cell.n) == (head, condition, CONFIG.n)


def test_the_prediction_is_that_of_the_better_start() -> None:
    told = [
        *(("two-way-attention", by, x) for by, x in zip(STARTS, (0.85, 0.8), strict=True)),
        ("two-way-attention", CONCATENATION, 0.9),
        *(("token-attention", by, x) for by, x in zip(STARTS, (0.5, 0.6), strict=True)),
    ]
    place = {"condition": "aligned", "n": CONFIG.n}
    chosen = {"learning_rate": 0.01, "weight_decay": 0.0, "init_scale": 1.0, "tried": 20}
    runs = [
        {"head": head, "accuracy": accuracy}
        for head in ("token-attention", "two-way-attention")
        for accuracy in (0.69, 0.71)
    ]
    table = comparison(
        {
            "predictions.csv": pd.DataFrame(told, columns=["head", "by", "predicted"]).assign(
                **place
            ),
            "results.csv": pd.DataFrame(runs).assign(**place, **chosen),
        }
    ).set_index("head")
    assert table["kernel"].to_dict() == pytest.approx(
        {"two-way-attention": 85.0, "token-attention": 60.0}
    )
    assert table["error"].to_dict() == pytest.approx(
        {"two-way-attention": 15.0, "token-attention": -10.0}
    )
    assert table.loc["two-way-attention", "concatenation"] == pytest.approx(90.0)
    assert table.loc["token-attention", "fixed"] == pytest.approx(50.0, abs=0.1)
