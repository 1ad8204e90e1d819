"""Moments along shared directions: held-out, with noise, in closed form; and the prediction."""

import warnings

import numpy as np
import pytest

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.data import draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.moments import Moments, on_shared_directions
from fusiontheory.solvers import gather, measure_curve


def draw(n, shared=3, alone=30, seed=0, correlation=1.0):
    rng = np.random.default_rng(seed)
    both, own = rng.standard_normal((2, n, shared))
    second = correlation * both + np.sqrt(1 - correlation**2) * own
    v = np.hstack([both, rng.standard_normal((n, alone))])
    t = np.hstack([second, rng.standard_normal((n, alone))])
    return v / np.sqrt(v.shape[1]), t / np.sqrt(t.shape[1])


def test_an_image_does_not_choose_its_own_directions():
    # Nothing is shared: along directions of the same images a correlation would show.
    image, text = draw(400, shared=0, alone=60)
    found = on_shared_directions(Moments.from_features(image, text))
    error = np.sqrt(found.image_eigenvalues[0] * found.text_eigenvalues[0] / 400)
    assert np.abs(found.cross).max() < 4 * error


def test_dimensions_are_those_that_stand_out():
    found = on_shared_directions(Moments.from_features(*draw(1000)))
    assert found.dimensions == (3, 3)
    assert found.images == 1000


def test_closed_form_of_gaussian_pairs():
    cross = np.diag([0.5, 0.3, 0.0, 0.0])
    found = on_shared_directions(Moments.from_second_moments(np.eye(4), np.eye(4), cross))
    assert found.dimensions == (2, 2)
    np.testing.assert_allclose(np.linalg.svd(found.cross)[1], [0.5, 0.3])


def test_noise_is_in_the_features_that_directions_are_found_on():
    moments = Moments.from_features(*draw(1000))
    noisy = on_shared_directions(moments.with_noise(image=0.1, text=0.1))
    plain = on_shared_directions(moments)
    assert noisy.image_eigenvalues.sum() == pytest.approx(
        plain.image_eigenvalues.sum() + 3 * 0.01, rel=0.1
    )


def test_few_images_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        moments = Moments.from_features(*draw(40, alone=5))
    with pytest.raises(InputError, match="at least 50 images"):
        on_shared_directions(moments)


# Two training sets of 2000 test images: 0.6 points. concat-mlp on all features has 61 %.
def test_predicted_as_measured():
    n, found = 256, []
    for seed in range(4):
        image, text = draw(3000, seed=seed, correlation=0.9)
        seeds = np.random.SeedSequence(seed).spawn(2)
        train = gather(image, text[:, None], draw_pairs(np.arange(1000), 1, n, seeds[0]))
        test = gather(image, text[:, None], draw_pairs(np.arange(1000, 3000), 1, 4000, seeds[1]))
        head = find_head("concat-mlp-aligned").fitted(image[:1000], text[:1000])
        found.append(measure_curve(head, train, test, [n], 0.01)[0].accuracy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        moments = Moments.from_features(*draw(1000, correlation=0.9))
        table = predict_curve("concat-mlp-aligned", moments, [n], 0.01)
    print(np.mean(found), table["accuracy"][0])
    assert table["accuracy"][0] == pytest.approx(np.mean(found), abs=0.03)
