"""scikit-learn's own checks, agreement with the pilot, and learning curves."""

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from fusiontheory.checks import InputError
from fusiontheory.estimators import (
    FusionClassifier,
    FusionRegressor,
    FusionRidgeClassifier,
    fit_ridge,
    learning_curve,
)
from fusiontheory.pilot import PilotCurve


def items(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 7))
    return X, (X[:, 0] * X[:, 3] > 0).astype(int)


@pytest.mark.parametrize("estimator", [FusionClassifier(), FusionRegressor()])
def test_scikit_learn_checks(estimator):
    check_estimator(estimator)


def test_leave_one_out_risk_is_the_pilots():
    X, y = items()
    curve = PilotCurve.from_features(X[:, :3], X[:, 3:], y, "interaction")
    model = FusionClassifier("interaction", split=3).fit(X, y)
    risk = model.fits_[0].leave_out_risk / (np.where(y == 1, 1, -1).var())
    assert risk == pytest.approx(curve.item_risk.mean(), rel=0.02)


def test_a_given_ridge_is_that_of_a_plain_solve():
    X, y = items(40)
    kernel = X @ X.T
    fit = fit_ridge(kernel, y[:, None].astype(float), ridge=2.0)
    system = np.block(
        [[kernel + 2 * np.eye(40), np.ones((40, 1))], [np.ones((1, 40)), np.zeros((1, 1))]]
    )
    expected = np.linalg.solve(system, np.r_[y, 0.0])
    np.testing.assert_allclose(fit.dual[:, 0], expected[:40], atol=1e-9)
    np.testing.assert_allclose(fit.offset, expected[40:], atol=1e-9)


def test_late_fusion_and_names():
    X, y = items()
    assert FusionClassifier is FusionRidgeClassifier
    assert cross_val_score(FusionClassifier("late-fusion", split=3), X, y).shape == (5,)
    assert cross_val_score(FusionClassifier("bilinear", split=3), X, y).mean() > 0.6
    with pytest.raises(InputError, match="split must leave"):
        FusionClassifier(split=7).fit(X, y)


def test_learning_curve_has_the_shapes_of_scikit_learn():
    X, y = items()
    sizes, train, test = learning_curve(FusionClassifier("bilinear", split=3), X, y, cv=3)
    assert sizes[-1] == 80
    assert train.shape == test.shape == (5, 3)
    with pytest.raises(InputError, match="train_sizes"):
        learning_curve(FusionClassifier(), X, y, train_sizes=[500])
