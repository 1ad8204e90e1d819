"""What rules would lose that are told more, and sizes and powers, on tables made by hand."""

import numpy as np
import pandas as pd
import pytest

from experiments.choice.floor import floor, risk_floor
from experiments.choice.interaction import FAMILIES, at_level, power, told
from experiments.choice.worlds import world_of

HEADS = ("a", "b", "c")


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    choices, truth = [], []
    for task in range(12):
        level = rng.uniform(0.4, 0.6, 3)
        for k, head in enumerate(HEADS):
            true = level[k] - 0.1 * (k + 1)
            for n, risk in ((100, level[k]), (800, true)):
                truth.append((f"world{task}", n, head, risk, 1 - risk))
            flat = level[k] + 0.05 * rng.standard_normal()
            forecast = flat - 0.1 * (k + 1)  # the gain is right, the level is not
            seen = (forecast, forecast, 0.05, flat, flat - 0.02)
            family = ("additive", "xor", "share")[task % 3]
            choices.append((f"world{task}", family, "100-0", 100, head, *seen))
    names = [
        "task",
        "family",
        "pilot",
        "n0",
        "head",
        "advised_risk",
        "forecast",
        "deviation",
        "flat",
    ]
    return (
        pd.DataFrame(choices, columns=[*names, "power"]),
        pd.DataFrame(truth, columns=["task", "n", "head", "true_risk", "true_accuracy"]),
    )


def test_a_rule_that_is_told_the_truth_loses_nothing(tables):
    found = floor(*tables, 800).set_index("rule")["regret"]
    assert found["forecast errors times 0"] == found["told the level"] == 0
    assert found["forecast errors times 0.5"] <= found["forecast errors times 1"]
    assert found["forecast errors times 1"] > 0
    assert found["advice"] == found["forecast errors times 1"]
    assert found["a prior of the other judged worlds"] < found["advice"]


def test_a_forecast_whose_level_alone_is_off_errs_no_more_when_it_is_told(tables):
    found = risk_floor(*tables, 800, 100).set_index("rule")
    assert found.loc["told the level", "error"] == pytest.approx(0, abs=1e-9)
    assert found.loc["forecast", "error"] > 1
    assert found.loc["flat curve", "to_flat"] == found.loc["power law", "to_power"] == 1


def test_rejections_are_counted_by_kind_of_world():
    rows = [
        ("additive", 1, 0, 0.1, 0.0, 0, 1.0, 0.04, 0.5, np.nan),
        ("additive", 2, 2, 0.1, 0.6, 0, 1.0, 0.5, 0.03, np.nan),
        ("xor3", 3, 2, 0.1, 0.6, 8, 1.0, 0.5, 0.01, 0.01),
        ("xor3", 4, 0, 0.5, 0.3, 0, 1.0, 0.02, 0.04, 0.01),
    ]
    about = ["family", "seed", "classes", "noise", "correlation", "tails", "alignment"]
    table = pd.DataFrame(rows, columns=[*about, "p_value", "p_kernel", "p_function"])
    found = power(table).set_index("worlds")
    assert found.loc["all"].tolist() == [2, 1, 2, 1, 2, 2]
    assert found.loc["correlation of 0.6"].tolist() == [1, 0, 1, 0, 1, 1]
    assert found.loc["XOR"].tolist() == [0, 0, 2, 1, 2, 2]
    many = pd.concat([table[:2]] * 20 + [table[2:]])
    levels = at_level(many).set_index(["test", "size"])["found"]
    assert levels["p_value", 0.05] == 0.5
    assert levels["p_kernel", 0.05] == 0.5


@pytest.mark.parametrize("family", ["xor3", "quadratic"])
def test_what_is_told_is_of_the_items_whose_labels_are_tested(family, monkeypatch):
    monkeypatch.setattr("experiments.choice.interaction.ITEMS", 120)
    monkeypatch.setattr("experiments.choice.interaction.PERMUTATIONS", 19)
    world = world_of(family, FAMILIES[family], 71_005, judged=True)
    labels = world.sampler()(120, 1)[2]
    by_kernel, by_function = told(world, labels)
    if family == "quadratic":
        assert by_kernel > 0.05
        assert np.isnan(by_function)
    else:
        assert by_function <= 0.05
