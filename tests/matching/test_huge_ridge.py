"""A ridge beyond the kernel's power: outputs go as 1/ridge, their signs stay."""

import numpy as np
import pytest

from fusiontheory import HEADS, Moments, predict_curve
from fusiontheory.heads import find_head
from fusiontheory.solvers import PairFeatures, measure_curve


def draw(m: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    shared = rng.standard_normal((m, 8))
    return shared + rng.standard_normal((m, 8)), shared


@pytest.fixture(scope="module")
def moments() -> Moments:
    return Moments.from_features(*draw(1000, np.random.default_rng(0)))


@pytest.mark.parametrize("head", HEADS)
def test_signs_stay_and_nothing_overflows(head, moments):
    large = predict_curve(head, moments, [64, 512], 1e12)
    for ridge in (1e20, 1e150, 1e200, 1e300):
        found = predict_curve(head, moments, [64, 512], ridge)
        np.testing.assert_allclose(found["accuracy"], large["accuracy"], atol=1e-6)
        np.testing.assert_allclose(found["risk"], 1.0, atol=1e-5)


def test_dot_product_as_trained(moments):
    rng = np.random.default_rng(1)

    def pairs(n):
        (v, t), other = draw(n, rng), draw(n, rng)[1]
        label = np.tile([1.0, -1.0], n // 2)
        return PairFeatures(v, np.where(label[:, None] > 0, t, other), label)

    head = find_head("dot-product")
    measured = [
        measure_curve(head, pairs(64), pairs(2000), [64], 1e6)[0].accuracy for _ in range(100)
    ]
    predicted = predict_curve("dot-product", moments, [64], 1e6)
    assert abs(predicted["accuracy"][0] - np.mean(measured)) < 0.02
