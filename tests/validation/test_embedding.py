"""The picture of the features: the same images everywhere, the same points at each call."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.symbolic import COUNTS
from validation import embedding
from validation.counts import app as counts_app
from validation.counts import count_table
from validation.embedding import EmbeddingSettings, embed, write_embedding

SMALL = EmbeddingSettings(images=20, perplexity=5, iterations=250)


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    """Forty test images whose second text is the image itself, moved a little."""
    rng = np.random.default_rng(3)
    image = normalise(rng.standard_normal((80, 8)), "image").astype(np.float32)
    text = image[:, None] + 0.1 * rng.standard_normal((80, 2, 8))
    split = ["align"] * 20 + ["train"] * 20 + ["test"] * 40
    return FeatureSet(image, normalise(text, "text").astype(np.float32), split=split, name="made")


def test_points_are_of_test_images_and_repeat(features: FeatureSet) -> None:
    other = FeatureSet(features.image, -features.text, split=features.split, name="made")
    points, facts = embed({"near": features, "far": other}, SMALL)
    assert len(points) == 2 * 2 * 20
    assert set(points["image"]) <= set(features.rows("test"))
    shown = points.groupby(["condition", "modality"])["image"].apply(list)
    assert all(rows == shown.iloc[0] for rows in shown)
    assert facts["near"]["nearest_is_own"] == 1
    assert facts["near"]["matched_cosine"] > 0.9 > facts["far"]["matched_cosine"]
    again, _ = embed({"near": features, "far": other}, SMALL)
    pd.testing.assert_frame_equal(points, again)
    moved, _ = embed({"near": features}, replace(SMALL, seed=1))
    assert set(moved["image"]) != set(points["image"])


def test_matched_texts_lie_beside_their_image(features: FeatureSet) -> None:
    points, _ = embed({"near": features}, replace(SMALL, iterations=1000))
    image, text = (
        points[points["modality"] == kind][["x", "y"]].to_numpy() for kind in ("image", "text")
    )
    distances = np.linalg.norm(text[:, None] - image[None], axis=2)
    nearest_is_own = (distances.argmin(axis=1) == np.arange(20)).mean()
    assert nearest_is_own > 0.8  # chance is 1 in 20


def test_files_say_how_they_were_made(features: FeatureSet, tmp_path: Path) -> None:
    paths = write_embedding(features, tmp_path, tmp_path / "out", SMALL, {"plain": 0.0})
    assert [path.name for path in paths] == ["points.csv", "facts.json"]
    assert set(pd.read_csv(paths[0])["condition"]) == {"plain"}
    about = json.loads(paths[1].read_text())
    assert about["settings"]["images"] == 20
    assert about["conditions"]["plain"]["strength"] == 0
    assert "made" in about["features"]


def test_features_as_given_need_no_images_to_align_on(features: FeatureSet, tmp_path: Path) -> None:
    split = ["train"] * 40 + ["test"] * 40
    given = FeatureSet(features.image, features.text, split=split, name="given")
    write_embedding(given, tmp_path / "s", tmp_path / "out", SMALL, {"aligned": None})
    assert {*pd.read_csv(tmp_path / "out" / "points.csv")["condition"]} == {"aligned"}
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("features_file", [None, "made.safetensors"])
def test_counts_are_at_the_dimensions_of_a_file(
    features: FeatureSet, features_file: str | None, tmp_path: Path
) -> None:
    options = ["--out", str(tmp_path / "counts.csv")]
    if features_file is not None:
        features.save(tmp_path / features_file)
        options += ["--features", str(tmp_path / features_file)]
    assert CliRunner().invoke(counts_app, options).exit_code == 0
    found = pd.read_csv(tmp_path / "counts.csv")
    assert {*found["d_v"]} == {*found["d_t"]} == {512 if features_file is None else 8}


def test_refused_before_heads_are_trained(
    features: FeatureSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "condition_features", lambda *_: pytest.fail("trained"))
    with pytest.raises(InputError, match="images must be at most the 40 test images, got 41"):
        write_embedding(features, tmp_path, tmp_path, EmbeddingSettings(images=41))
    with pytest.raises(InputError, match="perplexity must be from 1 to below 2 x images = 40"):
        write_embedding(features, tmp_path, tmp_path, EmbeddingSettings(images=20, perplexity=40))


def test_stored_counts_are_the_closed_forms() -> None:
    stored = pd.read_csv("docs/results/parameter_counts.csv").astype({"identifiable": "Int64"})
    pd.testing.assert_frame_equal(stored, count_table())
    assert set(stored["head"]) == set(COUNTS)
