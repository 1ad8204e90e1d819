"""The witness functions of the class difference: brute force, and what they mean."""

from __future__ import annotations

import numpy as np
import pytest

from fusiontheory.hsic import MIXED_ORDERS, hsic
from fusiontheory.moments import Moments
from fusiontheory.witness import _witnesses, witness_covariance


def draw(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((n, 3))
    return image, image[:, :2] + 0.5 * rng.standard_normal((n, 2))


@pytest.mark.parametrize("shift", [0, 1])
def test_witnesses_by_brute_force(shift: int) -> None:
    image, text = draw(9)
    found = _witnesses(image, text, shift, MIXED_ORDERS)
    for index, (a, b) in enumerate(MIXED_ORDERS):
        for i in range(9):
            k = (i + shift) % 9
            others = [j for j in range(9) if j not in (i, k)]
            x = np.array([(image[i] @ image[j]) ** a for j in others])
            y = np.array([(text[k] @ text[j]) ** b for j in others])
            assert found[index, i] == pytest.approx((x * y).mean() - x.mean() * y.mean())


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    image, text = draw(50)
    whole = witness_covariance(image, text)
    monkeypatch.setattr("fusiontheory.witness._BLOCK", 7)
    np.testing.assert_allclose(witness_covariance(image, text), whole)


def test_the_mean_difference_of_the_witness_is_the_criterion() -> None:
    image, text = draw(3000)
    matched = _witnesses(image, text, 0, MIXED_ORDERS).mean(axis=1)
    mismatched = _witnesses(image, text, 1, MIXED_ORDERS).mean(axis=1)
    criteria = np.array(list(hsic(image, text).values()))
    np.testing.assert_allclose(matched - mismatched, criteria, rtol=0.05, atol=0.02)


def test_order_one_is_the_variance_of_the_score_along_the_cross_covariance() -> None:
    image, text = draw(4000)
    scores = np.einsum("nd,de,ne->n", image, image.T @ text / 4000, text)
    apart = np.einsum("nd,de,ne->n", image, image.T @ text / 4000, np.roll(text, -1, axis=0))
    expected = (scores.var() + apart.var()) / 2
    assert witness_covariance(image, text, ((1, 1),))[0, 0] == pytest.approx(expected, rel=0.05)


def test_moments_scale_the_covariance_with_the_features() -> None:
    image, text = draw(200)
    moments, scaled = Moments.from_features(image, text), Moments.from_features(3 * image, text / 2)
    units = np.array([9.0**a * 0.25**b for a, b in MIXED_ORDERS])
    expected = moments.mixed_covariance * np.outer(units, units)
    np.testing.assert_allclose(scaled.mixed_covariance, expected, rtol=1e-3)
    assert (np.linalg.eigvalsh(moments.mixed_covariance) > 0).all()
