"""What is hardly meant is said, and what cannot be used is refused."""

import numpy as np
import pytest

from fusiontheory import InputError
from fusiontheory.advice.inputs import labelled_pilot

RNG = np.random.default_rng(0)
V, T = RNG.standard_normal((2, 120, 4))
Y = np.arange(120) % 3


def notes(v=V, t=T, y=Y, groups=None):
    return " ".join(labelled_pilot(v, t, y, groups).notes)


def test_usual_items_raise_no_suspicion():
    assert notes(groups=np.arange(120) // 2) == ""
    assert notes(y=V[:, 0] + RNG.standard_normal(120)) == ""


def test_one_modality_twice_is_said():
    assert "nothing to fuse" in notes(t=V)


@pytest.mark.parametrize(
    "leak", [Y[:, None], np.eye(3)[Y], 5 - 2.0 * Y[:, None]], ids=["code", "one-hot", "scaled"]
)
def test_a_column_that_is_the_label_is_said(leak):
    assert "Column 4 of v" in notes(v=np.hstack([V, leak]))
    # Two of three classes told apart is no leak.
    assert "Column" not in notes(v=np.hstack([V, Y[:, None] == 1]))


def test_a_number_among_the_features_is_said():
    assert "Column 2 of t" in notes(y=3 * T[:, 2] - 1)


def test_outliers_of_a_number_are_named():
    y = V[:, 0].copy()
    y[7] = 1e5
    assert "1 of 120 labels (100000) hold 100 %" in notes(y=y)


def test_classes_within_one_group_are_named():
    assert "3 of 3 classes (0, 1, 2) lie within one group" in notes(groups=Y * 2 + (Y > 9))
    groups = np.where(Y == 2, 0, np.arange(120))
    assert "1 of 3 classes (2) lie within one group" in notes(groups=groups)


def test_a_class_without_a_complete_row_is_named():
    v = V.copy()
    v[Y == 1] = np.nan
    assert "No row of 1 of the classes (1) has both modalities" in notes(v=v)


@pytest.mark.parametrize("names", [[None, "a"] * 60, [np.nan, 1.0] * 60], ids=["none", "nan"])
def test_groups_without_a_name_are_refused(names):
    with pytest.raises(InputError, match=r"60 missing names.*row 0"):
        notes(groups=names)


def test_more_classes_than_a_pilot_holds_are_refused_before_targets_are_made():
    v, t = np.zeros((2, 50_000, 1))
    with pytest.raises(InputError, match=r"10,000 classes.*at most 409"):
        labelled_pilot(v + 1, t + 1, np.arange(50_000) % 10_000, None, task="classification")
