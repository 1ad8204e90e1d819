"""Pairs of a trial share no image and no text, and no fold is trained on what it tests."""

import numpy as np
import pytest

from fusiontheory.trial.own_pairs import folds, unshared_pairs


def test_every_row_is_tested_once_by_heads_that_have_not_seen_it():
    tested = []
    for train, test in folds(23, np.random.default_rng(0)):
        assert not np.intersect1d(train, test).size
        assert train.size + test.size == 23
        tested += test.tolist()
    assert sorted(tested) == list(range(23))


@pytest.mark.parametrize("n", [4, 10, 36])
def test_pairs_share_nothing(n):
    rows = np.arange(100, 137)
    for seed in range(20):
        pairs = unshared_pairs(rows, 3, n, np.random.default_rng(seed))
        assert len(set(pairs.image)) == len(set(pairs.text)) == len(pairs) == n
        assert ((pairs.image == pairs.text) == (pairs.label > 0)).all()
        assert pairs.label.sum() == 0
        assert np.isin(pairs.caption, range(3)).all()
