"""The pieces of experiments.interval_checks, at a small size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.interval_checks import training_sets
from experiments.interval_checks.config import Config
from experiments.interval_checks.dot_product import jackknife_error
from experiments.interval_checks.predict import predict
from experiments.interval_checks.summary import scatter
from experiments.study import Records
from fusiontheory.heads import find_head
from fusiontheory.solvers import measure_curve

STORED = Path(__file__).parents[2] / "experiments" / "interval_checks"


def test_jackknife_error_is_the_spread_of_the_dot_products_signal():
    population = next(p for p in Config().populations if p.name == "unit norm")
    rng = np.random.default_rng(0)
    found = np.array([jackknife_error(*population.draw(1000, rng)) for _ in range(200)])
    spread = found[:, 0].std(ddof=1)
    # The spread of 200 has a relative error of 5 %.
    assert found[:, 2].mean() == pytest.approx(spread, rel=0.15)
    assert found[:, 1].mean() < 0.8 * spread


@pytest.mark.parametrize("head", ["bilinear", "concat-mlp", "dot-product"])
def test_training_sets_are_those_of_kernel_ridge(head):
    config = Config(sizes=(16, 64))
    population = config.populations[0]
    accuracy, deviation, error = training_sets.measure(population, head, config, 8, 2000)
    test = training_sets.distinct_pairs(population, 2000, np.random.default_rng(999))
    found = []
    for index in range(8):
        train = training_sets.distinct_pairs(population, 64, np.random.default_rng(5000 + index))
        curve = measure_curve(find_head(head), train, test, [16, 64], config.ridge)
        found.append([point.accuracy for point in curve])
    np.testing.assert_allclose(accuracy, np.mean(found, axis=0), atol=1e-3)
    assert deviation.shape == error.shape == (2,)
    assert (deviation < 0.1).all()


def test_the_prediction_has_what_the_summary_asks_for(tmp_path):
    config = replace(Config(), populations=Config().populations[:1], sizes=(16, 64))
    found = predict(config, Records(tmp_path, "small"))["predictions.csv"]
    stored = {path.name: pd.read_csv(path) for path in STORED.glob("*.csv")}
    assert list(found) == list(stored["predictions.csv"])
    assert (found.groupby("head")["predicted_sd"].agg(["min", "max"]) > 0).all(axis=None)
    joined = scatter(stored)
    assert joined["ratio"].notna().all()
    assert len(joined) == len(stored["training_sets.csv"])
