"""Threads of linear algebra: one for small matrices, as many as there were for large ones."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from fusiontheory import parallel
from fusiontheory.curves import predict
from fusiontheory.moments import Moments, paired


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((100, 3))
    return shared + rng.standard_normal((100, 3)), shared


def threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize(("dimension", "expected"), [(1, 1), (1024, 1), (1025, 2)])
def test_small_algebra_takes_one_thread(dimension, expected):
    with threadpool_limits(2, user_api="blas"):
        with parallel.small_algebra(dimension):
            assert set(threads()) == {expected}
        assert set(threads()) == {2}


def test_moments_and_curves_are_small_algebra(monkeypatch, features):
    seen = []

    def watched(function):
        def call(*arguments):
            seen.extend(threads())
            return function(*arguments)

        return call

    monkeypatch.setattr(paired, "eigenbasis", watched(paired.eigenbasis))
    monkeypatch.setattr(predict, "matching_curve", watched(predict.matching_curve))
    with threadpool_limits(2, user_api="blas"):
        predict.predict_curve("bilinear", Moments.from_features(*features), [64], 0.1)
    assert len(seen) >= 3
    assert set(seen) == {1}
