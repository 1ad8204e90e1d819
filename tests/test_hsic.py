"""The independence criterion against sums over distinct indices."""

from itertools import permutations

import numpy as np
import pytest

from fusiontheory import hsic as hsic_module
from fusiontheory.hsic import MIXED_ORDERS, hsic
from fusiontheory.moments import Moments

ORDERS = ((1, 1), *MIXED_ORDERS)


def draw(seed, n, coupling=1.0):
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((n, 3)) + 0.3
    text = coupling * image[:, :2] + rng.standard_normal((n, 2))
    # A dependence of even order, too.
    return image, text * (1 + coupling * image[:, 2:] ** 2 / 4)


@pytest.mark.parametrize("n", [4, 5, 7])
def test_hsic_is_the_mean_over_distinct_images(n):
    image, text = draw(n, n)
    gram_image, gram_text = image @ image.T, text @ text.T
    result = hsic(image, text, ORDERS)
    for a, b in ORDERS:
        x, y = gram_image**a, gram_text**b
        terms = [
            x[i, j] * y[i, j] - 2 * x[i, j] * y[i, k] + x[i, j] * y[k, m]
            for i, j, k, m in permutations(range(n), 4)
        ]
        assert result[a, b] == pytest.approx(np.mean(terms), rel=1e-9, abs=1e-12)


def test_hsic_is_zero_on_average_without_dependence():
    draws = [hsic(*draw(seed, 12, coupling=0.0), ORDERS) for seed in range(1500)]
    for order in ORDERS:
        values = np.array([result[order] for result in draws])
        assert abs(values.mean()) < 4 * values.std() / np.sqrt(values.size)


def test_hsic_sees_dependence_of_every_order():
    for value in hsic(*draw(0, 1000), ORDERS).values():
        assert value > 0.1


def test_lowest_order_is_the_square_of_the_cross_covariance():
    image, text = draw(0, 80)
    moments = Moments.from_features(image, text)
    assert hsic(image, text, ((1, 1),))[1, 1] == pytest.approx(moments.cross_power.sum(), rel=1e-9)


def test_block_size_does_not_matter(monkeypatch):
    image, text = draw(0, 50)
    expected = hsic(image, text, ORDERS)
    for block in (1, 7, 50, 64):
        monkeypatch.setattr(hsic_module, "_BLOCK", block)
        assert hsic(image, text, ORDERS) == pytest.approx(expected, rel=1e-10)


def test_single_precision_is_enough():
    image, text = draw(0, 600)
    single = hsic(image.astype(np.float32), text.astype(np.float32))
    assert single == pytest.approx(hsic(image, text), rel=1e-3)


def test_units_follow_the_exponents():
    image, text = draw(0, 30)
    scaled = hsic(2 * image, 3 * text, ORDERS)
    for (a, b), value in hsic(image, text, ORDERS).items():
        assert scaled[a, b] == pytest.approx(4**a * 9**b * value, rel=1e-9)
