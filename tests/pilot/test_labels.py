"""What labels are taken for, and every refusal."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.pilot import Labels


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1] * 60, "one class"),
        ([0] * 57 + [1] * 3, "fewer than 5 items"),
        ([0, 1] * 20, "too few"),
        ([0.5] * 60, "for every item|one class"),
        ([0.1, np.nan] * 30, "rows 1, 3"),
        (["a", None] * 30, "missing"),
        ([f"text {i}" for i in range(60)], "no classes"),
        ([[0, 1]] * 60, "one label for each"),
        ([1j, 2] * 30, "complex"),
    ],
)
def test_labels_that_cannot_be_used(y, message):
    with pytest.raises(InputError, match=message):
        Labels.from_labels(y)


def test_rows_and_texts_must_fit_the_task():
    with pytest.raises(InputError, match="one label for each of 70"):
        Labels.from_labels([0, 1] * 30, items=70)
    with pytest.raises(InputError, match="numbers for a regression"):
        Labels.from_labels(["a", "b"] * 30, "regression")
    with pytest.raises(InputError, match="task must be"):
        Labels.from_labels([0, 1] * 30, "ranking")


def test_kinds_of_labels():
    assert Labels.from_labels(["b", "a"] * 30).targets[:2, 0].tolist() == [1, -1]
    assert Labels.from_labels([0, 1, 2] * 20).targets.shape == (60, 3)
    assert Labels.from_labels(np.linspace(0, 1, 60)).codes is None
    assert Labels.from_labels(np.arange(200)).codes is None
    assert not Labels.from_labels([0] * 50 + [1] * 10).balanced
