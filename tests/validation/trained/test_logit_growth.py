"""How far logits grow under Adam, and how far the bias follows: held against training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

pytest.importorskip("torch")

from fusiontheory.data import FeatureSet, Pairs, draw_pairs
from fusiontheory.moments import Moments
from fusiontheory.training import Architecture, Member, MemberGroup, PairDataset, TrainingSettings
from fusiontheory.typing import Array
from validation.trained.predictors import (
    PLACE,
    Response,
    adam_moments,
    growth_predictions,
    logit_growth,
    optimiser_predictions,
)

SETTINGS = TrainingSettings(batch_size=64, epochs=30, patience=None, learning_rate=2e-3)
N, IMAGES, WIDTH = 1024, 2000, 24


def _pairs(turned: bool) -> FeatureSet:
    """Return Gaussian pairs, half of them to test on; the text's coordinates differ in size.

    If the image is turned, the signal of no pair of coordinates stands out in a batch.
    """
    rng = np.random.default_rng(0)
    scale = np.geomspace(1, 0.3, WIDTH)
    scale /= np.linalg.norm(scale)
    shared = rng.standard_normal((2 * IMAGES, WIDTH))
    image, text = (
        (0.7 * shared + np.sqrt(0.51) * rng.standard_normal(shared.shape)) * scale for _ in "vt"
    )
    if turned:
        image = image @ np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    return FeatureSet(image, text, split=["train", "test"] * IMAGES, name="gaussian")


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    """Pairs of the kind that the theory is of."""
    return _pairs(turned=True)


@pytest.fixture(scope="module")
def trained(features: FeatureSet) -> pd.DataFrame:
    """Distances and biases of heads that were trained on them."""
    return _trained(features, range(4))


def _drawn(features: FeatureSet, seed: int) -> list[Pairs]:
    """Return pairs to train and to test on."""
    return [
        draw_pairs(features.rows(part), 1, N, np.random.SeedSequence([seed, k]))
        for k, part in enumerate(("train", "test"))
    ]


def _trained(features: FeatureSet, seeds: range) -> pd.DataFrame:
    """Return the distance of new pairs' mean logits, and the bias, of trained heads."""
    found = []
    for seed in seeds:
        train, test = _drawn(features, seed)
        member = Member(PairDataset.from_features(features, train), seed)
        [one] = MemberGroup(Architecture("bilinear"), (member,), SETTINGS).train()
        weights = one.progress.weights.numpy().astype(float)
        v, t = features.image[test.image], features.text[test.text, test.caption]
        logits = np.einsum("ij,jk,ik->i", v, weights[:-1].reshape(WIDTH, WIDTH), t)
        means = [logits[test.label == label].mean() for label in (1, -1)]
        found.append((means[0] - means[1], weights[-1]))
    return pd.DataFrame(found, columns=["distance", "bias"])


def _integrated(features: FeatureSet, seed: int, bias: Array) -> float:
    """Return the distance where the logistic loss flows in Adam's metric, by its clock.

    That is what the theory approximates: no response of ridge regression, no linear residuals.
    """
    train, test = _drawn(features, seed)
    seen = features.rows("train")
    image, text = (
        side / np.sqrt(np.sqrt((side[seen] ** 2).mean(axis=0)))
        for side in (features.image, features.text[:, 0])
    )
    pairs, new = (
        np.einsum("ij,ik->ijk", image[one.image], text[one.text]).reshape(N, -1)
        for one in (train, test)
    )
    label, weights, squares = train.label.astype(float), np.zeros(pairs.shape[1]), 0.0
    for k, shift in enumerate(bias, start=1):
        left = expit(-label * (pairs @ weights + shift))
        squares = 0.999 * squares + 0.001 * float((left**2).mean())
        clock = np.sqrt(SETTINGS.batch_size * (1 - 0.999**k) / squares)
        weights += SETTINGS.learning_rate * clock * (label * left) @ pairs / N
    logits = new @ weights
    return float(logits[test.label == 1].mean() - logits[test.label == -1].mean())


def test_logits_and_bias_are_where_training_takes_them(
    features: FeatureSet, trained: pd.DataFrame
) -> None:
    path = logit_growth(adam_moments(features, features.rows("train"), 0.5), N, SETTINGS, IMAGES)
    for what in ("distance", "bias"):
        error = 2 * float(trained[what].sem())
        told = float(getattr(path, what)[-1])
        assert told == pytest.approx(float(trained[what].mean()), rel=0.08, abs=error), what


def test_two_approximations_make_up_for_each_other(
    features: FeatureSet, trained: pd.DataFrame
) -> None:
    """The flow of ridge regression is slow late; Adam divides by the mean gradient too."""
    path = logit_growth(adam_moments(features, features.rows("train"), 0.5), N, SETTINGS, IMAGES)
    whole = np.mean([_integrated(features, seed, path.bias) for seed in range(2)])
    adam = trained["distance"][:2].mean()
    assert path.distance[-1] < 0.9 * whole
    assert adam < 0.95 * whole
    assert abs(path.distance[-1] - adam) < whole - adam


def test_where_a_signal_stands_out_in_a_batch_logits_grow_more_slowly() -> None:
    """What the theory leaves out: Adam divides by the mean gradient too."""
    features = _pairs(turned=False)
    path = logit_growth(adam_moments(features, features.rows("train"), 0.5), N, SETTINGS, IMAGES)
    assert path.distance[-1] > 1.3 * _trained(features, range(2))["distance"].mean()


def test_the_flow_is_ridge_regression_taken_twice() -> None:
    ridges = np.geomspace(1e-2, 1e2, 2001)
    one = 1 / (1 + ridges)  # an eigenvalue of 1
    flow = Response(ridges, one, ridges * one).flow()
    inside = slice(1, -1)
    wanted = 1 - (1 + 1 / ridges) ** -2.0  # ridge = 2 n / T
    np.testing.assert_allclose(flow.distance[inside], wanted[inside], rtol=1e-4)
    np.testing.assert_allclose(flow.lacking[inside], 1 - wanted[inside], rtol=1e-3)


def test_a_path_starts_as_least_squares_and_its_steps_do_not_matter(features: FeatureSet) -> None:
    moments = adam_moments(features, features.rows("train"), 0.5)
    slow = TrainingSettings(batch_size=64, epochs=1, patience=None, learning_rate=1e-6)
    first = logit_growth(moments, N, slow, IMAGES)
    # All is linear: the distance grows by the same in each update, the bias stays behind.
    steps = np.diff(first.distance, prepend=0.0)
    np.testing.assert_allclose(steps, steps[0], rtol=0.02)
    assert abs(first.bias[-1]) < 0.1 * first.distance[-1]
    # 480 updates are followed one by one, 960 in pairs.
    fine = logit_growth(moments, N, SETTINGS, IMAGES)
    coarse = logit_growth(
        moments,
        N,
        TrainingSettings(batch_size=64, epochs=60, patience=None, learning_rate=2e-3),
        IMAGES,
    )
    half = np.flatnonzero(coarse.update == fine.update[-1])
    assert coarse.distance[half] == pytest.approx(fine.distance[-1], rel=0.01)
    assert coarse.bias[half] == pytest.approx(fine.bias[-1], rel=0.01)


def test_without_signal_logits_stay_together() -> None:
    rng = np.random.default_rng(1)
    moments = Moments.from_features(*(rng.standard_normal((2000, 6)) for _ in "vt"))
    path = logit_growth(moments, 256, TrainingSettings(epochs=5), 2000)
    assert np.abs(path.distance).max() < 0.05
    assert np.abs(path.accuracy - 0.5).max() < 0.01


def test_the_bilinear_head_lags_and_the_mlp_does_not(features: FeatureSet) -> None:
    heads = ("bilinear", "concat-mlp", "gated")
    places = pd.DataFrame([("c", head, 256, 0.0, "both") for head in heads], columns=PLACE)
    rows = {"c": features.rows("train")}
    known = (places, {"c": features}, rows, TrainingSettings(batch_size=64), IMAGES)
    fixed = optimiser_predictions(*known, "fixed").set_index("head")["predicted"]
    told = growth_predictions(*known).set_index("head")["predicted"]
    assert told["bilinear"] < fixed["bilinear"] - 0.005
    assert told["concat-mlp"] == fixed["concat-mlp"]
    assert "gated" not in told
