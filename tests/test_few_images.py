"""Power laws, and moments corrected for few images, of experiments.extrapolation."""

import numpy as np
import pytest

from experiments.extrapolation.config import Config
from experiments.extrapolation.few_images import Reach, corrected_moments
from fusiontheory.moments import Moments
from fusiontheory.power_law import FORMS, extrapolate
from fusiontheory.synthetic import SharedLatentPairs

_DIMENSION = 64


@pytest.fixture(scope="module")
def population():
    model = SharedLatentPairs(
        _DIMENSION, _DIMENSION, "power 0.8", "power 0.8", 0.6, coordinate_alignment=0.5
    ).model()
    return model


def _sample(model, images, seed):
    draw = model.draw(images, np.random.SeedSequence(seed))
    return draw.v, draw.t


@pytest.mark.parametrize(("images", "tolerance"), [(128, 0.2), (256, 0.1)])
def test_corrected_signal_is_that_of_the_population(population, images, tolerance):
    truth = Moments.from_second_moments(
        population.covariance_v, population.covariance_t, population.cross
    )
    kappa = np.geomspace(1e-4, 1e-2, 4)
    exact, _ = truth.matching_signal(kappa, steps=0)
    moments = [Moments.from_features(*_sample(population, images, seed)) for seed in range(8)]
    corrected = [corrected_moments(known).matching_signal(kappa, steps=0)[0] for known in moments]
    plain = [known.matching_signal(kappa, steps=0)[0] for known in moments]
    found, uncorrected = np.mean(corrected, axis=0) / exact, np.mean(plain, axis=0) / exact
    assert found == pytest.approx(np.ones(4), abs=tolerance)
    # What is repaired: the sample's signal is too low by a large part where kappa is small.
    assert uncorrected[0] < 1 - 2.5 * tolerance


def test_corrected_spectrum_has_the_degrees_of_freedom_of_the_population(population):
    images = 96
    v, _ = _sample(population, images, 0)
    sample = np.linalg.eigvalsh(v.T @ v / images)[::-1]
    exact = np.linalg.eigvalsh(population.covariance_v)[::-1]
    level = np.geomspace(3e-3, 1, 6)

    def freedom(values):
        return (values / (values + level[:, None])).sum(axis=1)

    corrected = Reach.of(sample, images).eigenvalues
    assert freedom(corrected) == pytest.approx(freedom(exact), rel=0.06)
    assert freedom(sample)[0] < 0.9 * freedom(exact)[0]


def test_many_images_need_no_correction(population):
    moments = Moments.from_features(*_sample(population, 8000, 1))
    kappa = np.geomspace(1e-4, 1e-2, 4)
    corrected, _ = corrected_moments(moments).matching_signal(kappa, steps=0)
    plain, _ = moments.matching_signal(kappa, steps=0)
    assert corrected == pytest.approx(plain, rel=0.03)


@pytest.mark.parametrize("form", FORMS)
def test_power_laws_continue_curves_of_their_own_form(form):
    n, at = np.geomspace(16, 256, 9), np.array([512.0, 2048.0])

    def curve(x):
        falling = 1.2 * (x / 16) ** -0.4
        return {
            "accuracy": 0.95 - falling / 4,
            "logit": 1 / (1 + np.exp(falling - 2)),
            "error": 0.4 * (x / 16) ** -0.4 + 0 * x,
        }

    if form == "error":
        known, expected = 1 - curve(n)[form], 1 - curve(at)[form]
    else:
        known, expected = curve(n)[form], curve(at)[form]
    assert extrapolate(form, n, known, np.full(9, 0.003), at) == pytest.approx(expected, abs=2e-3)


def test_subsets_are_even_and_end_at_the_pilot():
    for n0 in Config().pilots:
        sizes = Config().subsets(n0)
        assert sizes[-1] == n0
        assert sizes == sorted(set(sizes))
        assert not any(n % 2 for n in sizes)
