"""The answer: what it says, and that its forms say the same."""

import json

import numpy as np
import pandas as pd
import pytest

from fusiontheory import InputError
from fusiontheory.advice import Advice


def test_every_form_says_the_task_first(labelled, matching):
    for found, words in ((labelled, "classification"), (matching, "image-text matching")):
        assert words in found.headline
        assert str(found).splitlines()[0].startswith("Task: ")
        assert words in " ".join(str(found).split())[:80]
        assert list(json.loads(found.to_json()))[:2] == ["task", "headline"]
        body = found.page().split("<body>")[1]
        assert body.index("Task: ") < body.index("<h1>")
        short = found._repr_html_()
        assert short.index("Task: ") < short.index("<strong>")


def test_matching_says_that_no_labels_were_given(matching):
    assert "no labels were given" in matching.headline


def test_json_comes_back(labelled, matching):
    for found in (labelled, matching):
        back = Advice.from_json(found.to_json())
        assert back.to_json() == found.to_json()
        for name, table in found.tables.items():
            pd.testing.assert_frame_equal(back.tables[name], table, check_dtype=False)
    with pytest.raises(InputError, match="to_json"):
        Advice.from_json("{}")


def test_probabilities_sum_to_one(labelled, matching):
    for found in (labelled, matching):
        choice = found.tables["choice"]
        assert choice["p_best"].sum() == pytest.approx(1)
        assert (choice["expected_regret"] >= 0).all()
        assert choice["gap"].iloc[0] == 0


def test_a_product_of_the_modalities_is_found(labelled):
    assert labelled.recommended in ("interaction", "rbf-both")
    assert labelled.target == 600
    tables = labelled.tables
    split = tables["interaction"].set_index("part")
    assert split["of_learnable"]["interaction"] > 0.8
    gone = tables["missing"].set_index(["missing", "share"])
    assert gone["imputed"]["v", 0.0] > gone["imputed"]["v", 1.0] + 0.1
    cost = tables["cost"].set_index("head")
    assert cost["parameters"]["interaction"] == 3 * (4 + 4 + 16 + 1)
    assert (cost[["fit_seconds", "predict_seconds"]] > 0).all(axis=None)


def test_target_accuracy_sets_assurance(views, classes):
    from fusiontheory.advice import advise

    heads = ["concat-linear", "interaction"]
    found = advise(*views, classes, target_accuracy=0.6, heads=heads)
    table = found.tables["assurance"].set_index("head")
    assert (table["target"] == 0.6).all()
    assert found.target == np.nanmin(table["n_assured"])


def test_figures_are_written(labelled, tmp_path):
    written = labelled.write_figures(tmp_path / "figures")
    assert {p.name for p in written} == {
        f"{name}.{kind}" for name in ("curves", "choice", "missing") for kind in ("png", "svg")
    }
