"""The study of trials: its table of errors, and the page that shows it."""

import pandas as pd

from experiments.own_trials import publish, summary
from experiments.own_trials.__main__ import STUDY
from experiments.own_trials.config import chosen_populations
from fusiontheory.synthetic import FOREIGN


def test_two_populations_of_every_kind() -> None:
    kinds = [FOREIGN[name].kind for name in chosen_populations(2)]
    assert all(kinds.count(kind) == 2 for kind in {own.kind for own in FOREIGN.values()})


def test_errors_are_in_points_and_intervals_hold_within_two_standard_errors() -> None:
    place = {"population": "gauss_mild", "head": "bilinear", "ridge": 0.1}
    said = {"images": 500, "trusted": True, "tried": 400, "seconds": 1.0}
    rows = [
        {**place, **said, "n": n, "theory": 0.6, "theory_low": 0.55, "theory_high": 0.65,
         "trial": 0.7, "trial_low": 0.695, "trial_high": 0.75} for n in (128, 512)
    ]  # fmt: skip
    truth = [{**place, "n": n, "measured": 0.67, "se": 0.01} for n in (128, 512)]
    found = summary.compared(
        {"predictions.csv": pd.DataFrame(rows), "results.csv": pd.DataFrame(truth)}
    )
    assert found["theory_error"].round(6).tolist() == [-7.0, -7.0]
    assert found["trial_error"].round(6).tolist() == [3.0, 3.0]
    assert found["within"].tolist() == [True, False]
    assert found["theory_holds"].all()
    assert not found["trial_holds"].any()


def test_the_page_shows_what_is_stored() -> None:
    text = publish.PAGE.read_text(encoding="utf-8")
    assert publish.page(text) == text
    assert len(STUDY.tables()["predictions.csv"]) == 22 * 2 * 2 * 2 * 3
