"""Items of a diagnosis are what closed forms say, tell kinds apart, and refuse what has none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.moments import (
    EFFECTS,
    Diagnosis,
    FeatureShape,
    diagnose,
    halves_dependence,
    kernel_dependence,
)
from fusiontheory.synthetic import find_population


def found(name: str, rows: int = 1500) -> Diagnosis:
    sample = find_population(name).draw(rows, np.random.default_rng(2))
    return diagnose(sample.image, sample.text)


def test_gaussian_features_are_gaussian() -> None:
    values = found("gauss_mild").values
    scale = np.arange(1, 49.0) ** -0.6  # variances
    assert values["effective_dimensions"] == pytest.approx(
        scale.sum() ** 2 / (scale**2).sum(), rel=0.05
    )
    assert values["first_share"] == pytest.approx(1 / scale.sum(), rel=0.15)
    assert values["length_kurtosis"] == pytest.approx(1, abs=0.03)
    assert values["mean_share"] < 0.002
    for name in ("square_dependence", "mixed_dependence", "shared_lengths"):
        assert values[name] < 0.15


@pytest.mark.parametrize(
    ("name", "item", "low", "high"),
    [
        ("uncentred_gap", "mean_share", 0.6, 0.8),
        ("dominant_nuisance_10", "first_share", 0.7, 0.85),
        ("heavy_t5_own", "length_kurtosis", 1.6, 20),
        ("frames_4", "near_duplicates", 0.74, 0.76),
        ("categories_30", "repeated_rows", 0.9, 1),
        ("categories_30", "near_duplicates", 0, 0),
        ("canonical_3", "leading_correlation", 0.97, 1),
        ("lengths_only", "shared_lengths", 0.6, 1),
        ("magnitudes_only", "square_dependence", 0.3, 0.5),
        ("views_4", "effective_dimensions", 3, 7),
        ("topics_20", "mixed_dependence", 0.6, 1),
        ("relu_sparse", "leading_skewness", 0.5, 2),
        ("topics_5", "leading_bimodality", -2, -0.9),
    ],
)
def test_each_kind_is_seen(name: str, item: str, low: float, high: float) -> None:
    assert low <= found(name).values[item] <= high


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100), st.floats(0.1, 10), st.floats(0.1, 10))
def test_scale_and_rotation_change_nothing(seed: int, image: float, text: float) -> None:
    rng = np.random.default_rng(seed)
    v = rng.standard_normal((200, 5)) @ np.diag([3, 2, 1, 1, 1]) + 1
    t = v + rng.standard_normal((200, 5))
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    plain, other = diagnose(v, t).values, diagnose(image * v @ turn, text * t).values
    for name in set(EFFECTS) - {"distinct_values"}:
        assert other[name] == pytest.approx(plain[name], rel=1e-3, abs=2e-3), name


def test_several_texts_an_image() -> None:
    rng = np.random.default_rng(0)
    v = rng.standard_normal((400, 16))
    t = v[:, None] + rng.standard_normal((400, 5, 16))
    values = diagnose(v, t).values
    assert values["near_duplicates"] == 0
    # The mean of five texts has less noise than one.
    assert values["leading_correlation"] > diagnose(v, t[:, 0]).values["leading_correlation"]


def test_given_groups_count() -> None:
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((2, 300, 10))
    diagnosis = diagnose(v, t, groups=np.arange(300) // 3)
    assert diagnosis.independent_images == 100
    assert diagnosis.values["grouped_copies"] == pytest.approx(2 / 3)
    assert diagnosis.values["largest_group"] == pytest.approx(3 / 300)
    assert diagnosis.values["near_duplicates"] == 0
    assert diagnosis.values["images_per_dimension"] == 10


def test_mean_share_has_no_bias_from_few_rows() -> None:
    rng = np.random.default_rng(0)
    shares = [
        1 - 1 / (1 + 0.25) - FeatureShape(rng.standard_normal((20, 50)) + 0.5).mean_share
        for _ in range(200)
    ]
    assert abs(np.mean(shares)) < 4 * np.std(shares) / np.sqrt(len(shares)) + 2e-3


def test_dependence_of_gaussian_squares_is_that_of_their_covariance() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1500, 6))
    v, t = x, 0.8 * x + 0.6 * rng.standard_normal(x.shape)
    squares, mixed = kernel_dependence(v, t)
    assert squares < 0.15
    assert mixed < 0.1
    # The same C with the squares tied as well.
    assert kernel_dependence(v, x * (1 + 0.5 * x**2))[0] > 0.2


def test_halves_of_noise_agree_on_nothing() -> None:
    v, t = np.random.default_rng(0).standard_normal((2, 2000, 10))
    assert abs(halves_dependence(v, t).agreement) < 0.35
    assert halves_dependence(v, v).agreement > 0.95
    far = halves_dependence(v * 2.0**40, v * 2.0**-40)
    assert far == halves_dependence(v, v)


def test_frame_has_a_row_an_item() -> None:
    frame = found("dominant_nuisance_10").to_frame("concat-mlp")
    assert list(frame["name"]) == list(EFFECTS)
    share = frame.set_index("name").loc["first_share"]
    assert share["inside"] == (share["low"] <= share["value"] <= share["high"])
    assert not share["inside"]


def test_few_rows_have_a_diagnosis() -> None:
    values = diagnose([[0.0, 1.0], [1.0, 0.5], [3.0, 0.2]], [[1.0], [2.0], [0.5]]).values
    assert all(np.isfinite(value) for value in values.values())


@pytest.mark.parametrize(
    ("image", "text", "message"),
    [
        (np.ones((9, 3)), np.eye(9), "image must differ between rows, got 9 copies of one row"),
        (np.eye(9), np.ones((9, 2, 3)), "text must differ between rows, got 18 copies of one row"),
    ],
)
def test_refuses_constants(image: np.ndarray, text: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        diagnose(image, text)


def test_refuses_copies_of_one_row() -> None:
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((2, 1, 40)) + 1e-9 * rng.standard_normal((2, 30, 40))
    with pytest.raises(InputError, match="image must differ between rows, got 30 copies"):
        diagnose(v, t)
    v, t = rng.standard_normal((2, 30, 40))
    with pytest.raises(InputError, match="groups must have at least 2 groups"):
        diagnose(v, t, groups=np.zeros(30, dtype=int))


def test_more_columns_than_rows_are_as_few_of_them() -> None:
    """Columns of zeros change no inner product, but make the covariance the larger matrix."""
    v, t = np.random.default_rng(5).standard_t(4, (2, 60, 40))
    few = diagnose(v, t).values
    many = diagnose(np.pad(v, ((0, 0), (0, 200))), np.pad(t, ((0, 0), (0, 99)))).values
    same = [name for name in few if name not in ("images_per_dimension", "distinct_values")]
    assert [many[name] for name in same] == pytest.approx([few[name] for name in same], abs=1e-4)
