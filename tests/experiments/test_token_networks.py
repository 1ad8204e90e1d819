"""Studies of single networks: the pairs of the study that a population is of, and what is tried."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from experiments.leaving_chance.config import Config as Leaving
from experiments.token_attention import REAL
from experiments.token_attention import Config as Tokens
from experiments.token_networks.config import Config
from experiments.token_networks.summary import comparison, edges
from experiments.token_objects import Config as Objects
from experiments.tuned_heads.config import Config as Tuned


@pytest.mark.parametrize(
    ("population", "source"), [("9 tokens of 60 objects", Objects()), (REAL, Tokens())]
)
def test_networks_have_the_images_of_the_study_of_kernels(population: str, source: Tokens) -> None:
    own = Config().of(population)
    first, second = own.draw(population, 1), source.draw(population, 1)
    assert np.array_equal(first.text, second.text)
    assert np.array_equal(first.test, second.test)
    assert (own.entropy, own.sizes) == (source.entropy, (4096,))


def test_a_choice_at_an_end_of_the_search_is_counted() -> None:
    place = {"population": "p", "n": 4096}
    told = pd.DataFrame([{"head": head, "accuracy": 0.7} for head in "abc"]).assign(**place)
    runs = [
        {"head": head, "accuracy": 0.6 + 0.01 * seed, "rate": rate, "decay": 1e-4}
        for head, rate in (("a", 1e-2), ("b", 3e-2))
        for seed in (0, 1)
    ]
    tables = {"predictions.csv": told, "results.csv": pd.DataFrame(runs).assign(**place)}
    table = comparison(tables).set_index("head")
    assert table["error"].to_dict() == pytest.approx({"a": 9.5, "b": 9.5})
    assert edges(tables).set_index("of")["high"].to_dict() == {"rate": 1, "decay": 0}


def test_the_runs_that_may_leave_chance_differ_in_rate_and_start() -> None:
    config = Leaving()
    study = config.study
    cells = [study.trial_cell(config.condition, config.head, config.n, t) for t in config.trials]
    assert [cell.variant.unit_logits for cell in cells] == [False, True, True]
    assert {dict(cell.variant.training)["threshold"] for cell in cells} == {"scores"}
    assert {cell.seeds for cell in cells} == {(study.search_seed,)}


def test_a_search_starts_from_the_whole_grid_at_a_seed_of_its_own() -> None:
    config = Tuned()
    assert {*config.searched} < {*config.places}
    study = config.study("gated", "unaligned")
    [cell] = study.cells("search")
    assert (cell.head, cell.condition, cell.n) == ("gated", "unaligned", config.n)
    assert cell.runs == study.least_trials(config.n) == 16
    assert cell.seeds[0] not in range(config.seeds)
