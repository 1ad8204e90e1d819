"""The proof passes what is right and catches each of the usual mistakes, on small data."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.progress import Progress

torch = pytest.importorskip("torch")
small_networks = pytest.importorskip("small_networks", reason="open_clip or torchvision")

from fusiontheory.alignment import retrieval_recall
from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from validation.backbones import Preprocessing, load_clip
from validation.extract import (
    PUBLISHED,
    TOLERANCE,
    Published,
    Settings,
    compare_runs,
    extract_images,
    prove,
    prove_file,
    read_shard,
)

IMAGES = 120
SAME = 0.999  # least cosine of a right run
RIGHT = Preprocessing(size=32)
MISTAKES = {
    "squash": ("small", replace(RIGHT, fit="squash")),
    "activation": ("small-quickgelu", RIGHT),
    "normalisation": ("small", replace(RIGHT, mean=(0, 0, 0), std=(1, 1, 1))),
    "colours": ("small", replace(RIGHT, channels="BGR")),
}


class Runs:
    """Image features of one small CLIP, right and with each of the mistakes."""

    def __init__(self, folder):
        weights = small_networks.small_clip(folder)
        listed = small_networks.pictures(folder / "images", IMAGES)
        self.features, self.cards = {}, {}
        for name, (model, preprocessing) in {"right": ("small", RIGHT), **MISTAKES}.items():
            clip = load_clip(model, checkpoint=weights, preprocessing=preprocessing)
            settings = Settings(batch=40, shard=120, workers=0)
            with Progress(disable=True) as progress:
                files = extract_images(listed, clip, folder / "cache", settings, progress)
            self.features[name] = read_shard(files[0]).features
            self.cards[name] = clip.card.described()
        # Captions of a text tower that was trained: near the right features of their images, at
        # a distance where most, not all, find theirs.
        right = self.features["right"]
        spread = (right - right.mean(0)).std()
        noise = np.random.default_rng(0).normal(size=(IMAGES, 5, right.shape[1]))
        text = right[:, None] + spread * noise
        self.text = text / np.linalg.norm(text, axis=-1, keepdims=True)
        recall = retrieval_recall(right, self.text, (5,))
        self.published = Published(recall, "the right run", "gelu", IMAGES, RIGHT)

    def about(self, card):
        return {"image": self.cards[card], "text": self.cards[card], "skipped": []}

    def proof(self, run, card):
        features = FeatureSet(self.features[run], self.text)
        return prove(features, self.about(card), self.published)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("runs"))


def test_a_right_run_passes(runs):
    proof = runs.proof("right", "right")
    assert proof.right
    assert str(proof).endswith("these features are right")
    assert 0.5 < proof.published["text_to_image@5"] < 1


@pytest.mark.parametrize("mistake", ["squash", "normalisation", "colours"])
def test_recall_alone_catches(runs, mistake):
    """With a card that claims the right settings, as a mistake in the code would leave it.

    Not the activation: in two layers of random weights it moves the recall by about the tolerance.
    The loader, the card and a reference run catch it.
    """
    proof = runs.proof(mistake, "right")
    assert not proof.right
    loss = proof.published["text_to_image@5"] - proof.measured["text_to_image@5"]
    print(f"{mistake}: recall@5 lower by {loss:.3f}")
    assert loss > TOLERANCE
    assert "settings are the published ones, so look at the images" in str(proof)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("squash", "preprocessing fit is squash and should be crop"),
        ("activation", "activation is quick_gelu and should be gelu"),
        ("normalisation", r"preprocessing mean is \[0.0, 0.0, 0.0\] and should be"),
        ("colours", "preprocessing channels is BGR and should be RGB"),
    ],
)
def test_the_card_names(runs, mistake, words):
    with pytest.raises(AssertionError, match=words):
        assert runs.proof(mistake, mistake).right, str(runs.proof(mistake, mistake))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_reference_run_catches(runs, mistake):
    assert compare_runs(runs.features["right"], runs.features["right"]).min() >= SAME
    cosine = compare_runs(runs.features[mistake], runs.features["right"])
    print(f"{mistake}: median cosine {np.median(cosine):.4f}")
    assert np.median(cosine) < SAME


def test_lengths_weights_and_numbers_of_images(runs):
    long = FeatureSet(2 * runs.features["right"], runs.text)
    faults = prove(long, runs.about("right"), runs.published).faults
    assert faults == ["image vectors are not of unit norm, they are off by up to 1"]
    other = runs.about("right") | {"text": {"weights": "other"}}
    few = FeatureSet(runs.features["right"][:60], runs.text[:60])
    faults = prove(few, other, runs.published).faults
    assert "images and captions were encoded with different weights" in faults
    assert any("of 120 test images, these are 60" in fault for fault in faults)


def test_the_file_and_its_sidecar(runs, tmp_path, monkeypatch):
    features = FeatureSet(runs.features["right"], runs.text)
    path = tmp_path / "f.safetensors"
    features.save(path)
    with pytest.raises(InputError, match=r"sidecar f\.json"):
        prove_file(path)
    about = {**runs.about("right"), "fingerprint": features.fingerprint}
    path.with_suffix(".json").write_text(json.dumps(about))
    with pytest.raises(InputError, match="to be proved, got clip:small:local"):
        prove_file(path)
    monkeypatch.setitem(PUBLISHED, ("clip:small", "local"), runs.published)
    assert prove_file(path).right
    path.with_suffix(".json").write_text(json.dumps({**about, "fingerprint": "other"}))
    with pytest.raises(InputError, match="got others"):
        prove_file(path)
