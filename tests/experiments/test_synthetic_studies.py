"""The stored synthetic studies: that their runs come out again, and what their verdicts rest on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from experiments.crossover import run as crossover
from experiments.crossover.config import Config
from experiments.crossover.crossings import last_crossing, log_standard_error
from experiments.degradation import config as degradation
from experiments.degradation import run as degraded
from fusiontheory.simulate import SimulationGrid, fit_head, predict_head, simulate
from fusiontheory.synthetic import FeatureLaw, SyntheticConfig


def test_last_crossing():
    n = np.array([1.0, 4.0, 16.0, 64.0])
    assert last_crossing(n, np.array([-1.0, 1.0, -1.0, 3.0])) == pytest.approx(16 * 4**0.25)
    assert last_crossing(n, np.array([1.0, 1.0, 1.0, -1.0])) == np.inf
    assert last_crossing(n, np.ones(4)) == 0


def test_log_standard_error_is_that_of_a_known_spread():
    # One risk is 1 and the other falls as a_s / n: n* = mean of a_s over the seeds, linear in a.
    n = np.array([1.0, 1e4])
    scale = 100 * (1 + 0.01 * np.random.default_rng(0).standard_normal(8))
    first, second = np.ones((8, 2)), scale[:, None] / n
    expected = scale.std(ddof=1) / np.sqrt(8) / scale.mean()
    assert log_standard_error(n, first, second) == pytest.approx(expected, rel=0.02)
    assert log_standard_error(n, first, 1e6 * second) == np.inf


def test_a_stored_row_of_the_phase_diagram_comes_out_again(tmp_path):
    config = Config()
    cell = config.grid().configs[45]
    one = replace(config.grid(), configs=(cell,), heads=("additive",))
    settings = cell.settings()
    stored = pd.read_csv(crossover.RESULTS).merge(
        pd.read_csv(crossover.PREDICTIONS), on=["ridge", "correlation", "interaction", "n"]
    )
    held = stored[
        (stored["correlation"] == settings["pairs.correlation"])
        & np.isclose(stored["interaction"], settings["target.interaction"])
        & (stored["ridge"] == 1.0)
    ].sort_values("n")
    table = simulate(one, tmp_path)
    again = table[table["ridge"] == 1.0].groupby("n")["test"].mean()
    np.testing.assert_allclose(again, held["additive"], rtol=1e-5)
    predicted = predict_head(cell, "additive", list(config.n), 1.0).test
    np.testing.assert_allclose(predicted, held["predicted_additive"], rtol=1e-5)


def test_a_stored_gap_of_the_degradations_comes_out_again(tmp_path):
    config = degradation.Config()
    settings = config.settings("matching", "shuffling", 0.8)
    grid = SimulationGrid(
        configs=(settings,),
        heads=("additive", "bilinear"),
        n=(64,),
        seeds=tuple(range(config.seeds)),
        ridges=(config.ridge,),
        test_rows=config.test_rows,
        predict="none",
    )
    risk = simulate(grid, tmp_path).groupby("head")["test"].mean()
    stored = pd.read_csv(degraded.RESULTS).query(
        "target == 'matching' and degradation == 'shuffling' and level == 0.8 and n == 64"
        " and first == 'additive'"
    )
    gap = risk["additive"] - risk["bilinear"]
    # Learned at other sizes too, the stored fits differ by rounding and no more.
    assert gap == pytest.approx(stored["gap"].item(), rel=1e-5)


@pytest.mark.parametrize("intercept", [True, False])
def test_additive_head_is_off_chance_through_its_intercept(intercept):
    # Matched and mismatched scores have the same mean and other variances, so that only an
    # intercept, whose sign the training set gives away, moves the accuracy away from 1/2.
    config = SyntheticConfig.from_settings(
        {"pairs.d_v": 32, "pairs.d_t": 32, "pairs.correlation": 0.9, "target.kind": "matching"}
    )
    matched = FeatureLaw.of(config.model).joint_covariance
    mismatched = np.where(np.kron(np.eye(2), np.ones((32, 32))) > 0, matched, 0.0)
    found = []
    for seed in range(60):
        sample = config.draw(128, seed)
        labels = sample.label[:, None]
        [fit] = fit_head("additive", sample.v, sample.t, labels, [128], [0.01], intercept)
        f = fit.predictor
        weights = np.concatenate([f.image[0], f.text[0]])
        scale = [np.sqrt(weights @ law @ weights) for law in (matched, mismatched)]
        found.append(0.5 + np.subtract(*norm.cdf(f.constant[0] / np.array(scale))) / 2)
    off = np.mean(found) - 0.5
    if intercept:
        assert off > 4 * np.std(found) / np.sqrt(60)
    else:
        assert off == 0
