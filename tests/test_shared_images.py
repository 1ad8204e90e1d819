"""Training pairs that share images and texts: the theory against trained heads, and its limits."""

from __future__ import annotations

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.curve import predict_curve
from fusiontheory.heads import Terms, find_head
from fusiontheory.kernel_ridge import PairFeatures, gather, measure_curve
from fusiontheory.moments import Moments
from fusiontheory.pairs import draw_pairs
from fusiontheory.shared_images import SharedPairs, sharing_shift

RIDGE = 0.1
D = 24


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def drawn(images, captions, rng):
    """Image (n, d) and text (n, captions, d) at unit norm; captions of one image are alike."""
    shared = rng.standard_normal((images, D)) * np.arange(1, D + 1) ** -0.25
    noise = rng.standard_normal((images, D)) * np.arange(1, D + 1) ** -0.25
    own = rng.standard_normal((images, captions, D)) * np.arange(1, D + 1) ** -0.25
    text = (shared + 0.7 * noise)[:, None]
    return unit(shared + 0.7 * rng.standard_normal((images, D)) * np.arange(1, D + 1) ** -0.25), (
        unit(text + (0.8 * own if captions > 1 else 0.0))
    )


def measured(head, images, captions, n, draws):
    """Mean difference of accuracies, shared less independent pairs, and its standard error."""
    found = []
    for rng in np.random.default_rng(20).spawn(draws):
        image, text = drawn(images, captions, rng)
        seed = np.random.SeedSequence(int(rng.integers(2**31)))
        shared = gather(image, text, draw_pairs(np.arange(images), captions, n, seed))
        other, words = drawn(n + n // 2, 1 if captions == 1 else captions, rng)
        own = words[:n, 0].copy()
        mismatched = shared.label < 0
        own[mismatched] = words[n : n + int(mismatched.sum()), 0]
        alone = PairFeatures(other[:n], own, shared.label)
        image, text = drawn(1500, captions, rng)
        seed = np.random.SeedSequence(int(rng.integers(2**31)))
        test = gather(image, text, draw_pairs(np.arange(1500), captions, 1500, seed))
        one, two = (
            measure_curve(find_head(head), train, test, [n], RIDGE)[0].accuracy
            for train in (shared, alone)
        )
        found.append(one - two)
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(draws)


@pytest.fixture(scope="module")
def moments():
    return {k: Moments.from_features(*drawn(8000, k, np.random.default_rng(3))) for k in (1, 3)}


@pytest.mark.parametrize(
    ("head", "images", "captions", "n", "draws"),
    [
        ("concat-mlp", 256, 1, 256, 120),
        ("concat-mlp", 128, 1, 256, 60),
        ("concat-mlp", 100, 3, 256, 60),
        ("bilinear", 64, 3, 256, 60),
        ("bilinear", 256, 1, 256, 60),
    ],
)
def test_against_trained_heads(moments, head, images, captions, n, draws):
    known = moments[captions]
    alone = predict_curve(head, known, n, RIDGE)["accuracy"][0]
    shared = predict_curve(head, known, n, RIDGE, training_images=images)["accuracy"][0]
    mean, error = measured(head, images, captions, n, draws)
    print(head, images, captions, n, alone, shared - alone, mean, error)
    assert abs(shared - alone - mean) < 3 * error
