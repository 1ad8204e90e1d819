"""Accuracy as a function of alignment strength, against moments measured at each strength."""

import numpy as np
import pytest
from worlds import theory_alone

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.curves import alignment_curve, correlation_curve, predict_curve
from fusiontheory.matching import Terms
from fusiontheory.moments import Moments

D, N = 16, [128, 1024]
HEADS = ["dot-product", "bilinear"]


def setting(d=D, decay=0.5):
    rng = np.random.default_rng(0)
    scale = np.arange(1.0, d + 1) ** -decay
    second = np.diag(scale**2), np.diag(scale**2), np.diag(0.7 * scale**2)
    image = np.eye(d), np.linalg.qr(rng.standard_normal((d, d)))[0]
    text = np.linalg.qr(rng.standard_normal((d, d)))[0], image[1] * np.linspace(1.2, 0.8, d)
    return second, image, text


# At unit norm the trace stands for the length, which it does where dimensions are many.
@pytest.mark.parametrize(
    ("strength", "d", "decay", "unit", "most"),
    [
        *((strength, D, 0.5, False, 0.01) for strength in (0.0, 0.3, 0.7, 1.0)),
        *((strength, 200, 0.0, True, 0.01) for strength in (0.0, 0.7)),
    ],
)
@pytest.mark.filterwarnings("ignore::fusiontheory.ValidityWarning")
def test_as_moments_measured_at_each_strength(strength, d, decay, unit, most):
    second, image_maps, text_maps = setting(d, decay)
    ridge = 0.1 if unit else 1.0
    curve = alignment_curve(
        second, image_maps, text_maps, HEADS, N, ridge, strength, unit_trace=unit
    )
    population = Moments.from_second_moments(*second).pairs
    # Of so many images the accuracies are those of 20,000 to 0.002.
    v, t = population.draw(8000, np.random.default_rng(1))
    a, b = ((1 - strength) * x + strength * y for x, y in (image_maps, text_maps))
    v, t = v @ a.T, t @ b.T
    if unit:
        v, t = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (v, t))
    measured = theory_alone(Moments.from_features(v, t))
    for name, head in zip(("first", "second"), HEADS, strict=True):
        # Second moments say nothing of the law of scores.
        normal = Terms(score_law=False)
        expected = predict_curve(head, measured, N, ridge, terms=normal)["accuracy"]
        np.testing.assert_allclose(curve[name], expected, atol=most)


def test_unit_norm_of_few_dimensions_is_warned_of():
    with pytest.warns(ValidityWarning, match="effective dimensions at strength 0.5, below 100"):
        alignment_curve(*setting(), HEADS, N, 0.1, 0.5, unit_trace=True)


def test_direction_is_that_of_the_gap_itself():
    second, image_maps, text_maps = setting()
    strengths = np.linspace(0.05, 0.95, 7)
    curve = alignment_curve(second, image_maps, text_maps, HEADS, [512], 0.1, strengths)
    near = alignment_curve(second, image_maps, text_maps, HEADS, [512], 0.1, strengths + 0.01)
    moved = (near["gap"] - curve["gap"]).to_numpy()
    clear = np.abs(moved) > 1e-4
    assert clear.sum() >= 5
    np.testing.assert_array_equal(curve["gap_direction"][clear], np.sign(moved[clear]))


def test_correlations_are_those_of_the_second_moments():
    flat = np.ones(D)
    curve = correlation_curve(flat, flat, 0.8 * flat, HEADS, N, 0.5, [0.0, 0.5, 1.0])
    eye = np.eye(D)
    for strength, part in curve.groupby("strength"):
        moments = Moments.from_second_moments(eye, eye, 0.8 * strength * eye)
        for name, head in zip(("first", "second"), HEADS, strict=True):
            expected = predict_curve(head, moments, N, 0.5)["accuracy"]
            np.testing.assert_allclose(part[name], expected)
    assert curve["first"].iloc[:2].tolist() == [0.5, 0.5]
    assert curve.groupby("n")["second"].apply(lambda x: x.is_monotonic_increasing).all()


def test_refused():
    second, image_maps, text_maps = setting()
    with pytest.raises(InputError, match="strengths must be from 0 to 1, got 2"):
        alignment_curve(second, image_maps, text_maps, HEADS, N, 0.1, 2.0)
    with pytest.raises(InputError, match="image_maps must be two matrices of one shape"):
        alignment_curve(second, (np.eye(3), np.eye(3)), text_maps, HEADS, N, 0.1, 0.5)
    with pytest.raises(InputError, match="heads must be two names"):
        alignment_curve(second, image_maps, text_maps, ["bilinear"], N, 0.1, 0.5)
    with pytest.raises(InputError, match="correlations must be 16 values of at most 1"):
        correlation_curve(np.ones(D), np.ones(D), 2 * np.ones(D), HEADS, N, 0.1, 0.5)
