"""Labels that may mean something else than they say are named."""

from __future__ import annotations

import numpy as np
import pytest

from fusiontheory.advice.doubts import label_doubts
from fusiontheory.advice.inputs import labelled_pilot
from fusiontheory.checks import InputError

RNG = np.random.default_rng(0)
V, T = RNG.standard_normal((2, 120, 3))
EVERY_SIXTH = np.arange(120) % 6 == 5
KIND = np.where(V[:, 0] > 0, "cat", "dog").astype("<U12")
CODE = np.arange(120) % 3


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.where(EVERY_SIXTH, -999.0, V[:, 0]), "-999 in 20 of 120 rows, the first at index 5"),
        (np.where(EVERY_SIXTH, -1, CODE), "-1 in 20 of 120 rows, the first at index 5"),
        (np.where(EVERY_SIXTH, "unlabelled", KIND), "'unlabelled' in 20 of 120 rows, the first"),
        (np.where(EVERY_SIXTH & (KIND == "cat"), "Cat ", KIND), "several ways.*'Cat ' .*'cat' "),
        (np.where(EVERY_SIXTH & (KIND == "cat"), "Cat ", KIND).astype(object), "several ways"),
    ],
)
def test_a_doubt_is_said_at_once_and_in_the_notes(y, said):
    with pytest.warns(UserWarning, match=said):
        notes = labelled_pilot(V, T, y, None).notes
    assert any(one.startswith("Labels are") for one in notes)


@pytest.mark.parametrize("y", [KIND, CODE, np.where(V[:, 0] > 0, 1, -1), V[:, 0], KIND == "cat"])
def test_plain_labels_raise_no_doubt(y):
    assert label_doubts(y) == []


def test_many_whole_numbers_are_taken_for_amounts_aloud():
    with pytest.warns(UserWarning, match="60 different whole numbers.*--task classification"):
        assert labelled_pilot(V, T, np.arange(120) % 60, None).task == "regression"


def test_lists_are_no_labels():
    y = np.empty(120, dtype=object)
    y[:] = list(np.eye(3)[CODE])
    with pytest.raises(InputError, match=r"got lists such as array\(.*place of the one"):
        labelled_pilot(V, T, y, None)


@pytest.mark.parametrize("blank", ["", "  ", "nan"])
def test_a_blank_is_no_class(blank):
    y = np.where(EVERY_SIXTH, blank, KIND)
    for given in (y, y.astype(object)):
        with pytest.raises(InputError, match=r"20 missing .* \(rows 5, 11, 17"):
            labelled_pilot(V, T, given, None)


def test_rows_left_out_are_said_before_the_work():
    v = V.copy()
    v[3] = np.nan
    with pytest.warns(UserWarning, match="1 of 120 rows lack a modality"):
        labelled_pilot(v, T, KIND, None)
