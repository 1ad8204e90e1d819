"""The compressed spectrum against sums over every eigenvalue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.risk import Spectrum

RNG = np.random.default_rng(0)
P = 20_000
INDEX = np.arange(1, P + 1)
SPECTRA = {
    "power law": INDEX**-1.2,
    "flat": np.full(P, 3.0),
    "two scales": np.repeat([1.0, 1e-8], P // 2),
    "wide": 10 ** RNG.uniform(-12, 0, P),
    "outer product": np.outer(
        np.append(np.arange(1, 140) ** -1.3, [0.0] * 10), np.arange(1, 140) ** -0.7
    ),
    "few": np.geomspace(1e-6, 1, 50),
}
SUMMANDS = {
    "learned": lambda lam, kappa: lam / (lam + kappa),
    "learned squared": lambda lam, kappa: (lam / (lam + kappa)) ** 2,
    "unlearned squared": lambda lam, kappa: (kappa / (lam + kappa)) ** 2,
    "variance": lambda lam, kappa: lam / (lam + kappa) ** 2,
    "resolvent": lambda lam, kappa: 1 / (lam + kappa),
    "trace": lambda lam, kappa: lam + 0 * kappa,
}


def kappas(eigenvalues):
    positive = eigenvalues[eigenvalues > 0]
    return np.geomspace(1e-3 * positive.min(), 1e3 * positive.max(), 25)


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("summand", SUMMANDS)
def test_sums_match_every_eigenvalue(name, summand):
    eigenvalues, g = SPECTRA[name], SUMMANDS[summand]
    weights = RNG.standard_normal(eigenvalues.shape) * np.sqrt(eigenvalues)
    spectrum = Spectrum.from_eigenvalues(eigenvalues, {"w": weights})
    kappa = kappas(eigenvalues)
    positive = eigenvalues > 0
    values = g(eigenvalues[positive], kappa[:, None])
    np.testing.assert_allclose(spectrum.sum(g, kappa), values.sum(axis=1), rtol=1e-8)
    # Signed weights cancel, so that the error is held against the sum of absolute values.
    error = np.abs(spectrum.weighted_sum("w", g, kappa) - values @ weights[positive])
    assert (error <= 1e-8 * (values @ np.abs(weights[positive]))).all()


def test_long_spectra_are_compressed_and_short_ones_are_exact():
    assert Spectrum.from_eigenvalues(SPECTRA["wide"]).nodes.size < 500
    few = Spectrum.from_eigenvalues(SPECTRA["few"])
    np.testing.assert_array_equal(few.nodes, SPECTRA["few"])
    np.testing.assert_array_equal(few.counts, 1.0)


def test_zero_eigenvalues_are_kept_apart():
    spectrum = Spectrum.from_eigenvalues([0.0, 2.0, 0.0], {"w": [1.0, 2.0, -4.0]})
    assert (spectrum.size, spectrum.zeros) == (1, 2)
    assert spectrum.zero_weights == {"w": -3.0}
    assert spectrum.sum(lambda lam, _: lam, 0.0) == 2.0


def test_sum_keeps_the_shape_of_the_parameters():
    spectrum = Spectrum.from_eigenvalues([1.0, 2.0])
    g = SUMMANDS["resolvent"]
    assert spectrum.sum(g, 1.0).shape == ()
    assert spectrum.sum(g, np.ones((2, 3))).shape == (2, 3)


def test_blocks_of_parameters_agree_with_single_ones():
    spectrum = Spectrum.from_eigenvalues(SPECTRA["wide"])
    g, kappa = SUMMANDS["learned"], np.geomspace(1e-9, 1, 2000)
    single = [float(spectrum.sum(g, k)) for k in kappa[::500]]
    np.testing.assert_allclose(spectrum.sum(g, kappa)[::500], single, rtol=1e-12)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), spread=st.floats(0, 30), scale=st.floats(1e-6, 1e6))
def test_any_spectrum_at_any_scale(seed, spread, scale):
    rng = np.random.default_rng(seed)
    eigenvalues = scale * np.exp(-rng.uniform(0, spread, 3000))
    spectrum = Spectrum.from_eigenvalues(eigenvalues)
    kappa = kappas(eigenvalues)
    g = SUMMANDS["learned squared"]
    expected = g(eigenvalues, kappa[:, None]).sum(axis=1)
    np.testing.assert_allclose(spectrum.sum(g, kappa), expected, rtol=1e-8)
    assert spectrum.counts.sum() == pytest.approx(3000, rel=1e-12)


@pytest.mark.parametrize(
    ("eigenvalues", "weights", "message"),
    [
        ([], None, "eigenvalues must not be empty"),
        ([1.0, -1e-17], None, "eigenvalues must be at least 0 everywhere, got -1e-17"),
        ([1.0, np.nan], None, "eigenvalues must be finite"),
        ([0.0, 0.0], None, "eigenvalues must have at least one above 0, got 2 zeros"),
        (1.0, None, "eigenvalues must have 1 or 2 dimensions"),
        ("a", None, "eigenvalues must be an array of numbers"),
        ([1.0, 2.0], {"power": [1.0]}, r"power must have one value per eigenvalue, shape \(2,\)"),
        ([1.0, 2.0], {"power": [1.0, np.inf]}, "power must be finite"),
    ],
)
def test_bad_input(eigenvalues, weights, message):
    with pytest.raises(InputError, match=message):
        Spectrum.from_eigenvalues(eigenvalues, weights)
