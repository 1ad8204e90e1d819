"""The one door: refusals, and answers to data that are unusual."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fusiontheory import InputError
from fusiontheory.advice import advise

FEW = {"heads": ["concat-linear", "interaction"]}


def one_class(y):
    y[:] = 1
    return y


def rare_class(y):
    y[:] = 1
    y[:3] = 0
    return y


def no_labels(y):
    y[[3, 7]] = np.nan
    return y


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (one_class, "one class"),
        (rare_class, "fewer than 5 items"),
        (no_labels, "rows 3, 7"),
        (lambda y: y[:100], "one label for each of 160"),
        (lambda y: np.array([f"kind {k % 3}" for k in range(160)]), "numbers for a regression"),
    ],
    ids=["one class", "rare class", "nan", "rows", "texts"],
)
def test_labels_that_cannot_be_used_are_refused(views, change, message):
    v, t = views
    y = ((v * t).sum(1) > 0).astype(float)
    task = "regression" if message.startswith("numbers") else "classification"
    with pytest.raises(InputError, match=message):
        advise(v, t, change(y), task=task)


@pytest.mark.parametrize("labelled", [True, False])
def test_too_few_rows_are_refused_with_what_would_do(views, labelled):
    v, t = (x[:40] for x in views)
    with pytest.raises(InputError, match=r"too few.*50 are the least"):
        advise(v, t, np.arange(40) % 2 if labelled else None)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_constant_modality_is_refused(views, labelled):
    v, t = views
    with pytest.raises(InputError, match="image"):
        advise(np.ones_like(v), t, np.arange(160) % 2 if labelled else None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_accuracy": 90}, r"0\.9 for 90 %"),
        ({"target_n": 3}, "at least 20"),
        ({"heads": ["concat-linear", "bilinea"]}, "did you mean bilinear"),
        ({"heads": ["bilinear"]}, "at least 2"),
        ({"missing": "guess"}, "refuse or drop"),
        ({"groups": [1, 2]}, "one group for each"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(views, settings, message):
    with pytest.raises(InputError, match=message):
        advise(*views, np.arange(160) % 2, **settings)


def test_missing_rows_are_counted_and_left_out(views):
    v, t = (x.copy() for x in views)
    y = (v * t).sum(1) > 0
    v[3], t[5] = np.nan, 0
    found = advise(v, t, y, **FEW)
    assert found.items == 158
    assert any("2 of 160 rows lack a modality" in note for note in found.notes)
    with pytest.raises(InputError, match="index 3"):
        advise(v, t, y, missing="refuse")


def test_copies_are_counted_and_left_out_together(views):
    v, t = (np.concatenate([x, x[:30]]) for x in views)
    y = np.random.default_rng(0).integers(0, 2, 160)
    y = np.concatenate([y, y[:30]])
    found = advise(v, t, y, heads=["rbf-both", "concat-linear"])
    assert any("30 of 190 items are copies" in note for note in found.notes)
    # Labels are noise: predicted from their own copies, they would seem learnable.
    assert found.verdict == "undetermined"


def test_groups_and_copies_are_joined(views):
    v, t = (np.concatenate([x, x[:4]]) for x in views)
    y = np.arange(164) % 2
    y[160:] = y[:4]
    found = advise(v, t, y, groups=np.arange(164) // 2, **FEW)
    assert any("copies" in note for note in found.notes)


def test_more_items_than_a_pilot_takes_are_thinned(views):
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((2, 2300, 2))
    y = (np.arange(2300) < 6).astype(int)
    found = advise(v, t, y, heads=["image-only", "text-only"])
    assert found.items == 2048
    assert found.target == 2300
    assert any("2,048 of 2,300" in note for note in found.notes)
    assert any("unequal" in note for note in found.notes)
    assert found.metric == "balanced_accuracy"


def test_one_column_each_is_answered_and_said(views):
    v, t = (x[:, :1] for x in views)
    found = advise(v, t, (v * t)[:, 0] > 0, **FEW)
    assert sum("one column" in note for note in found.notes) == 2
    assert found.recommended == "interaction"


def test_labels_of_noise_are_undetermined(views):
    found = advise(*views, np.random.default_rng(5).integers(0, 2, 160), **FEW)
    assert found.verdict == "undetermined"
    assert found.recommendation.startswith("Undetermined")
    assert "assurance" not in found.tables


def test_no_torch_is_loaded():
    code = (
        "import sys, numpy as np, fusiontheory as ft\n"
        "v, t = np.random.default_rng(0).standard_normal((2, 80, 3))\n"
        "ft.advise(v, t, np.arange(80) % 2, heads=['concat-linear', 'bilinear'], verify=True)\n"
        "str(ft.advise(v, t))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("scale", [1e150, 1e-200])
def test_numbers_of_any_size_are_features(views, scale):
    v, t = views
    y = ((v * t).sum(1) > 0).astype(int)
    found, same = (advise(x, t, y, **FEW) for x in (v * scale, v))
    assert found.recommended == same.recommended
    assert not any("copies" in note for note in found.notes)


def test_the_table_and_the_figure_have_the_same_accuracies(views):
    """At the target, a head's value is that of its own curve in both."""
    v, t = views
    found = advise(v, t, ((v * t).sum(1) > 0).astype(int), **FEW)
    curves = found.tables["curves"]
    drawn = curves[curves["n"] == found.target].set_index("head")
    for row in found.tables["choice"].itertuples():
        assert row.expected == pytest.approx(drawn.loc[row.head, "value"])
        assert row.low == pytest.approx(drawn.loc[row.head, "low"])
