"""Where the ridge is beyond all eigenvalues, accuracies of a sample are those of the population."""

from __future__ import annotations

import numpy as np
import pytest

from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments


@pytest.mark.parametrize(("d", "rho"), [(8, 0.6), (16, 0.6)])
def test_a_sample_says_what_its_population_says(d, rho):
    """Differences of q between kappas, smaller than its noise there, decide nothing."""
    own = np.eye(d) / d
    known = Moments.from_second_moments(own, own, rho * own)
    wanted = [predict_curve("bilinear", known, [128], x)["accuracy"][0] for x in (10.0, 1e3)]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        image = rng.standard_normal((3000, d)) / np.sqrt(d)
        text = rho * image + np.sqrt((1 - rho**2) / d) * rng.standard_normal((3000, d))
        moments = Moments.from_features(image, text)
        found = [predict_curve("bilinear", moments, [128], x)["accuracy"][0] for x in (10.0, 1e3)]
        np.testing.assert_allclose(found, wanted, atol=0.013)


def test_accuracy_stays_when_the_ridge_is_beyond_everything():
    """Outputs go as 1 / ridge there, and their signs stay: 300 and 3000 are the same."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((800, 12))
    image, text = (shared + rng.standard_normal(shared.shape) for _ in range(2))
    moments = Moments.from_features(image / np.sqrt(24), text / np.sqrt(24))
    curve = [predict_curve("bilinear", moments, [64], x)["accuracy"][0] for x in (300.0, 3000.0)]
    assert curve[0] == pytest.approx(curve[1], abs=5e-4)
