"""The best ridge of a simulation: chosen on draws of their own, then held; predicted likewise."""

from dataclasses import replace

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.heads import RIDGES
from fusiontheory.simulate import (
    SimulationGrid,
    plot_simulation,
    predict_head,
    read_grid,
    simulate,
    units_of,
)

BASE = {"pairs.d_v": 4, "pairs.d_t": 4, "target.noise": 0.5}
VARIED = {"target.interaction": [0.2, 0.8]}
HEADS = ["additive", "bilinear", "low-rank", "concat-mlp"]


@pytest.fixture(scope="module")
def grid():
    settings = {"heads": HEADS, "n": [12, 96], "seeds": 3, "rank": 2, "test_rows": 100}
    return SimulationGrid.of(BASE, VARIED, ridges="best", predict="gaussian", **settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("best")


@pytest.fixture(scope="module")
def table(grid, folder):
    return simulate(grid, folder)


def test_a_ridge_is_held_for_all_seeds_and_is_one_of_those_to_choose_from(grid, table):
    assert len(table) == grid.runs == 2 * 4 * 2 * 3
    for (_, head), own in table.groupby(["config_index", "head"]):
        assert (own.groupby("n")["ridge"].nunique() == 1).all()
        if head == "low-rank":
            assert (own["ridge"] == 0).all()
        else:
            scale = np.unique(own["ridge"]) / np.array(RIDGES)[:, None]
            # One scale of the head's kernel stands behind the ridges of all n.
            assert any(np.isclose(scale, x).any(axis=0).all() for x in scale[:, 0])


def test_it_is_the_best_over_two_draws_that_no_seed_has(grid, table):
    unit = next(u for u in units_of(grid) if u.chosen and u.head == "bilinear")
    found = replace(unit, search=True, chosen=False).run()
    assert {row["draw"] for row in found} == {0, 1}
    for k, n in ((0, 12), (1, 96)):
        at = {
            r: [x["test"] for x in found if (x["config"], x["n"], x["ridge"]) == (k, n, r)]
            for r in unit.ridges
        }
        assert all(len(values) == 2 for values in at.values())
        own = table.query("head == 'bilinear' and config_index == @k and n == @n")
        assert own["ridge"].iloc[0] == min(at, key=lambda ridge: np.mean(at[ridge]))
        best = min(np.mean(values) for values in at.values())
        # Its own draws: no seed of the table has them.
        assert not np.isclose(own["test"], best).any()


def test_the_predicted_one_has_the_least_predicted_error(grid, table):
    unit = next(u for u in units_of(grid) if u.chosen and u.head == "additive")
    own = table.query("head == 'additive' and config_index == 1 and n == 12").iloc[0]
    each = [predict_head(grid.configs[1], "additive", [12], r, sharp=False) for r in unit.ridges]
    errors = [found.test[0] for found in each]
    assert own["predicted_ridge"] == unit.ridges[int(np.argmin(errors))]
    assert own["predicted_test"] == min(errors)


def test_what_has_no_formula_has_no_predicted_ridge(table):
    own = table[table["head"] == "concat-mlp"]
    assert own["predicted_ridge"].isna().all()
    assert own["ridge"].gt(0).all()


def test_a_second_run_finds_everything_and_more_seeds_keep_the_ridge(grid, folder, table):
    more = simulate(replace(grid, seeds=(0, 1, 2, 3)), folder)
    key = ["config_index", "head", "n"]
    before, after = (x.groupby(key)["ridge"].first() for x in (table, more))
    assert before.equals(after)
    kept = more[more["seed"] < 3].drop(columns="seconds").reset_index(drop=True)
    assert kept.equals(table.drop(columns="seconds"))


def test_a_picture_has_a_panel_for_a_configuration_not_for_a_ridge(table):
    assert len(plot_simulation(table).axes) == 2


def test_classification_is_chosen_by_accuracy(tmp_path):
    grid = SimulationGrid.of(
        {"pairs.d_v": 4, "pairs.d_t": 4, "pairs.correlation": 0.8, "target.kind": "matching"},
        {}, heads=["dot-product", "bilinear"], n=[64], seeds=1, ridges="best", test_rows=200,
    )  # fmt: skip
    found = simulate(grid, tmp_path)
    assert found["formula"].eq("predict_curve").all()
    assert found[["accuracy", "predicted_ridge", "ridge"]].gt(0).all(axis=None)


def test_a_file_may_say_best_and_no_other_word(tmp_path):
    text = 'heads = ["additive"]\nn = [8]\nseeds = 1\nridge = {}\n[pairs]\nd_v = 2\nd_t = 2\n'
    path = tmp_path / "grid.toml"
    path.write_text(text.format('"best"'))
    assert read_grid(path).ridges == "best"
    path.write_text(text.format('"least"'))
    with pytest.raises(InputError, match="ridge must be a list of numbers or 'best', got 'least'"):
        read_grid(path)
