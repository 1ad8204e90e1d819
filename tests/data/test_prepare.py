"""One preparation, by every way in."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import fusiontheory as ft
from fusiontheory.cli import app
from fusiontheory.data import PREPARATION, FeatureSet, normalise, prepare
from validation.conditions import as_given


def features(n: int = 120, captions: int = 2) -> FeatureSet:
    rng = np.random.default_rng(0)
    image = rng.standard_normal((n, 6)) + 2
    text = image[:, None, :5] + rng.standard_normal((n, captions, 5)) - 1
    return FeatureSet(image, text, split=["train"] * (n - 40) + ["test"] * 40)


def test_prepared_is_centred_and_of_unit_norm():
    one = features()
    image, text = prepare(one.image, one.text)
    assert np.linalg.norm(image, axis=-1) == pytest.approx(1.0)
    assert np.linalg.norm(text, axis=-1) == pytest.approx(1.0)
    away = one.text.astype(float) - one.text.reshape(-1, 5).mean(axis=0, dtype=float)
    np.testing.assert_array_equal(text, normalise(away))


def test_a_shift_and_a_scale_do_not_matter():
    one = features()
    before = prepare(one.image.astype(float), one.text.astype(float))
    after = prepare(3 * one.image.astype(float) + 5, one.text.astype(float) - 2)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_as_given_is_the_same_preparation():
    one = features()
    given = as_given(one)
    image, text = prepare(one.image, one.text, rows=one.rows("train"))
    np.testing.assert_array_equal(given.image, image.astype(np.float32))
    np.testing.assert_array_equal(given.text, text.astype(np.float32))
    # The means are of the training images: those of all images give others.
    assert not np.allclose(prepare(one.image, one.text).image, image, atol=1e-4)


def test_the_command_and_the_snippet_agree(tmp_path):
    one = features()
    path = tmp_path / "f.npz"
    np.savez(path, image=one.image, text=one.text)
    arguments = ["predict", str(path), "--head", "bilinear", "--n", "64,128", "--ridge", "0.1"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    record = json.loads(result.stdout)
    moments = ft.Moments.from_features(*ft.prepare(one.image, one.text))
    curve = ft.predict_curve("bilinear", moments, [64, 128], ridge=0.1)
    assert [row["accuracy"] for row in record["predictions"]] == curve["accuracy"].tolist()
    assert record["preparation"] == PREPARATION
    assert "fusiontheory.prepare" in CliRunner().invoke(app, arguments).stdout


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((np.eye(3), np.eye(4)), "text must have one row for each of the 3 images, got 4"),
        ((np.ones((3, 2)), np.eye(3)), "image must vary, got 3 rows"),
        ((np.eye(3), np.zeros((3, 2))), "text must have no zero vector"),
        ((np.full((3, 2), np.nan), np.eye(3)), "image must be finite"),
        (([[1.0, 0], [2.0, 0], [3.0, 0]], np.eye(3)), "image less its mean must have no zero"),
    ],
)
def test_refusals(given, message):
    with pytest.raises(ft.InputError, match=message):
        prepare(*given)


@pytest.mark.parametrize("rows", [[], [0.5], [3], [-1]])
def test_rows_that_are_none_of_the_images(rows):
    with pytest.raises(ft.InputError, match="rows must be"):
        prepare(np.eye(3), np.eye(3), rows=rows)
