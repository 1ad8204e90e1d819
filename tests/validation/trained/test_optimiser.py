"""Adam's metric, its ridge and the lag of the intercept; forecasts against a power law."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import ndtr
from scipy.stats import norm

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from fusiontheory.networks import build_network
from fusiontheory.training import TrainingSettings
from validation.trained import TrainedSession, TrainedStudy, setting_errors, write_settings
from validation.trained.predictors import (
    PLACE,
    adam_moments,
    adam_ridge,
    forecast_errors,
    forecast_table,
    half_distance,
    lagging,
    optimiser_predictions,
)

ROWS = np.arange(400)


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    """Coordinates of very different sizes, and two that are always 0."""
    rng = np.random.default_rng(0)
    scale = np.r_[np.geomspace(1, 0.05, 10), 0, 0]
    shared = rng.standard_normal((400, 12))
    image, text = (shared + 0.5 * rng.standard_normal((400, 12)) for _ in range(2))
    return FeatureSet(image * scale, text * scale, split=["train"] * 400, name="uneven")


def test_adam_s_metric_divides_each_coordinate_and_leaves_padding(features: FeatureSet) -> None:
    image = features.image
    rms = np.sqrt((image**2).mean(axis=0))
    by_hand = image / np.sqrt(np.where(rms > 0, rms, 1))
    text = features.text[:, 0]
    rms = np.sqrt((text**2).mean(axis=0))
    text = text / np.sqrt(np.where(rms > 0, rms, 1))
    expected = Moments.from_features(by_hand, text)
    found = adam_moments(features, ROWS, 0.5)
    for side in ("image_eigenvalues", "text_eigenvalues"):
        one, other = getattr(found, side), getattr(expected, side)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-8)
    # A quarter is brought back to unit length on average.
    quarter = adam_moments(features, ROWS, 0.25)
    assert quarter.image_eigenvalues.sum() == pytest.approx(1, abs=0.01)


def test_one_update_of_adam_moves_a_bilinear_head_by_its_metric() -> None:
    """Over many batches the mean step is eta g / rms(g), rms of v_i t_j / (2 sqrt B) at f = 0."""
    rng = np.random.default_rng(0)
    scale = np.array([1.0, 0.3, 0.1])
    v, t = (torch.tensor(rng.standard_normal((20_000, 3)) * scale).float() for _ in range(2))
    y = torch.tensor(np.where(rng.random(20_000) < 0.5, 1.0, -1.0)).float()
    v = v + 0.1 * y[:, None] * t  # a weak signal
    network = build_network("bilinear", 3, 3)
    torch.nn.init.zeros_(network.weight)
    batch, grads = 50, []
    for own in torch.arange(20_000).split(batch):
        loss = torch.nn.functional.softplus(-y[own] * network(v[own], t[own])).mean()
        grads.append(torch.autograd.grad(loss, network.weight)[0].numpy())
    rms = np.sqrt(np.mean(np.square(grads), axis=0))
    sides = [np.sqrt((x.numpy() ** 2).mean(axis=0)) for x in (v, t)]
    np.testing.assert_allclose(rms, np.outer(*sides) / (2 * batch**0.5), rtol=0.25)


def test_the_ridge_of_stopping_is_four_n_over_the_time_of_the_flow() -> None:
    settings = TrainingSettings(learning_rate=0.01, batch_size=100, epochs=3)
    assert adam_ridge(1000, settings) == pytest.approx(4 * 1000 / (2 * 10 * 0.01 * 30))


@pytest.mark.parametrize("moved", [0.0, 0.3, 0.9])
def test_a_lag_costs_what_normal_scores_lose(moved: float) -> None:
    m, s = 0.45, 0.3
    accuracy, risk = float(ndtr(m / s)), (1 - m) ** 2 + s**2
    half = half_distance(accuracy, risk)
    assert half == pytest.approx(2 * m)
    # Logits are normal around 0 and 4 m, of standard deviation 2 s; the threshold is at ``moved``.
    expected = (norm.cdf(moved / (2 * s)) + norm.sf((moved - 4 * m) / (2 * s))) / 2
    assert lagging(accuracy, half, moved) == pytest.approx(expected)
    assert lagging(accuracy, half, 2.0) == accuracy


def test_the_published_setting_lags_and_the_fixed_one_does_not(features: FeatureSet) -> None:
    places = pd.DataFrame(
        [("c", head, 64, 0.0, "both") for head in ("bilinear", "concat-mlp", "gated")],
        columns=PLACE,
    )
    settings = TrainingSettings(batch_size=32)
    told = {
        setting: optimiser_predictions(
            places, {"c": features}, {"c": ROWS}, settings, 400, setting
        ).set_index("head")["predicted"]
        for setting in ("fixed", "published")
    }
    assert told["published"]["bilinear"] < told["fixed"]["bilinear"] - 0.005
    assert told["published"]["concat-mlp"] == told["fixed"]["concat-mlp"]
    assert "gated" not in told["fixed"]


def test_forecasts_start_from_three_neighbouring_sizes(features: FeatureSet) -> None:
    rows = [
        ("fixed", "c", "mine", n, seed, 0.5 + seed / 1000)
        for n in (16, 32, 64, 128, 512, 1024)
        for seed in (0, 1)
    ]
    names = ["setting", "condition", "head", "n", "seed", "accuracy"]
    runs = pd.DataFrame(rows, columns=names)
    moments = {"c": Moments.from_features(features.image, features.text)}
    table = forecast_table(runs, moments, 600)
    starts = table.groupby("last")["n"].apply(list).to_dict()
    # At most 8 times the largest.
    assert starts == {64: [128, 512], 128: [512, 1024], 512: [1024]}
    assert (table["forecast"] - 0.5).abs().max() < 0.02
    errors = forecast_errors(table).set_index(["setting", "times", "head"])
    whole = errors.loc[("all", "all", "all")]
    assert whole["cells"] == 5
    off = 100 * (table["forecast"] - table["measured"]).abs()
    assert whole["forecast_points"] == pytest.approx(off.mean())
    assert errors.loc[("fixed", 8.0, "mine"), "cells"] == 2


def test_the_stored_predictions_are_what_the_page_says() -> None:
    path = Path(__file__).parents[3] / "docs/results/trained/settings/predicted.csv"
    stored = pd.read_csv(path)
    names = {"best ridge", "optimiser", "best accuracy", "logit growth"}
    assert {*stored["predictor"]} == names
    assert not stored.duplicated(["setting", "condition", "head", "n", "predictor"]).any()


def test_errors_of_each_setting_are_of_its_own_predictions() -> None:
    rows = [("fixed", 0.8), ("tuned", 0.9), ("published", 0.5)]
    runs = pd.DataFrame(
        [
            (setting, "c", "bilinear", 64, seed, 0.0, "both", accuracy)
            for setting, accuracy in rows
            for seed in (0, 1)
        ],
        columns=["setting", *PLACE[:3], "seed", *PLACE[3:], "accuracy"],
    )
    told = pd.DataFrame(
        [
            ("fixed and tuned", "c", "bilinear", 64, "best ridge", 0.85, np.nan, np.nan, ""),
            ("fixed", "c", "bilinear", 64, "optimiser", 0.79, np.nan, np.nan, ""),
        ],
        columns=["setting", *PLACE[:3], "predictor", "predicted", "low", "high", "by"],
    )
    errors = setting_errors(told, runs)
    whole = errors[errors["scope"] == "all"].set_index(["setting", "predictor"])
    points = whole["mean_abs_points"].round(6).to_dict()
    assert points == {
        ("fixed", "best ridge"): 5.0,
        ("fixed", "optimiser"): 1.0,
        ("tuned", "best ridge"): 5.0,
    }


def test_tables_of_the_settings_need_runs_and_predictions(
    features: FeatureSet, tmp_path: Path
) -> None:
    session = TrainedSession(TrainedStudy(), features, tmp_path)
    with pytest.raises(InputError, match=r"out must hold runs\.csv"):
        write_settings(session, tmp_path)
