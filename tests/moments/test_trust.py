"""Within ranges a prediction is trusted; beyond, intervals widen with the distance."""

from dataclasses import replace

import numpy as np
import pytest

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.heads import HEADS
from fusiontheory.moments import (
    EFFECTS,
    Calibration,
    Moments,
    calibration,
    diagnose,
    ranges,
    read_calibration,
    trust,
)
from fusiontheory.synthetic import find_population

KNOWN = Calibration(
    sizes=(100.0, 10_000.0),
    ranges={"mean_share": (None, 0.2), "effective_dimensions": (8.0, None)},
    spans={"mean_share": 0.5, "effective_dimensions": float(np.log(4))},
    inside=(0.01, 0.02),
    outside={
        "mean_share": ((0.02, 0.06), (0.04, 0.10)),
        "effective_dimensions": ((0.03, 0.01), (0.03, 0.03)),
    },
)


def widths(n: float = 100.0, **values: float) -> float:
    return float(KNOWN.half_width(values, np.array([n]))[0])


def test_inside_is_the_theory_s_own_error() -> None:
    assert widths(mean_share=0.2, effective_dimensions=8.0) == pytest.approx(0.01)
    assert widths(1000.0, mean_share=0.0) == pytest.approx(0.015)
    assert widths(1e6) == pytest.approx(0.02)


def test_beyond_it_grows_with_the_distance() -> None:
    assert KNOWN.excess("mean_share", 0.7) == pytest.approx(1.0)
    assert KNOWN.excess("effective_dimensions", 4.0) == pytest.approx(0.5)
    assert widths(mean_share=0.45) == pytest.approx(0.04)
    assert widths(mean_share=0.7) == pytest.approx(0.06)
    assert widths(mean_share=0.95) > widths(mean_share=0.7)
    assert widths(mean_share=100.0) == 0.5
    # A far width that is smaller than the near one is not believed.
    assert widths(effective_dimensions=2.0) == pytest.approx(0.03)
    # Farther than any population of the study it grows all the same.
    assert widths(effective_dimensions=1.0) == pytest.approx(0.045)


def test_several_items_take_the_widest() -> None:
    assert widths(mean_share=0.7, effective_dimensions=7.0) == pytest.approx(0.06)
    assert set(KNOWN.beyond({"mean_share": 0.1, "effective_dimensions": 2.0})) == {
        "effective_dimensions"
    }


def test_unknown_items_have_no_limit() -> None:
    assert KNOWN.ends("first_share") == (-np.inf, np.inf)
    assert KNOWN.excess("first_share", 1.0) == 0.0


def test_the_stored_calibration_is_whole() -> None:
    assert set(calibration()) == set(HEADS)
    for own in (*calibration().values(), *calibration("best").values()):
        assert set(own.ranges) == set(EFFECTS) == set(own.outside)
        assert len(own.inside) == len(own.sizes)
        assert all(len(width) == len(own.sizes) for width in own.outside.values())
        assert all(value >= 0 for value in own.inside)


def test_common_ranges_suit_every_head() -> None:
    common = ranges()
    for head in HEADS:
        for name, (low, high) in ranges(head).items():
            assert common[name][0] >= low
            assert common[name][1] <= high


def test_warns_by_name_value_and_range() -> None:
    sample = find_population("dominant_nuisance_10").draw(800, np.random.default_rng(1))
    found = trust(diagnose(sample.image, sample.text).values, "concat-mlp", [128, 2048])
    assert not found.trusted
    assert found.extra_half_width.shape == (2,)
    assert any(x.startswith("first_share is 0.7") and "above" in x for x in found.reasons)


@pytest.mark.parametrize("ridge", [0.1, "best"])
def test_a_curve_warns_and_widens(ridge) -> None:
    sample = find_population("dominant_nuisance_10").draw(500, np.random.default_rng(1))
    moments = Moments.from_features(sample.image, sample.text)
    with pytest.warns(ValidityWarning, match=r"first_share is 0\.7\d+, above"):
        curve = predict_curve("bilinear", moments, [128, 512], ridge)
    assert not curve["trusted"].any()
    best = ridge == "best"
    extra = trust(moments.diagnosis.values, "bilinear", [128, 512], best=best).extra_half_width
    plain = predict_curve("bilinear", replace(moments, source=None), [128, 512], ridge)
    assert plain["trusted"].all()
    low = np.maximum(plain["accuracy_low"] - extra, 0)
    np.testing.assert_allclose(curve["accuracy_low"], low, atol=1e-12)
    # The accuracy itself is the theory's.
    np.testing.assert_array_equal(plain["accuracy"], curve["accuracy"])


def test_copies_are_warned_until_groups_are_given() -> None:
    sample = find_population("frames_2").draw(800, np.random.default_rng(1))
    moments = Moments.from_features(sample.image, sample.text)
    with pytest.warns(ValidityWarning, match=r"near_duplicates is 0\.\d+, above 0\.01.* groups="):
        predict_curve("bilinear", moments, 128, 0.1)
    given = Moments.from_features(sample.image, sample.text, groups=sample.groups)
    assert predict_curve("bilinear", given, 128, 0.1)["trusted"].all()


def test_groups_count_independent_images() -> None:
    sample = find_population("frames_4").draw(400, np.random.default_rng(1))
    moments = Moments.from_features(sample.image, sample.text, groups=sample.groups)
    assert moments.images == 100
    assert moments.diagnosis.independent_images == 100
    with pytest.raises(InputError, match="groups must have one id per image, 400"):
        Moments.from_features(sample.image, sample.text, groups=sample.groups[:-1])


def test_moments_of_no_features_have_no_diagnosis() -> None:
    moments = Moments.from_second_moments(np.eye(2), np.eye(2), 0.5 * np.eye(2))
    assert moments.diagnosis is None
    assert predict_curve("bilinear", moments, 100, 0.1)["trusted"].all()


def test_refuses_a_head_that_the_study_lacks() -> None:
    x = np.random.default_rng(0).standard_normal((60, 4))
    with pytest.raises(InputError, match="head must be one of"):
        trust(diagnose(x, x).values, "concat", 100)


def test_reads_what_the_study_writes() -> None:
    stored = {
        "sizes": [128],
        "ranges": {"mean_share": [None, 0.3]},
        "spans": {"mean_share": 0.0},
        "inside": [0.0],
        "outside": {"mean_share": [[0.1, 0.2]]},
    }
    known = read_calibration(stored)
    # A value beyond a range that no population of the study left is as far as any.
    assert known.excess("mean_share", 0.31) == 1.0
