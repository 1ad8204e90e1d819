"""Curves of networks from their tangent kernels, against kernel ridge with those very kernels."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.matching import Terms, matching_curve
from fusiontheory.moments import Moments
from fusiontheory.networks import build_network
from fusiontheory.solvers import PairFeatures, measure_curve
from fusiontheory.tangent import (
    expand_network,
    expansion_model,
    predict_network_curve,
    tangent_head,
)

D = 12
SIZES = [128, 512]


def draw(n, seed):
    """Unit-norm features of common axes that share most of their power."""
    rng = np.random.default_rng(seed)
    scale = np.arange(1, D + 1) ** -0.25
    shared = rng.standard_normal((n, D))
    features = [(shared + 0.7 * rng.standard_normal((n, D))) * scale for _ in range(2)]
    return [x / np.linalg.norm(x, axis=1, keepdims=True) for x in features]


def pairs(n, seed):
    image, text = draw(n, seed)
    text[1::2] = np.roll(text[1::2], 1, axis=0)
    return PairFeatures(image, text, np.tile([1.0, -1.0], n // 2))


@pytest.fixture(scope="module")
def moments():
    return Moments.from_features(*draw(3000, 1))


def predict_and_measure(name, moments, **settings):
    """Return predicted and measured accuracy at SIZES, and the standard error of the latter."""
    torch.manual_seed(0)
    module = build_network(name, D, D, **settings)
    features = draw(3000, 1)
    expansion = expand_network(module, *features)
    # A tenth of what varies on the diagonal.
    ridge = 0.1 * (expansion.diagonal - expansion.constant)
    curve = predict_network_curve(module, *features, SIZES, ridge, moments=moments)
    head = tangent_head(name, module, dtype="float32")
    accuracy = [
        [
            point.accuracy
            for point in measure_curve(
                head, pairs(max(SIZES), seed), pairs(1000, seed + 50), SIZES, ridge
            )
        ]
        for seed in (10, 11, 12)
    ]
    error = np.std(accuracy, axis=0, ddof=1) / np.sqrt(len(accuracy))
    return curve["accuracy"].to_numpy(), np.mean(accuracy, axis=0), error


@pytest.mark.parametrize(
    ("name", "settings", "tolerance"),
    [
        ("bilinear", {}, 0.03),
        ("hadamard", {}, 0.02),
        ("hadamard", {"width": 32}, 0.03),
        ("dot-product", {}, 0.02),
        ("low-rank", {"rank": 48}, 0.03),
        ("gated", {"width": 32}, 0.03),
        ("gated", {"width": 256}, 0.03),
        ("concat-mlp", {"hidden": (512,)}, 0.03),
        ("concat-mlp", {"hidden": (64, 32)}, 0.03),
        ("concat-mlp", {"hidden": (64, 32, 16)}, 0.03),
        ("two-way-attention", {"width": 32, "hidden": (32, 16)}, 0.03),
    ],
)
def test_predictions_against_measurement(name, settings, tolerance, moments):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ValidityWarning)
        predicted, measured, error = predict_and_measure(name, moments, **settings)
    assert (np.abs(predicted - measured) < np.maximum(4 * error, tolerance)).all()
    assert measured[-1] > 0.57


@pytest.mark.parametrize("name", ["concat-linear", "image-only", "cross-attention"])
def test_networks_at_chance(name, moments):
    settings = {"width": 32, "hidden": (32,)} if name == "cross-attention" else {}
    predicted, measured, _ = predict_and_measure(name, moments, **settings)
    np.testing.assert_array_equal(predicted, 0.5)
    assert (np.abs(measured - 0.5) < 0.04).all()


def test_blocks_without_the_metric_are_far_off(moments):
    torch.manual_seed(0)
    module = build_network("concat-mlp", D, D, hidden=(64, 32, 16))
    expansion = expand_network(module, *draw(3000, 1))
    assert expansion.product_r_squared < 0.1
    ridge = 0.1 * (expansion.diagonal - expansion.constant)
    without = replace(expansion, product_eigenvalues=None)
    models = [expansion_model(one, moments) for one in (expansion, without)]
    n = np.array([512.0])
    matched, plain = (matching_curve(model, n, ridge).accuracy[0] for model in models)
    assert plain > matched + 0.05


def test_more_pairs_than_the_metric_was_seen_on(moments):
    torch.manual_seed(0)
    module = build_network("concat-mlp", D, D, hidden=(16,))
    with pytest.warns(ValidityWarning, match="more than 2 times the .* directions"):
        predict_network_curve(module, *draw(300, 1), [4096], 0.1, moments=moments)


def test_bilinear_network_has_the_curve_of_the_head(moments):
    module = build_network("bilinear", D, D)
    curve = predict_network_curve(module, *draw(3000, 1), SIZES, 0.1)
    # A network's curve has normal scores.
    expected = predict_curve("bilinear", moments, SIZES, 0.1, terms=Terms(score_law=False))
    np.testing.assert_allclose(curve["accuracy"], expected["accuracy"], rtol=1e-4)
    assert [*curve.columns, "trusted"] == list(expected.columns)


def test_function_that_builds_is_averaged():
    def build():
        return build_network("concat-mlp", D, D, hidden=(24,))

    features = draw(400, 1)
    torch.manual_seed(3)
    alone = expand_network(build(), *features)
    same = expand_network(build, *features, seeds=[3])
    assert alone.coefficients == same.coefficients
    mean = expand_network(build, *features, seeds=range(12))
    # The mean over networks is closer to a kernel with rotation-invariant blocks.
    assert mean.product_r_squared > 2 * alone.product_r_squared


def test_bad_input():
    module, features = build_network("bilinear", D, D), draw(100, 1)
    with pytest.raises(InputError, match="network must be a Module or a function"):
        predict_network_curve("bilinear", *features, SIZES, 0.1)
    with pytest.raises(InputError, match="at least 20 rows"):
        expand_network(module, features[0][:9], features[1][:9])
    with pytest.raises(InputError, match="pairs must be at least 20"):
        expand_network(module, *features, pairs=5)
    with pytest.raises(InputError, match="n must be at least 2"):
        predict_network_curve(module, *features, [1], 0.1)
    with pytest.raises(InputError, match="ridge must be"):
        predict_network_curve(module, *features, SIZES, -1)
