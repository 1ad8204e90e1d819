"""The search of token networks: its folds, where it ends, and what is read off its tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.token_attention import REAL
from experiments.token_search.config import BASE, Config, Run
from experiments.token_search.search import climb
from experiments.token_search.summary import chosen, comparison


def test_no_test_image_of_a_fold_is_in_another_or_chooses() -> None:
    config = Config()
    own = config.of(REAL)
    folds = [own.real_rows(np.arange(900), draw) for draw in range(config.draws)]
    tests = np.concatenate([test for *_, test in folds])
    assert np.unique(tests).size == tests.size == 4 * 200
    for train, dev, test in folds:
        assert np.unique(np.concatenate([train, dev, test])).size == 900
        assert np.array_equal(dev, folds[0][1])
    assert not set(folds[0][1]) & set(tests)


def test_a_search_ends_where_every_neighbour_was_tried() -> None:
    def dev(run: Run) -> float:
        return -abs(np.log(run.rate / 1e-3)) - abs(np.log(run.decay / 1e-2)) - abs(run.scale - 2)

    best, seen = climb(Config(), dev)
    assert (best.rate, best.decay, best.scale) == (1e-3, 1e-2, 2.0)
    assert {run.rate for run in seen if run.decay == 1e-2 and run.scale == 2.0} == {
        3e-4,
        1e-3,
        3e-3,
    }
    assert all(run.width == BASE.width for run in seen)


def test_a_choice_at_an_end_is_refused() -> None:
    with pytest.raises(RuntimeError, match="rate must have more values"):
        climb(Config(), lambda run: run.rate)


def test_a_distance_is_of_the_same_draws_and_its_interval_of_their_spread() -> None:
    place = {"population": "p", "head": "token-mlp"}
    told = pd.DataFrame({"seed": [0, 1, 2], "accuracy": [0.8, 0.7, 0.9]}).assign(**place)
    runs = [(0, 0, 0.78), (0, 1, 0.80), (1, 0, 0.67), (1, 1, 0.67)]
    found = pd.DataFrame(runs, columns=["draw", "seed", "test"]).assign(how="chosen", **place)
    [row] = comparison({"predictions.csv": told, "results.csv": found}).to_dict("records")
    assert row["error"] == pytest.approx(2.0)
    # Distances 1 and 3: a standard error of 1, and Student's quantile with one degree of freedom.
    assert row["high"] - row["error"] == pytest.approx(12.706, rel=1e-4)


def test_neighbours_of_the_choice_that_were_tried_are_counted() -> None:
    places = [(1e-2, 1e-4), (3e-2, 1e-4), (3e-3, 1e-4), (3e-2, 1e-3), (1e-1, 1e-4)]
    table = pd.DataFrame(places, columns=["rate", "decay"])
    table = table.assign(
        part="search", population="p", head="token-mlp", scale=1.0, dev=0.7, train=0.8, epoch=9
    )
    [row] = chosen({"search.csv": table.assign(chosen=table.index == 1)}).to_dict("records")
    assert (row["rate"], row["tried"], row["sides"]) == (3e-2, 5, 3)
