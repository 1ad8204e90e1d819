"""Near-duplicates are found, accidents are not, and groups that do not fit are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.moments import check_groups, find_duplicates, representatives
from fusiontheory.synthetic import find_population


def same_partition(first: np.ndarray, second: np.ndarray) -> bool:
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    return len(pairs) == len(set(first.tolist())) == len(set(second.tolist()))


@pytest.mark.parametrize("name", ["frames_4", "frames_10", "templates_5", "mixed_gap_frames"])
def test_finds_the_true_groups(name: str) -> None:
    sample = find_population(name).draw(600, np.random.default_rng(3))
    assert same_partition(find_duplicates(sample.image, sample.text), sample.groups)


@pytest.mark.parametrize("dimensions", [2, 3, 6, 64])
def test_independent_rows_are_hardly_ever_near(dimensions: int) -> None:
    v, t = np.random.default_rng(0).standard_normal((2, 1000, dimensions))
    assert find_duplicates(v, t).max() + 1 > 970


def test_near_images_with_other_texts_are_no_copies() -> None:
    v, t = np.random.default_rng(0).standard_normal((2, 50, 20))
    assert find_duplicates(np.repeat(v, 2, axis=0), np.vstack([t, t[::-1]])).max() + 1 == 100


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-5, 5))
def test_groups_know_no_units_order_or_rotation(seed: int, unit: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    v, t = rng.standard_normal((2, 30, 12))
    source = rng.integers(0, 30, 60)
    v, t = (x[source] + 0.01 * rng.standard_normal((60, 12)) for x in (v, t))
    turn = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    order = rng.permutation(60)
    found = find_duplicates((unit * v @ turn + shift)[order], t[order])
    assert same_partition(found, find_duplicates(v, t)[order])


def test_copies_far_apart_are_found() -> None:
    """Rows are compared in blocks: copies lie within one, in two of full length, in the rest."""
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((2, 5000, 20))
    for copy, row in ((1, 0), (2047, 7), (2048, 8), (4999, 9), (4998, 3000), (4997, 4996)):
        v[copy], t[copy] = (x[row] + 0.01 * rng.standard_normal(20) for x in (v, t))
    found = find_duplicates(v, t)
    assert found.max() + 1 == 5000 - 6
    copies, rows = [1, 2047, 2048, 4999, 4998, 4997], [0, 7, 8, 9, 3000, 4996]
    assert found[copies].tolist() == found[rows].tolist()


def test_representatives_are_the_first_rows() -> None:
    assert representatives(np.array([0, 0, 1, 0, 2])).tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1], r"one id per image, 3, got shape \(2,\)"),
        ([0.0, float("nan"), 2.0], "must be finite, got nan for image 1"),
        ([None, "a", "b"], "numbers or texts, got object"),
        (["a", "a", "a"], "at least 2 groups, got 1 for all 3 images"),
    ],
)
def test_refuses_groups_that_do_not_fit(groups: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_groups(groups, 3)


def test_refuses_sides_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="one row each per item, got 3, 4"):
        find_duplicates(np.ones((3, 2)), np.ones((4, 2)))
