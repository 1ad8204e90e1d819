"""Gaussian features with captions: their law, and that the terms of the study add up."""

import numpy as np
import pandas as pd
import pytest

from experiments.surrogates.config import STRENGTHS, WORLDS, Config
from experiments.surrogates.law import CaptionLaw
from experiments.surrogates.summary import TERMS, terms
from experiments.surrogates.worlds import Worlds
from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments


def features(n=600, captions=3):
    """Features far from Gaussian, with captions that share more than the image does."""
    rng = np.random.default_rng(0)
    image = np.sign(rng.standard_normal((n, 5))) * [1.0, 0.8, 0.6, 0.4, 0.2] + 0.1
    topic = rng.uniform(-1, 1, (n, 1, 4))
    text = 0.5 * image[:, None, :4] + topic + 0.5 * rng.exponential(size=(n, captions, 4))
    # Of 32 corners alone, most images would be copies.
    return image + 1e-3 * rng.standard_normal(image.shape), text


@pytest.fixture(scope="module")
def law():
    return CaptionLaw.of_features(*features())


def test_moments_are_those_of_the_gaussian_twin(law):
    twin = Moments.from_features(*features()).gaussian_twin()
    own = law.moments()
    np.testing.assert_allclose(own.image_eigenvalues, twin.image_eigenvalues, rtol=1e-6)
    np.testing.assert_allclose(own.text_eigenvalues, twin.text_eigenvalues, rtol=1e-6)
    np.testing.assert_allclose(own.operator, twin.operator, rtol=1e-5, atol=1e-12)


def test_drawn_features_have_the_law(law):
    image, text = law.draw(100_000, 2, np.random.default_rng(1))
    np.testing.assert_allclose(image.T @ image / len(image), law.image, atol=0.02)
    for caption in (0, 1):
        t = text[:, caption]
        np.testing.assert_allclose(t.T @ t / len(t), law.text, atol=0.03)
        centred = image - image.mean(axis=0)
        np.testing.assert_allclose(centred.T @ t / len(t), law.cross, atol=0.02)
    # Captions of one image vary around its own mean as those of the features do.
    real = features()[1]
    within = np.cov((real - real.mean(axis=1, keepdims=True)).reshape(-1, 4).T) * 3 / 2
    difference = (text[:, 0] - text[:, 1]) / np.sqrt(2)
    np.testing.assert_allclose(np.cov(difference.T), within, atol=0.02)
    assert law.own_share == pytest.approx(1, abs=1e-6)


def test_fresh_pairs_share_nothing_and_unit_ones_have_unit_norm(law):
    image, text = features()
    split = np.repeat(["train", "test"], 300)
    world = Worlds(Config(test_pairs=50), FeatureSet(image, text, split=split), law)
    for name in ("gaussian, fresh", "real, fresh"):
        train, _ = world.pairs(name, 0, 100)
        assert train.label.sum() == 0
        assert len(np.unique(train.text, axis=0)) == 100
    shared, test = world.pairs("gaussian", 0, 400)
    assert len(np.unique(shared.image, axis=0)) < 300 < len(shared.label)
    _, same = world.pairs("gaussian, fresh", 0, 100)
    np.testing.assert_array_equal(same.image, test.image)
    unit, _ = world.pairs("gaussian, unit", 0, 40)
    np.testing.assert_allclose(np.linalg.norm(unit.image, axis=1), 1, rtol=1e-6)


def test_terms_add_up():
    rng = np.random.default_rng(0)
    point = {"head": "bilinear", "n": 256, "seed": 0}
    measured = pd.DataFrame(
        [
            {**point, "condition": c, "world": w, "accuracy": rng.random(), "risk": 1.0}
            for c in STRENGTHS
            for w in WORLDS
        ]
    )
    predicted = pd.DataFrame(
        [
            {**point, "condition": c, "seed": seed, "prediction": p, "accuracy": rng.random()}
            for c in STRENGTHS
            for p, seed in (
                *(("real", -1), ("population", -1), ("sharp", -1)),
                *(("estimated", 0), ("unit", 0)),
            )
        ]
    )
    table = terms(predicted, measured).pivot(index="condition", columns="term", values="value")
    whole = ["theory on independent Gaussian pairs", "pairs share images", "moments estimated"]
    total = table[[*whole, "not Gaussian"]].sum(axis=1)
    np.testing.assert_allclose(total, table["error, shipped features"])
    np.testing.assert_allclose(table[whole].sum(axis=1), table["error, Gaussian features"])
    law_of_leverage = table["- law of leverage and scores"] + table["- the rest"]
    np.testing.assert_allclose(law_of_leverage, table["theory on independent Gaussian pairs"])
    not_gaussian = table["- lengths"] + table["- the rest (shape)"]
    np.testing.assert_allclose(not_gaussian, table["not Gaussian"])
    assert set(table.columns) == set(TERMS)
