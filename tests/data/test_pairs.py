"""Drawing matched and mismatched pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import SeedSequence
from scipy.stats import chisquare

from fusiontheory.checks import InputError
from fusiontheory.data import check_disjoint, draw_pairs, most_pairs

POOLS = st.tuples(st.integers(2, 12), st.integers(1, 5), st.integers(0, 2**32 - 1), st.floats(0, 1))


def draw_pool(pool):
    images, captions, seed, share = pool
    rows = np.random.default_rng(seed).permutation(100)[:images]
    half = max(1, round(share * images * captions))
    return rows, captions, 2 * half, seed


def as_columns(pairs):
    return np.stack([pairs.image, pairs.text, pairs.caption, pairs.label])


@settings(deadline=None, max_examples=80)
@given(pool=POOLS)
def test_pairs_are_balanced_and_labelled_right(pool):
    rows, captions, n, seed = draw_pool(pool)
    pairs = draw_pairs(rows, captions, n, SeedSequence(seed))
    assert len(pairs) == n == pairs.label.size
    np.testing.assert_array_equal(pairs.label, np.tile([1.0, -1.0], n // 2))
    np.testing.assert_array_equal(pairs.image == pairs.text, pairs.label > 0)
    assert np.isin(pairs.image, rows).all()
    assert np.isin(pairs.text, rows).all()
    assert pairs.caption.min() >= 0
    assert pairs.caption.max() < captions


@settings(deadline=None, max_examples=80)
@given(pool=POOLS)
def test_texts_are_drawn_without_replacement_while_they_last(pool):
    rows, captions, n, seed = draw_pool(pool)
    pairs = draw_pairs(rows, captions, n, SeedSequence(seed))
    texts = pairs.text * captions + pairs.caption
    total = rows.size * captions
    # Pairs come in twos: of an odd number of texts the last one waits.
    fresh = texts[: min(n, total // 2 * 2)]
    assert np.unique(fresh).size == fresh.size
    for label in (1.0, -1.0):
        once = texts[pairs.label == label]
        assert np.unique(once).size == once.size
    if n == most_pairs(rows.size, captions):
        np.testing.assert_array_equal(np.bincount(texts)[np.unique(texts)], 2)


@settings(deadline=None, max_examples=80)
@given(pool=POOLS, share=st.floats(0, 1))
def test_a_shorter_draw_is_the_beginning_of_a_longer_one(pool, share):
    rows, captions, n, seed = draw_pool(pool)
    most = most_pairs(rows.size, captions)
    longer = n + 2 * round(share * (most - n) / 2)
    short = draw_pairs(rows, captions, n, SeedSequence(seed))
    long = draw_pairs(rows, captions, longer, SeedSequence(seed))
    np.testing.assert_array_equal(as_columns(long)[:, :n], as_columns(short))


def test_a_long_draw_begins_as_a_short_one_when_texts_run_out():
    rows = np.arange(300)
    long = as_columns(draw_pairs(rows, 3, most_pairs(300, 3), SeedSequence(1)))
    for n in (2, 898, 900, 902, 1500):
        np.testing.assert_array_equal(
            long[:, :n], as_columns(draw_pairs(rows, 3, n, SeedSequence(1)))
        )


def test_the_seed_decides():
    rows = np.arange(50)
    first = as_columns(draw_pairs(rows, 2, 60, SeedSequence(0)))
    np.testing.assert_array_equal(as_columns(draw_pairs(rows, 2, 60, SeedSequence(0))), first)
    assert not np.array_equal(as_columns(draw_pairs(rows, 2, 60, SeedSequence(1))), first)
    seed = SeedSequence(0)
    draw_pairs(rows, 2, 60, seed)
    np.testing.assert_array_equal(as_columns(draw_pairs(rows, 2, 60, seed)), first)


def test_mismatched_images_are_uniform():
    images, rounds = 6, 1500
    counts = np.zeros((images, images))
    for seed in range(rounds):
        pairs = draw_pairs(np.arange(images), 1, 2 * images, SeedSequence(seed))
        wrong = pairs.label < 0
        np.add.at(counts, (pairs.text[wrong], pairs.image[wrong]), 1)
    assert (np.diag(counts) == 0).all()
    others = counts[~np.eye(images, dtype=bool)]
    assert others.sum() == images * rounds
    assert chisquare(others).pvalue > 1e-3


def test_two_images_with_one_text_each():
    pairs = draw_pairs([7, 9], 1, most_pairs(2, 1), SeedSequence(0))
    assert sorted(pairs.image[pairs.label < 0]) == [7, 9]
    assert most_pairs(2, 1) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 3}, "n must be even, half matched and half mismatched, got 3"),
        ({"n": 14}, "n must be at most 12, twice the 3 images x 2 texts, got 14"),
        ({"n": 0}, "n must be at least 2, got 0"),
        ({"n": 2.0}, "n must be an integer"),
        ({"captions": 0}, "captions must be at least 1"),
        ({"rows": [3]}, "rows must have at least 2 images, got 1"),
        ({"rows": []}, "rows must"),
        ({"rows": [1, 2, 2, 2]}, "rows must be distinct, got 2 repetitions"),
        ({"rows": [[1, 2]]}, r"rows must be a list of integers, got shape \(1, 2\)"),
        ({"rows": [1.0, 2.0]}, "rows must be a list of integers, .* float64"),
        ({"rows": [True, False]}, "rows must be a list of integers, .* bool"),
    ],
)
def test_bad_input(change, message):
    arguments = {"rows": [0, 1, 2], "captions": 2, "n": 4, "seed": SeedSequence(0), **change}
    with pytest.raises(InputError, match=message):
        draw_pairs(**arguments)


def test_pools_must_not_share_images():
    check_disjoint(train=[0, 1], validation=[2, 3], test=[4, 5])
    check_disjoint()
    with pytest.raises(
        InputError, match="validation and test must not share images, both have row 3"
    ):
        check_disjoint(train=[0, 1], validation=[2, 3], test=[3, 5])
    with pytest.raises(InputError, match="rows must be distinct"):
        check_disjoint(train=[0, 0])
