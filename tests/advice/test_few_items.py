"""What is said where the study of choices, or that of intervals, speaks against the advice."""

from pathlib import Path

import pandas as pd

from fusiontheory.advice import advise
from fusiontheory.advice.labelled import BALANCED_HELD, REGRET_TASKS, REGRETS, few_items

STUDIES = Path(__file__).parents[2] / "experiments"
BOARD = STUDIES / "choice" / "leaderboard.csv"


def test_numbers_are_those_of_the_study():
    table = pd.read_csv(BOARD).set_index(["set", "n0", "rule"]).loc["all", 60]
    assert {rule: round(float(table["regret"][rule]), 2) for rule in REGRETS} == REGRETS
    assert table["tasks"]["advice"] == REGRET_TASKS
    assert min(REGRETS, key=lambda rule: REGRETS[rule]) != "advice"


def test_how_often_balanced_intervals_hold_is_that_of_the_study(views):
    table = pd.read_csv(STUDIES / "pilot_accuracy" / "unequal.csv")
    judged = table[
        (table["set"] == "judged") & (table["kind"] == "seen") & (table["pilot"] != "any")
    ]
    held = 100 * judged["covered"]
    assert (round(held.min()), round(held.max())) == BALANCED_HELD
    v, t = views
    found = advise(v, t, (v * t).sum(1) > 2, heads=["concat-linear", "interaction"])
    assert found.metric == "balanced_accuracy"
    assert any(
        "balanced accuracy" in note and "of those of 90 % hold" in note for note in found.notes
    )


def test_sixty_items_are_cautioned_on_every_output_and_a_hundred_are_not(views):
    v, t = (x[:60] for x in views)
    found = advise(v, t, (v * t).sum(1) > 0, heads=["concat-linear", "interaction"])
    assert found.settle.startswith(few_items(60))
    for text in (found.page(), found.to_json(), " ".join(str(found).split())):
        assert "too few to choose by this advice" in text
    assert few_items(100) == ""
