"""Features are built from the align images alone, and the shipped file is what its card says."""

from __future__ import annotations

import doctest
import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.main import get_command

import validation.data
from fusiontheory.alignment import ContrastiveSettings, fit_contrastive_heads
from fusiontheory.checks import InputError
from fusiontheory.data import SPLITS
from validation.data import SHIPPED_FILE, encoder_features, principal_scores, shipped_features
from validation.data import build as build_module
from validation.data import check as check_module


@pytest.fixture(scope="module")
def shipped():
    return shipped_features()


@pytest.mark.parametrize("module", [validation.data, build_module, check_module])
def test_examples_run(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


# Building


def make_source(folder, n=40, seed=0):
    """Write arrays and lists like those the shipped features come from; one image is in no list."""
    generator = np.random.default_rng(seed)
    names = [f"{i:03d}.jpg" for i in range(n)]
    shapes = {"mobilenetv2_1280": (n, 6), "resnet18_layer3_256": (n, 4), "minilm_384": (n, 5, 3)}
    (folder / "features").mkdir(parents=True)
    (folder / "flickr8k" / "captions").mkdir(parents=True)
    (folder / "features" / "image_ids.txt").write_text("\n".join(names) + "\n")
    for name, shape in shapes.items():
        values = generator.normal(size=shape).astype(np.float16)
        np.save(folder / "features" / f"{name}.npy", values)
    parts = {"train": names[:20], "dev": names[20:29], "test": names[29 : n - 1]}
    for part, listed in parts.items():
        path = folder / "flickr8k" / "captions" / f"Flickr_8k.{part}Images.txt"
        path.write_text("\n".join(listed[::-1]) + "\n")
    return folder


def test_two_builds_are_equal_to_the_byte(tmp_path):
    make_source(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for name in "ab":
        features = encoder_features(tmp_path / name, dimension=5, align_images=12)
        features.save(tmp_path / f"{name}.safetensors", int8=True)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_splits_follow_the_official_ones(tmp_path):
    features = encoder_features(make_source(tmp_path / "a"), dimension=5, align_images=12)
    assert features.rows("dev").tolist() == list(range(20, 29))
    assert features.rows("test").tolist() == list(range(29, 39))
    assert len(features.rows("align")) == 12
    assert set(features.rows("align")) < set(range(20))
    assert features.rows("align").tolist() != list(range(12))
    assert len(features.rows("train")) == 9
    assert 39 in features.rows("train")


def test_image_vectors_are_fitted_on_align_images_only(tmp_path):
    source = make_source(tmp_path / "a")
    before = encoder_features(source, dimension=5, align_images=12)
    others = np.flatnonzero(before.split != "align")
    path = source / "features" / "mobilenetv2_1280.npy"
    values = np.load(path)
    values[others[0]] += 3
    np.save(path, values)
    after = encoder_features(source, dimension=5, align_images=12)
    same = np.arange(len(before)) != others[0]
    assert np.array_equal(after.image[same], before.image[same])
    assert not np.allclose(after.image[others[0]], before.image[others[0]])


@pytest.mark.parametrize("seed", range(5))
def test_principal_scores_are_uncorrelated_sorted_and_keep_distances(seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(30, 4)) @ generator.normal(size=(4, 4)) + 3
    x[:, 3] = 5.0
    fitted = np.arange(30) < 20
    scores = principal_scores(x, fitted, 4)
    covariance = scores[fitted].T @ scores[fitted] / 20
    assert np.allclose(covariance, np.diag(np.diag(covariance)), atol=1e-12)
    assert np.all(np.diff(np.diag(covariance)) <= 0)
    z = (x - x[fitted].mean(0)) / np.where(x[fitted].std(0) > 0, x[fitted].std(0), 1)
    assert np.allclose(scores @ scores.T, z @ z.T)
    components = np.linalg.pinv(z) @ scores[:, :3]
    largest = np.abs(components).argmax(axis=0)
    assert np.all(components[largest, np.arange(3)] > 0)
    with pytest.raises(InputError, match="dimension must be at most 4 columns, got 5"):
        principal_scores(x, fitted, 5)


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("features/image_ids.txt", "b\na\n", "sorted order"),
        ("features/minilm_384.npy", "no array", "readable minilm_384.npy"),
        ("flickr8k/captions/Flickr_8k.devImages.txt", "x.jpg", "known images, got x.jpg"),
        ("flickr8k/captions/Flickr_8k.devImages.txt", "000.jpg", "overlap"),
        ("flickr8k/captions/Flickr_8k.trainImages.txt", "000.jpg", "at most 1 training images"),
        ("flickr8k/captions/Flickr_8k.trainImages.txt", None, "source must hold Flickr_8k.train"),
    ],
)
def test_sources_that_do_not_fit(tmp_path, path, content, message):
    file = make_source(tmp_path / "a") / path
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(InputError, match=message):
        encoder_features(tmp_path / "a", dimension=5, align_images=12)


def test_build_command_says_what_is_missing(tmp_path, capsys):
    arguments = ["--source", str(tmp_path), "--out", str(tmp_path / "a.safetensors")]
    with pytest.raises(SystemExit) as exited:
        get_command(build_module.app).main(arguments)
    assert exited.value.code == 2
    assert capsys.readouterr().err.startswith("error: source must hold image_ids.txt")


# The shipped file


def test_shipped_counts_and_official_splits(shipped):
    counts = {name: len(shipped.rows(name)) for name in SPLITS}
    assert counts == {"align": 3000, "train": 3091, "dev": 1000, "test": 1000}
    assert sum(counts.values()) == len(shipped) == 8091
    assert shipped.image.shape == (8091, 512)
    assert shipped.text.shape == (8091, 5, 384)
    assert np.array_equal(shipped.ids, np.arange(8091))


def test_shipped_vectors_are_what_the_card_says(shipped):
    assert np.allclose(np.linalg.norm(shipped.text, axis=-1), 1, atol=0.02)
    rows = shipped.rows("align")
    scores = shipped.image[rows].astype(np.float64)
    assert np.abs(scores.mean(axis=0)).max() < 0.01
    variances = scores.var(axis=0)
    assert np.all(np.diff(variances) < 0.02 * variances[:-1])
    correlation = np.corrcoef(scores.T)
    assert np.abs(correlation - np.eye(512)).max() < 0.05


def test_shipped_file_is_small_and_the_one_of_the_card():
    content = SHIPPED_FILE.read_bytes()
    assert len(content) <= 25 * 2**20
    card = SHIPPED_FILE.with_name("README.md").read_text()
    assert hashlib.sha256(content).hexdigest() in card


def test_shipped_file_holds_numbers_only():
    stream = io.BytesIO(SHIPPED_FILE.read_bytes())
    header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    metadata = header.pop("__metadata__")
    assert metadata.keys() == {"fusiontheory"}
    assert json.loads(metadata["fusiontheory"]).keys() == {"fingerprint", "name", "sha256"}
    kinds = {name: tensor["dtype"] for name, tensor in header.items()}
    assert kinds == {
        "image": "I8",
        "image_scale": "F32",
        "text": "I8",
        "text_scale": "F32",
        "ids": "I64",
        "split": "U8",
    }


# The tables of the card


def test_the_check_writes_the_tables_of_the_card(tmp_path, monkeypatch):
    source = make_source(tmp_path / "a")
    features = encoder_features(source, dimension=3, align_images=12)
    monkeypatch.setattr(check_module, "shipped_features", lambda: features)
    monkeypatch.setattr(check_module, "encoder_features", lambda _: features)
    monkeypatch.setattr(
        check_module, "variance_kept", lambda _: build_module.variance_kept(source, 3)
    )
    monkeypatch.setattr(build_module, "ALIGN_IMAGES", 12)
    small = ContrastiveSettings(dimension=2, epochs=1)
    monkeypatch.setattr(check_module, "SETTINGS", (small,))
    monkeypatch.setattr(
        check_module,
        "fit_contrastive_heads",
        lambda features, _=None, *, seed: fit_contrastive_heads(features, small, seed),
    )
    for name, value in (("SAMPLES", 16), ("TEST_SAMPLES", 16), ("DRAWS", 1)):
        monkeypatch.setattr(check_module, name, value)
    arguments = ["--source", str(source), "--seeds", "1", "--settings", "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as exited:
        get_command(check_module.app).main(arguments)
    assert exited.value.code == 0
    card = Path(__file__).parents[3] / "docs" / "results" / "shipped"
    for table in card.glob("*.csv"):
        found = pd.read_csv(tmp_path / table.name)
        assert list(found.columns) == list(pd.read_csv(table).columns)
    kept = pd.read_csv(tmp_path / "vectors.csv").set_index("what")["value"]["variance_kept"]
    assert 0.3 < kept < 1
    assert pd.read_csv(tmp_path / "moved.csv")[["mean", "largest"]].to_numpy().max() == 0
