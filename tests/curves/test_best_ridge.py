"""The best ridge: chosen among those given by either rule, and what is predicted with it."""

from __future__ import annotations

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.curves import predict_curve
from fusiontheory.data import normalise
from fusiontheory.heads import HEADS, RIDGES
from fusiontheory.matching import Terms
from fusiontheory.moments import Moments

CHOICE = [0.03, 0.4, 6.0]
SIZES = [32, 128, 700]


@pytest.fixture(scope="module")
def moments():
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((300, 6))
    image = normalise(shared + rng.standard_normal(shared.shape))
    return Moments.from_features(image, normalise(shared + rng.standard_normal(shared.shape)))


def each(head, moments, column):
    """Return a column of normal scores at each ridge, the largest first, (ridges, sizes)."""
    normal = Terms(score_law=False)
    curves = [predict_curve(head, moments, SIZES, ridge, terms=normal) for ridge in CHOICE[::-1]]
    return np.array([curve[column] for curve in curves])


@pytest.mark.parametrize("head", HEADS)
def test_of_least_risk_among_those_given(moments, head):
    best = predict_curve(head, moments, SIZES, "least-risk", ridges=CHOICE)
    place = np.argmin(each(head, moments, "risk"), axis=0)
    assert best["ridge"].tolist() == [CHOICE[::-1][k] for k in place]


@pytest.mark.parametrize("head", HEADS)
def test_of_highest_accuracy_among_those_given(moments, head):
    """No other has more accuracy; of those with as much none has less risk."""
    best = predict_curve(head, moments, SIZES, "best", ridges=CHOICE)
    accuracy, risk = each(head, moments, "accuracy"), each(head, moments, "risk")
    place = [CHOICE[::-1].index(ridge) for ridge in best["ridge"]]
    own, least = accuracy[place, range(3)], risk[place, range(3)]
    assert (own > accuracy.max(axis=0) - 2e-6).all()

    alike = np.abs(accuracy - own) < 1e-9
    assert (np.where(alike, risk, np.inf) >= least - 1e-12).all()


def test_where_little_is_learned_the_two_rules_differ(moments):
    """Where nearly all is noise the least risk is at a large ridge, which learns less."""
    few = [8, 16]
    best, least = (predict_curve("concat-mlp", moments, few, x) for x in ("best", "least-risk"))
    assert (best["ridge"] < least["ridge"]).all()
    assert (best["accuracy"] > least["accuracy"] + 0.001).all()
    assert (best["risk"] > least["risk"]).all()


@pytest.mark.parametrize("rule", ["best", "least-risk"])
@pytest.mark.parametrize("head", HEADS)
def test_the_curve_is_that_of_the_ridges_chosen(moments, head, rule):
    chosen = {"training_sets": 3, "test_images": 100, "training_images": 400}
    best = predict_curve(head, moments, SIZES, rule, ridges=CHOICE, **chosen)
    for ridge, part in best.groupby("ridge"):
        alone = predict_curve(head, moments, part["n"], float(ridge), **chosen)
        # Where features are unusual, intervals at the best ridge are wider by another amount.
        alone = alone.drop(columns=["accuracy_low", "accuracy_high"])
        np.testing.assert_allclose(
            part[alone.columns].astype(float), alone.astype(float), rtol=1e-9
        )


def test_without_signal_the_largest_ridge_is_best(moments):
    curve = predict_curve("concat-linear", moments, SIZES, "best")
    assert set(curve["ridge"]) == {curve["ridge"].max()}
    assert curve["ridge"].max() == pytest.approx(RIDGES[-1], rel=1e-5)  # K(x, x) is 1


def test_more_pairs_need_no_more_accuracy_than_the_best_ridge_has(moments):
    """At its best ridge a head does not fall with n, where at a small one it may."""
    accuracy = predict_curve("bilinear", moments, [16, 64, 256, 1024], "best")["accuracy"]
    assert (np.diff(accuracy) > -1e-3).all()


def test_bad_ridges(moments):
    with pytest.raises(InputError, match="a number or best or least-risk, got 'b'"):
        predict_curve("bilinear", moments, SIZES, "b")
    for ridges in ([], [0.0, 1.0], [-1.0], ["x"]):
        with pytest.raises(InputError, match="ridges must"):
            predict_curve("bilinear", moments, SIZES, "best", ridges=ridges)
