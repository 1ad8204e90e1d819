"""The shipped tokens are what their card says, and apart from what other features train on."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from fusiontheory.checks import InputError
from validation.data import SHIPPED_TOKENS, shipped_features, shipped_tokens
from validation.extract.build_tokens import coarser, split_of


@pytest.fixture(scope="module")
def tokens():
    return shipped_tokens()


def test_the_card_says_what_the_file_is(tokens):
    card = SHIPPED_TOKENS.with_name("TOKENS.md").read_text()
    data = SHIPPED_TOKENS.read_bytes()
    assert len(data) < 6 * 2**20
    assert f"{len(data):,} bytes ({len(data) / 2**20:.2f} MiB)" in card
    assert hashlib.sha256(data).hexdigest() in card
    assert tokens.fingerprint in card
    for name, count in (("align", 100), ("train", 640), ("dev", 60), ("test", 200)):
        assert tokens.rows(name).size == count
        assert f"| *{name}* | {count} |" in card


def test_images_are_those_that_other_features_are_tested_on(tokens):
    features = shipped_features()
    assert set(tokens.ids) == set(features.ids[features.rows("test")])


def test_captions_are_those_of_the_other_file(tokens):
    features = shipped_features()
    place = {int(i): row for row, i in enumerate(features.ids)}
    rows = [place[int(i)] for i in tokens.ids[:50]]
    # Each file has scales of its own.
    assert np.abs(tokens.text[:50] - features.text[rows]).max() < 0.01


def test_cells_are_means_of_finer_ones():
    grid = np.arange(14.0 * 14).reshape(1, 196, 1).astype(np.float32)
    found = coarser(grid)[0, :, 0]
    assert found[0] == np.mean([0, 1, 14, 15])
    assert found[8] == np.mean([2 * 14 + 2, 2 * 14 + 3, 3 * 14 + 2, 3 * 14 + 3])
    for cells in (48, 64):
        with pytest.raises(InputError, match=f"sides of 7 k cells, got {cells} cells"):
            coarser(np.ones((1, cells, 1), dtype=np.float32))


def test_splits_are_of_the_shares_said():
    assert sorted(split_of(10).tolist()) == ["align"] + ["test"] * 2 + ["train"] * 7


@pytest.mark.shared
@pytest.mark.skipif("FUSIONTHEORY_SHARED" not in os.environ, reason="names no folder of data")
def test_a_few_grids_are_computed_anew(tokens):
    """Components of the same images, computed here, span what the file has of them."""
    torch = pytest.importorskip("torch")
    # Not importorskip, which would skip where the CPU build of torch makes their first import fail.
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")
    from PIL import Image

    from validation.backbones import (
        IMAGENET_MEAN,
        IMAGENET_STD,
        Preprocessing,
        load_resnet18,
        unfolded,
    )

    shared = Path(os.environ["FUSIONTHEORY_SHARED"]) / "data"
    names = (shared / "features/image_ids.txt").read_text().split()
    prepare = Preprocessing(interpolation="bilinear", mean=IMAGENET_MEAN, std=IMAGENET_STD)
    pixels = [prepare(Image.open(shared / "flickr8k/images" / names[i])) for i in tokens.ids[:12]]
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "layer3.pt"
        torch.save(unfolded(shared / "resnet18_to_layer3/weights_bn_folded.npz"), checkpoint)
        backbone = load_resnet18(checkpoint=checkpoint, tokens=True, through="layer3")
        grids = coarser(backbone.encode_images(torch.from_numpy(np.stack(pixels))))
    own, kept = grids.reshape(-1, 256), tokens.image[:12].reshape(-1, 64).astype(np.float64)
    own, kept = own - own.mean(axis=0), kept - kept.mean(axis=0)
    # What is stored is linear in the channels: least squares leaves rounding to eight bits.
    rest = kept - own @ np.linalg.lstsq(own, kept, rcond=None)[0]
    assert np.linalg.norm(rest) < 0.03 * np.linalg.norm(kept)
