"""Contrastive heads repeat to the bit, use the align images only, and turn a continuous dial."""

from __future__ import annotations

import doctest
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from scipy.special import log_softmax

from fusiontheory.alignment import (
    ContrastiveHeads,
    ContrastiveSettings,
    align,
    cached_contrastive_heads,
    fit_contrastive_heads,
    retrieval_recall,
    symmetric_info_nce,
)
from fusiontheory.alignment import contrastive as contrastive_module
from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet, normalise

QUICK = ContrastiveSettings(dimension=8, epochs=2, batch=16)


def made_up(n=120, d_v=6, d_t=4, captions=2, seed=0):
    """Image and captions that see the same 4 numbers through different maps, with noise."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(n, 4))
    image = common @ generator.normal(size=(4, d_v)) + 0.3 * generator.normal(size=(n, d_v)) + 1
    text = (common @ generator.normal(size=(4, d_t)))[:, None]
    text = text + 0.3 * generator.normal(size=(n, captions, d_t)) - 1
    split = np.repeat(["align", "train", "dev", "test"], n // 4)
    return FeatureSet(image, text, split=split)


def random_heads(d=8, d_v=6, d_t=4, seed=0):
    generator = np.random.default_rng(seed)
    return ContrastiveHeads(generator.normal(size=(d, d_v)), generator.normal(size=(d, d_t)), 10.0)


def gram(x):
    flat = x.reshape(-1, x.shape[-1]).astype(np.float64)
    return flat @ flat.T


def same_maps(a, b):
    return np.array_equal(a.image, b.image) and np.array_equal(a.text, b.text)


def test_examples_run():
    results = doctest.testmod(contrastive_module)
    assert results.attempted > 0
    assert results.failed == 0


# The loss


def info_nce_by_hand(image, text, scale):
    b, k, _ = text.shape
    total = 0.0
    for i in range(b):
        to_text = log_softmax([scale * image[i] @ t for t in text.reshape(b * k, -1)])
        for c in range(k):
            to_image = log_softmax([scale * text[i, c] @ v for v in image])
            total += to_image[i] + to_text[i * k + c]
    return -total / (2 * b * k)


@pytest.mark.parametrize("captions", [1, 3])
def test_loss_by_hand(captions):
    generator = np.random.default_rng(0)
    image = normalise(generator.normal(size=(4, 5)))
    text = normalise(generator.normal(size=(4, captions, 5)))
    loss = symmetric_info_nce(torch.tensor(image), torch.tensor(text), torch.tensor(3.0))
    assert float(loss) == pytest.approx(info_nce_by_hand(image, text, 3.0), rel=1e-12)


def test_loss_reaches_its_least_value_when_pairs_are_told_apart():
    image = torch.eye(4, dtype=torch.float64)
    loss = symmetric_info_nce(image, image[:, None].repeat(1, 3, 1), torch.tensor(200.0))
    assert float(loss) == pytest.approx(np.log(3) / 2, abs=1e-12)


# Training


def test_training_aligns():
    features = made_up(n=400)
    heads = fit_contrastive_heads(features, replace(QUICK, epochs=60, learning_rate=0.02))
    test = features.rows("test")
    recall = {}
    for strength in (0.0, 1.0):
        aligned = align(features, heads, strength)
        measured = retrieval_recall(aligned.image[test], aligned.text[test], (5,))
        recall[strength] = measured["text_to_image@5"]
    # Chance is 0.05.
    assert recall[0.0] < 0.2
    assert recall[1.0] > 0.6


def test_training_repeats_to_the_bit_and_leaves_torch_as_it_was():
    features = made_up()
    first = fit_contrastive_heads(features, QUICK, seed=3)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    try:
        torch.set_num_threads(2)
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(99)
        expected = torch.rand(3)
        torch.manual_seed(99)
        with torch.inference_mode():
            again = fit_contrastive_heads(features, QUICK, seed=3)
        assert torch.equal(torch.rand(3), expected)
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(torch.float32)
        torch.set_rng_state(state)
    assert same_maps(first, again)
    assert first.scale == again.scale
    assert not same_maps(first, fit_contrastive_heads(features, QUICK, seed=4))


def test_every_setting_counts():
    features = made_up()
    start = fit_contrastive_heads(features, QUICK)
    changes = {"dimension": 7, "epochs": 3, "batch": 8, "learning_rate": 0.01}
    changes |= {"weight_decay": 0.5, "temperature": 0.2}
    assert changes.keys() == asdict(QUICK).keys()
    for name, value in changes.items():
        other = fit_contrastive_heads(features, replace(QUICK, **{name: value}))
        assert not same_maps(other, start), name


def test_only_align_images_are_fitted_on():
    features = made_up()
    others = features.rows("train", "dev", "test")
    image, text = features.image.copy(), features.text.copy()
    changed = others[::2]
    image[changed] = 5 - 2 * image[changed]
    text[changed] = text[changed] ** 2
    perturbed = replace(features, image=image, text=text)
    heads = fit_contrastive_heads(features, QUICK)
    assert same_maps(heads, fit_contrastive_heads(perturbed, QUICK))
    kept = np.setdiff1d(features.rows(), changed)
    for strength in (0.0, 0.5, 1.0):
        before, after = align(features, heads, strength), align(perturbed, heads, strength)
        assert np.array_equal(before.image[kept], after.image[kept])
        assert np.array_equal(before.text[kept], after.text[kept])
        assert not np.allclose(before.image[changed], after.image[changed])


def test_align_images_are_fitted_on():
    features = made_up()
    image = features.image.copy()
    image[features.rows("align")[0]] += 1
    heads = fit_contrastive_heads(features, QUICK)
    assert not same_maps(heads, fit_contrastive_heads(replace(features, image=image), QUICK))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dimension": 0}, "dimension must be at least 1, got 0"),
        ({"epochs": 1.5}, "epochs must be an integer, got 1.5"),
        ({"batch": 1}, "batch must be at least 2, got 1"),
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"weight_decay": -1}, "weight_decay must be a finite number of at least 0, got -1"),
        ({"temperature": float("nan")}, "temperature must be a finite number"),
    ],
)
def test_settings_refused(changes, message):
    with pytest.raises(InputError, match=message):
        ContrastiveSettings(**changes)


def test_training_refused():
    features = made_up()
    with pytest.raises(InputError, match="got 'align'; they have no splits"):
        fit_contrastive_heads(replace(features, split=None), QUICK)
    with pytest.raises(InputError, match="seed must be at least 0, got -1"):
        fit_contrastive_heads(features, QUICK, seed=-1)
    with pytest.raises(InputError, match="settings must let the training converge, got NaN"):
        fit_contrastive_heads(features, replace(QUICK, epochs=20, learning_rate=1e38))


def test_missing_torch_takes_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"torch, which is missing; pip install 'fusiontheory\[t"):
        fit_contrastive_heads(made_up(), QUICK)


def test_import_and_align_need_no_torch():
    code = (
        "import sys; import numpy as np; import fusiontheory;"
        "from fusiontheory.alignment import ContrastiveHeads, align;"
        "from fusiontheory.data.features import FeatureSet;"
        "f = FeatureSet(np.eye(3), np.eye(3), split=['align'] * 3);"
        "align(f, ContrastiveHeads(np.eye(3), np.eye(3), 1.0), 0.5);"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# The cache


def test_cache_trains_once(tmp_path, monkeypatch):
    features = made_up()
    first = cached_contrastive_heads(features, QUICK, 0, tmp_path / "new")
    assert same_maps(first, fit_contrastive_heads(features, QUICK, 0))
    monkeypatch.setattr(contrastive_module, "fit_contrastive_heads", None)
    again = cached_contrastive_heads(features, QUICK, 0, tmp_path / "new")
    assert same_maps(first, again)
    assert (first.fingerprint, first.scale) == (again.fingerprint, again.scale)
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_cache_tells_apart_what_determines_heads(tmp_path, monkeypatch):
    features = made_up()
    cached_contrastive_heads(features, QUICK, 0, tmp_path)
    cached_contrastive_heads(made_up(seed=1), QUICK, 0, tmp_path)
    cached_contrastive_heads(features, replace(QUICK, batch=8), 0, tmp_path)
    cached_contrastive_heads(features, QUICK, 1, tmp_path)
    monkeypatch.setattr(contrastive_module, "code_version", lambda *modules: "other")
    cached_contrastive_heads(features, QUICK, 0, tmp_path)
    assert len(list(tmp_path.iterdir())) == 5


def test_unwritable_cache_is_refused_before_training(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(contrastive_module, "fit_contrastive_heads", None)
    with pytest.raises(InputError, match="folder: cannot write to"):
        cached_contrastive_heads(made_up(), QUICK, 0, tmp_path / "file")


def test_damaged_cache_is_refused(tmp_path):
    features = made_up()
    heads = cached_contrastive_heads(features, QUICK, 0, tmp_path)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    for damaged in (content[:-9], content[:-1] + bytes([content[-1] ^ 1]), b""):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=f"{path.name}.*delete it"):
            cached_contrastive_heads(features, QUICK, 0, tmp_path)
    # An unsealed file, and the heads of another seed under this name.
    save_file({"image": heads.image, "text": heads.text}, path)
    with pytest.raises(InputError, match=r"got other heads in .*delete it"):
        cached_contrastive_heads(features, QUICK, 0, tmp_path)
    path.unlink()
    cached_contrastive_heads(features, QUICK, 1, tmp_path)
    next(tmp_path.iterdir()).rename(path)
    with pytest.raises(InputError, match=r"got other heads in .*delete it"):
        cached_contrastive_heads(features, QUICK, 0, tmp_path)


# The dial


def centred(x, rows):
    return normalise(x - x[rows].reshape(-1, x.shape[-1]).mean(axis=0))


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_dial_is_its_equation(strength):
    features, heads = made_up(), random_heads()
    rows = features.rows("align")
    aligned = align(features, heads, strength)
    for name in ("image", "text"):
        x = centred(getattr(features, name).astype(np.float64), rows)
        w = getattr(heads, name).astype(np.float64)
        w = w / np.sqrt(np.mean(np.sum((x[rows] @ w.T) ** 2, axis=-1)))
        z = (1 - strength) * x @ np.eye(x.shape[-1], 8) + strength * x @ w.T
        expected = centred(normalise(z), rows)
        assert np.allclose(gram(getattr(aligned, name)), gram(expected), atol=1e-6)


def test_strength_zero_is_unaligned_to_the_bit():
    features = made_up()
    unaligned, turned_off = align(features, None, 0.0), align(features, random_heads(), 0.0)
    assert np.array_equal(unaligned.image, turned_off.image)
    assert np.array_equal(unaligned.text, turned_off.text)
    assert unaligned.fingerprint == turned_off.fingerprint
    # Padding adds zeros and nothing else.
    assert unaligned.image.shape[-1] == unaligned.text.shape[-1] == 6
    assert not unaligned.text[..., 4:].any()


def test_dial_is_continuous_at_both_ends():
    features, heads = made_up(), random_heads()
    for end, near in ((0.0, 1e-6), (1.0, 1 - 1e-6)):
        a, b = align(features, heads, end), align(features, heads, near)
        assert np.allclose(gram(a.image), gram(b.image), atol=1e-5)
        assert np.allclose(gram(a.text), gram(b.text), atol=1e-5)
        assert a.fingerprint != b.fingerprint


@settings(deadline=None, max_examples=20)
@given(st.floats(1e-3, 1e3), st.floats(0, 1))
def test_sizes_of_heads_and_features_do_not_count(factor, strength):
    features, heads = made_up(n=24), random_heads()
    scaled = replace(features, image=features.image * np.float32(factor))
    larger = ContrastiveHeads(heads.image * factor, heads.text / factor, heads.scale)
    expected = align(features, heads, strength)
    measured = align(scaled, larger, strength)
    assert np.allclose(measured.image, expected.image, atol=1e-4)
    assert np.allclose(measured.text, expected.text, atol=1e-4)


def test_aligned_features_keep_what_they_are_and_are_at_unit_norm():
    features = made_up()
    features = replace(features, ids=features.ids + 7)
    aligned = align(features, random_heads(), 0.5)
    assert np.array_equal(aligned.ids, features.ids)
    assert np.array_equal(aligned.split, features.split)
    assert np.allclose(np.linalg.norm(aligned.image, axis=-1), 1, atol=1e-6)
    assert np.allclose(np.linalg.norm(aligned.text, axis=-1), 1, atol=1e-6)
    assert aligned.image.shape[-1] == aligned.text.shape[-1] == 8


def test_fingerprint_follows_features_heads_and_strength():
    prints = {
        align(features, heads, strength).fingerprint
        for features in (made_up(), made_up(seed=1))
        for heads in (random_heads(), random_heads(seed=1))
        for strength in (0.5, 1.0)
    }
    assert len(prints) == 8
    again = align(made_up(), random_heads(), 0.5).fingerprint
    assert again in prints


@pytest.mark.parametrize(
    ("heads", "strength", "message"),
    [
        (None, 0.5, "heads must be given at a strength above 0, got None at 0.5"),
        (random_heads(), 1.5, "strength must be from 0 .*, got 1.5"),
        (random_heads(), -0.5, "strength must be a finite number of at least 0"),
        (random_heads(d_v=5), 0.5, r"heads must fit the image dimension 6, got shape \(8, 5\)"),
        (random_heads(d_t=5), 0.5, r"heads must fit the text dimension 4, got shape \(8, 5\)"),
        (ContrastiveHeads(np.zeros((2, 6)), np.ones((2, 4)), 1.0), 0.5, "all image vectors to"),
    ],
)
def test_dial_refuses(heads, strength, message):
    with pytest.raises(InputError, match=message):
        align(made_up(), heads, strength)


def test_a_vector_without_direction_is_named():
    with pytest.raises(InputError, match=r"image less its mean must have no zero .* index \[1\]"):
        align(FeatureSet([[1], [2], [3]], np.eye(3), split=["align"] * 3), None, 0.0)


def test_heads_refused():
    with pytest.raises(InputError, match="map to one dimension, got 2 and 3"):
        ContrastiveHeads(np.ones((2, 6)), np.ones((3, 4)), 1.0)
    with pytest.raises(InputError, match="image must be finite"):
        ContrastiveHeads(np.full((2, 6), np.nan), np.ones((2, 4)), 1.0)
