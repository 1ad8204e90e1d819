"""Directions that modalities share, and the head on them."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.data import draw_pairs
from fusiontheory.heads import HEADS, HEADS_BY_CHOICE, SharedDirections, find_head
from fusiontheory.solvers import gather, measure_curve


def draw(n=600, shared=2, alone=10, seed=0):
    """Image and text of as many shared coordinates, the first ones, and of their own."""
    rng = np.random.default_rng(seed)
    both = rng.standard_normal((n, shared))
    return np.hstack([both, rng.standard_normal((n, alone))]), np.hstack(
        [both, rng.standard_normal((n, alone))]
    )


def test_as_many_as_stand_out_from_chance():
    found = SharedDirections.fit(*draw())
    assert found.image.shape == found.text.shape == (12, 2)
    # They are the shared coordinates, up to sampling.
    assert np.linalg.norm(found.image[:2]) > 1.38
    assert found.values[-1] > found.edge


# 20 samples without anything shared: the largest singular value is below that of 5 random
# pairings with probability 5/6, so that two or more would have to stand out in each.
def test_at_least_one_and_by_chance_no_more():
    kept = [SharedDirections.fit(*draw(shared=0, seed=seed)).values.size for seed in range(20)]
    assert min(kept) == 1
    assert np.mean(kept) < 1.3


def test_rotations_turn_the_directions_and_not_the_kernel():
    image, text = draw()
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((12, 12)))[0]
    head = find_head("concat-mlp-aligned")
    plain = head.fitted(image, text).gram(image[:9], text[:9], image[9:20], text[9:20])
    image, text = image @ turn, text @ turn.T
    np.testing.assert_allclose(
        head.fitted(image, text).gram(image[:9], text[:9], image[9:20], text[9:20]),
        plain,
        rtol=1e-8,
    )


def test_it_is_the_tangent_kernel_of_the_coordinates_along_them():
    image, text = draw()
    found = SharedDirections.fit(image, text)
    v, t = found.project(image[:30], text[:30])
    np.testing.assert_allclose(
        find_head("concat-mlp-aligned")
        .fitted(image, text)
        .gram(image[:30], text[:30], image[:30], text[:30]),
        HEADS["concat-mlp"].gram(v, t, v, t),
    )


def test_captions_count_by_their_mean():
    image, text = draw()
    noise = np.random.default_rng(5).standard_normal(text.shape)
    captions = np.stack([text + noise, text - noise], axis=1)
    np.testing.assert_allclose(
        SharedDirections.fit(image, captions).values, SharedDirections.fit(image, text).values
    )


# 4000 test pairs, 0.8 points: concat-mlp has to find 2 directions among 42.
def test_it_learns_from_fewer_pairs_than_the_kernel_on_all_features():
    image, text = draw(n=2600, alone=40)
    seeds = np.random.SeedSequence(0).spawn(2)
    train = gather(image, text[:, None], draw_pairs(np.arange(600), 1, 400, seeds[0]))
    test = gather(image, text[:, None], draw_pairs(np.arange(600, 2600), 1, 4000, seeds[1]))
    aligned = find_head("concat-mlp-aligned").fitted(image[:600], text[:600])
    [own] = measure_curve(aligned, train, test, [400], 0.1)
    [whole] = measure_curve(HEADS["concat-mlp"], train, test, [400], 0.1)
    assert own.accuracy > whole.accuracy + 0.1


def test_refused():
    image, text = draw(n=10)
    head = find_head("concat-mlp-aligned")
    assert head is HEADS_BY_CHOICE["concat-mlp-aligned"]
    assert "concat-mlp-aligned" not in HEADS
    with pytest.raises(InputError, match="only after it has seen matched training images"):
        head.gram(image, text, image, text)
    with pytest.raises(InputError, match="at least 4 images"):
        SharedDirections.fit(image[:3], text[:3])
    with pytest.raises(InputError, match="at least 4 images"):
        SharedDirections.fit(image, text[:9])
