"""The check of the function |x| in experiments.interval_checks."""

import numpy as np
import pytest
from worlds import correlated, lengths

from experiments.interval_checks.config import Config
from experiments.interval_checks.length import Orders, WithoutLength, signals, training
from fusiontheory.curves import predict_curve
from fusiontheory.heads import relu_tangent_coefficients
from fusiontheory.moments import Moments

CONFIG = Config()


def test_is_worth_what_order_zero_of_the_kernel_is_worth_in_training():
    source, n = CONFIG.population("flat"), 512
    gaps = training(CONFIG, source, n, 40, 0)
    error = gaps.std(ddof=1) / np.sqrt(gaps.size)
    moments = Moments.from_features(*source.draw(20_000, np.random.default_rng(0)))
    told = predict_curve("concat-mlp", moments, n, CONFIG.ridge)["accuracy"][0]
    without = predict_curve("concat-mlp", moments, n, CONFIG.ridge, terms=WithoutLength())
    told -= without["accuracy"][0]
    assert gaps.mean() > 5 * error
    assert told == pytest.approx(gaps.mean(), abs=0.003)


def test_study_has_the_features_of_the_kernel():
    v, t = correlated(8)
    values = np.linspace(0.5, 1.5, 6), np.ones(6)
    size = lengths(v, t, 2.0)
    inner = (v @ v.T + t @ t.T) / 2
    cosine = inner / np.outer(size, size)
    a = relu_tangent_coefficients(2)
    features = Orders(values, varying=True).features(v, t)
    kernel = np.outer(size, size) * sum(a[k] * cosine**k for k in range(3))
    np.testing.assert_allclose(features @ features.T, kernel, rtol=1e-10)
    equal = Orders(values, varying=False)
    kernel = equal.unit * sum(a[k] * (inner / equal.unit) ** k for k in range(3))
    np.testing.assert_allclose(equal.features(v, t) @ equal.features(v, t).T, kernel, rtol=1e-10)
    assert sum(x.size for x in equal.powers) == features.shape[1]


def test_signal_of_the_study_is_bounded_by_all_features():
    v, t = correlated(20_000, 4)
    for varying in (False, True):
        orders = Orders((np.ones(4), np.ones(4)), varying)
        for found in signals(orders, v, t, np.array([0.003, 0.03])):
            assert 0.97 * found["exact"] < found["functions"] <= found["exact"]
            assert found["functions_without"] <= found["functions"] * (1 + 1e-12)
            assert (found["exact"] > 1.005 * found["exact_without"]) == varying
