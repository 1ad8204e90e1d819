"""Signal and spectrum of a population from few images, against populations of known signal."""

import numpy as np
import pytest

from fusiontheory.checks import ValidityWarning
from fusiontheory.moments import Moments, cross_power, eigenbasis
from fusiontheory.signal import (
    SampleResolvent,
    fused_resolvent,
    fused_signal,
    least_ridge,
    population_eigenvalues,
)
from fusiontheory.synthetic import SharedLatentPairs

D = 48
SHARES = np.geomspace(1e-6, 1e-1, 6)
few_images = pytest.mark.filterwarnings("ignore::fusiontheory.ValidityWarning")


def fused_freedom(image, text, kappa):
    """Return sum_ij lambda_i mu_j / (lambda_i mu_j + kappa) of the population, by resolvents."""
    product = np.multiply.outer(image.level, text.level)
    shares = [product / (product + level) for level in kappa]
    return np.array([float((image.trace @ share @ text.trace).real) for share in shares])


class Population:
    """Pairs of known second moments: Gaussian, or the same brought to unit norm."""

    def __init__(self, spectrum, correlation, unit):
        self.model = SharedLatentPairs(
            D, D, spectrum, spectrum, correlation, coordinate_alignment=0.5
        ).model()
        self.unit = unit
        if unit:
            v, t = self.draw(60_000, 10_000)
            self.image, self.text, self.cross = v.T @ v, t.T @ t, v.T @ t
            for matrix in (self.image, self.text, self.cross):
                matrix /= len(v)
        else:
            self.image, self.text = self.model.covariance_v, self.model.covariance_t
            self.cross = self.model.cross
        values_v, basis_v = eigenbasis("image", self.image, D)
        values_t, basis_t = eigenbasis("text", self.text, D)
        self.product = np.outer(values_v, values_t)
        self.values = values_v
        self.power = (basis_v.T @ self.cross @ basis_t) ** 2
        self.kappa = SHARES * self.product.sum()

    def draw(self, n, seed):
        found = self.model.draw(n, np.random.SeedSequence(seed))
        if not self.unit:
            return found.v, found.t
        return tuple(x / np.linalg.norm(x, axis=1, keepdims=True) for x in (found.v, found.t))

    @property
    def signal(self):
        return np.array([(self.power / (self.product + k)).sum() for k in self.kappa])

    @property
    def freedom(self):
        return np.array([(self.product / (self.product + k)).sum() for k in self.kappa])


CASES = [
    ("flat", 0.6, False),
    ("power 0.8", 0.6, False),
    ("power 2.0", 0.9, False),
    ("power 0.8", 0.6, True),
    ("power 1.5", 0.8, True),
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]} unit={case[2]}")
def population(request):
    return Population(*request.param)


def resolvents(v, t):
    n = len(v)
    values_v, basis_v = eigenbasis("image", v.T @ v / n, n)
    values_t, basis_t = eigenbasis("text", t.T @ t / n, n)
    v, t = v @ basis_v, t @ basis_t
    power = cross_power(v - v.mean(axis=0), t - t.mean(axis=0))
    found = SampleResolvent.of(values_v, n - 1.0), SampleResolvent.of(values_t, n - 1.0)
    return *found, power, np.outer(values_v, values_t)


@pytest.mark.parametrize("ratio", [1, 2, 4, 10])
def test_signal_and_freedom_are_those_of_the_population(population, ratio):
    n, draws = ratio * D, 24
    signal, freedom, plain, seen = [], [], [], []
    for seed in range(draws):
        image, text, power, product = resolvents(*population.draw(n, seed))
        signal.append(fused_signal(image, text, power, n, population.kappa))
        freedom.append(fused_freedom(image, text, population.kappa))
        plain.append([(power / (product + k)).sum() for k in population.kappa])
        seen.append(population.kappa >= least_ridge(image, text))
    seen = np.all(seen, axis=0)
    assert seen[-3:].all()
    assert seen.all() or ratio == 1
    for found, exact in ((signal, population.signal), (freedom, population.freedom)):
        share = np.array(found)[:, seen] / exact[seen]
        error = share.std(axis=0, ddof=1) / np.sqrt(draws)
        # Beside the Monte Carlo's error, what the limit of many dimensions leaves out.
        assert (np.abs(share.mean(axis=0) - 1) < 4 * error + 2 / D).all()
    # What is repaired.
    assert np.mean(plain, axis=0)[0] < (0.97 if ratio == 10 else 0.8) * population.signal[0]


def test_infinitely_many_images_leave_the_plain_resolvent():
    values_v, values_t = np.arange(1.0, 41) ** -1.5, np.append(np.arange(1.0, 30) ** -0.5, 0.0)
    image, text = SampleResolvent.of(values_v, 1e12), SampleResolvent.of(values_t, 1e12)
    power = np.random.default_rng(0).random((40, 30))
    power[:, -1] = 0
    product = np.outer(values_v, values_t)
    for kappa in (1e-6, 1e-3, 1.0):
        expected = 1 / (product + kappa)
        found = fused_resolvent(image, text, kappa)
        np.testing.assert_allclose(found[:, :-1], expected[:, :-1], rtol=1e-6)
        signal = fused_signal(image, text, power, 1e12, np.array([kappa]))
        np.testing.assert_allclose(signal, (power * expected).sum(), rtol=1e-6)
        freedom = fused_freedom(image, text, np.array([kappa]))
        np.testing.assert_allclose(freedom, (product * expected).sum(), rtol=1e-6)
    np.testing.assert_allclose(population_eigenvalues(values_v, 1e12), values_v, rtol=1e-6)


def test_noise_shifts_the_levels():
    values = np.arange(1.0, 21) ** -1.0
    clean = SampleResolvent.of(values, 1e12)
    found = fused_resolvent(clean.shifted(0.3), clean, 0.01)
    np.testing.assert_allclose(found, 1 / (np.outer(values + 0.3, values) + 0.01), rtol=1e-6)


@pytest.mark.parametrize(("ratio", "most"), [(1, 0.04), (2, 0.02), (4, 0.02)])
def test_eigenvalues_have_the_degrees_of_freedom_of_the_population(population, ratio, most):
    n = ratio * D
    level = np.geomspace(1e-3, 1.0, 5)[:, None] * population.values.mean()
    found, own = [], []
    for seed in range(12):
        v, _ = population.draw(n, seed)
        sample = np.linalg.eigvalsh(v.T @ v / n)[::-1]
        fitted = population_eigenvalues(sample, n - 1.0)
        assert fitted.sum() == pytest.approx(sample.sum())
        found.append((fitted / (fitted + level)).sum(axis=1))
        own.append((sample / (sample + level)).sum(axis=1))
    exact = (population.values / (population.values + level)).sum(axis=1)
    share, uncorrected = np.mean(found, axis=0) / exact, np.mean(own, axis=0) / exact
    np.testing.assert_allclose(share, 1, atol=most)
    assert np.abs(uncorrected - 1).max() > 2 * np.abs(share - 1).max()


@few_images
@pytest.mark.parametrize("ratio", [2, 4, 10])
def test_matching_signal_is_nearer_than_that_of_the_sample(ratio):
    """With D: too high by what few images do not show of it, in its interval; a limit at many."""
    population = Population("power 2.0", 0.9, unit=False)
    exact, _ = Moments.from_second_moments(
        population.image, population.text, population.cross
    ).matching_signal(population.kappa)
    found, inside = [], []
    for seed in range(16):
        moments = Moments.from_features(*population.draw(ratio * D, seed))
        q, _ = moments.matching_signal(population.kappa)
        found.append(q / exact)
        inside.append(np.abs(q - exact) < 1.96 * moments.matching_error(population.kappa))
    most = {2: 0.4, 4: 0.25, 10: 0.15}[ratio]
    assert np.abs(np.mean(found, axis=0) - 1).max() < most
    assert np.mean(inside) > 0.75


def test_below_its_reach_the_signal_is_linear_and_its_error_grows():
    with pytest.warns(ValidityWarning, match="fewer than the 96 dimensions"):
        moments = Moments.from_features(*np.random.default_rng(0).standard_normal((2, 60, 96)))
    assert moments.reach > 0
    scaled = moments.rescaled(image=3.0)
    assert scaled.reach == pytest.approx(9 * moments.reach)
    error = moments.matching_error(moments.reach * np.array([1.0, 0.1, 0.01]))
    assert (np.diff(error) >= 0).all()


def test_the_contour_encloses_every_direction_of_the_population():
    """Of equal directions 1 - d/N of a level is left where rho is 0; the contour is left of it."""
    found = SampleResolvent.of(np.full(18, 2.0), images=20)
    assert found.trace.sum() == pytest.approx(18)
