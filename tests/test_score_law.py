"""The law of scores: against measured means, where it must change nothing, and its error."""

import numpy as np
import pandas as pd
import pytest

from experiments.interval_coverage.config import Config
from experiments.interval_coverage.run import MEASURED
from fusiontheory.curve import predict_curve
from fusiontheory.heads import Terms
from fusiontheory.matching import MatchingCurve, ScoreShift
from fusiontheory.metric_scores import MetricScores
from fusiontheory.moments import Moments
from fusiontheory.score_curve import kernel_law, shifted
from fusiontheory.spectrum import Spectrum

CONFIG = Config()
NORMAL = Terms(score_law=False)


def population(name):
    return next(p for p in CONFIG.populations if p.name == name)


def measured_means(head):
    known = pd.read_csv(MEASURED).set_index(["population", "kind", "head"])
    return known.loc[("heavy tails", "measured", head), "mean"].to_numpy()


@pytest.fixture(scope="module")
def heavy():
    return Moments.from_features(*population("heavy tails").draw(8000, np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("head", "least", "most"), [("bilinear", 0.025, 0.012), ("dot-product", 0.02, 0.012)]
)
def test_the_law_is_right_where_normal_scores_are_not(heavy, head, least, most):
    measured = measured_means(head)
    curves = [
        predict_curve(head, heavy, CONFIG.sizes, CONFIG.ridge, terms=terms)["accuracy"].to_numpy()
        for terms in (NORMAL, Terms())
    ]
    normal, law = (np.abs(curve - measured) for curve in curves)
    assert (normal > least).all()
    assert (law < most).all()


def test_the_law_brings_the_concatenation_nearer(heavy):
    measured = measured_means("concat-mlp")[-1]
    normal, law = (
        predict_curve("concat-mlp", heavy, CONFIG.sizes[-1], CONFIG.ridge, terms=terms)
        for terms in (NORMAL, Terms())
    )
    # Still low: training pairs share images there, which the theory lacks.
    assert abs(law["accuracy"][0] - measured) < 0.5 * abs(normal["accuracy"][0] - measured)


@pytest.mark.parametrize("head", ["bilinear", "concat-mlp", "dot-product"])
def test_gaussian_moments_keep_normal_scores(heavy, head):
    twin = heavy.gaussian_twin()
    with_law, without = (
        predict_curve(head, twin, [100, 1000], 0.1, terms=terms) for terms in (Terms(), NORMAL)
    )
    pd.testing.assert_frame_equal(with_law, without)


@pytest.mark.parametrize("head", ["bilinear", "concat-mlp", "dot-product"])
def test_a_size_does_not_depend_on_the_others(heavy, head):
    alone = predict_curve(head, heavy, [300], 0.1)
    among = predict_curve(head, heavy, [2, 300, 10**5], 0.1)
    np.testing.assert_allclose(alone.iloc[0], among.iloc[1], rtol=1e-9)


def test_few_images_keep_normal_scores():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((49, 3))
    with pytest.warns(UserWarning, match="image has 49 rows"):
        moments = Moments.from_features(x, x)
    assert kernel_law(moments, {(1, 1): 1.0}, Spectrum.from_eigenvalues(np.ones(9))) is None


def test_shifted_moves_the_interval_and_leaves_peaks():
    one = np.array([0.8, 0.8, 1.0])
    peak = np.array([False, True, False])
    curve = MatchingCurve(one.copy(), one, one - 0.1, np.minimum(one + 0.1, 1.0), peak)
    ones = np.ones(3)
    moved = shifted(curve, ScoreShift(0.1 * ones, 0.5 * ones, 2 * ones))
    assert moved.accuracy[0] > 0.8
    assert moved.risk.tolist() == [1.6, 0.8, 1.0]
    for name in ("accuracy", "low", "high"):
        np.testing.assert_array_equal(getattr(moved, name)[1:], getattr(curve, name)[1:])
    narrow = shifted(curve, ScoreShift(0 * ones, 1e-9 * ones, ones, whole=True))
    assert narrow.high[0] - narrow.low[0] == pytest.approx(0, abs=1e-8)


def test_the_dot_products_error_is_the_spread_of_its_accuracy():
    source = population("unit norm")
    rng = np.random.default_rng(0)
    found = np.array(
        [MetricScores.of_pairs(*source.draw(500, rng)).accuracy(512.0, 0.1) for _ in range(300)]
    )
    # 300 draws tell their spread to 4 %.
    assert np.sqrt((found[:, 1] ** 2).mean()) == pytest.approx(found[:, 0].std(), rel=0.15)


def test_a_dot_product_without_signal_keeps_its_interval():
    rng = np.random.default_rng(3)
    for _ in range(6):
        x, y = rng.standard_normal((2, 200, 8))
        curve = predict_curve("dot-product", Moments.from_features(x, y), [256], 0.1)
        assert curve["accuracy_high"][0] - curve["accuracy_low"][0] > 0.005
        assert curve["accuracy"].between(0.5, 0.56).all()
