"""Recall and matched cosines against counts by hand, scikit-learn, and their symmetries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.metrics import roc_auc_score

from fusiontheory.alignment import matched_cosine, measure_recall, retrieval_recall
from fusiontheory.alignment import vectors as vectors_module
from fusiontheory.checks import InputError


def made_up(seed, n=12, captions=3, d=4, noise=1.0):
    generator = np.random.default_rng(seed)
    image = generator.normal(size=(n, d))
    text = image[:, None] + noise * generator.normal(size=(n, captions, d))
    return image, text


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_recall_is_the_share_among_the_first_k(seed):
    image, text = made_up(seed)
    n, captions, _ = text.shape
    cosines = unit(text).reshape(n * captions, -1) @ unit(image).T
    owner = np.repeat(np.arange(n), captions)
    expected = {}
    for k in (1, 2, 5):
        first = np.argsort(-cosines, axis=1)[:, :k]
        expected[f"text_to_image@{k}"] = (first == owner[:, None]).any(axis=1).mean()
        first = owner[np.argsort(-cosines.T, axis=1)[:, :k]]
        expected[f"image_to_text@{k}"] = (first == np.arange(n)[:, None]).any(axis=1).mean()
    assert retrieval_recall(image, text, (1, 2, 5)) == pytest.approx(expected)
    assert 0 < expected["text_to_image@1"] < expected["text_to_image@5"] < 1


@pytest.mark.parametrize("chunk", [1, 5, 100])
def test_chunks_do_not_matter(monkeypatch, chunk):
    image, text = made_up(0)
    whole = retrieval_recall(image, text), matched_cosine(image, text)
    monkeypatch.setattr(vectors_module, "_CHUNK", chunk)
    assert retrieval_recall(image, text) == whole[0]
    assert matched_cosine(image, text) == pytest.approx(whole[1], abs=1e-14)


def test_all_equal_vectors_give_chance():
    n, d = 300, 7
    same = np.broadcast_to(np.random.default_rng(0).normal(size=d), (n, d))
    for k in (1, 7, n - 1, n):
        assert list(retrieval_recall(same, same, (k,)).values()) == pytest.approx([k / n] * 2)


def test_ties_have_the_mean_over_all_their_orders():
    rng = np.random.default_rng(1)
    image, text = rng.normal(size=(2, 40, 4))
    image, text = image[np.arange(40) // 3], np.stack([text, text[np.arange(40) // 2]], axis=1)
    drawn = [
        retrieval_recall(image + 1e-9 * rng.normal(size=image.shape), noisy, (1, 3))
        for noisy in (text + 1e-9 * rng.normal(size=(400, *text.shape)))
    ]
    mean = {name: np.mean([one[name] for one in drawn]) for name in drawn[0]}
    assert retrieval_recall(image, text, (1, 3)) == pytest.approx(mean, abs=0.01)
    listed = measure_recall(image, text, (1, 3))
    assert dict(zip(listed.metrics, listed.value, strict=True)) == pytest.approx(mean, abs=0.15)


def test_perfect_and_hopeless():
    eye = np.eye(6)
    assert set(retrieval_recall(eye, eye, (1,)).values()) == {1.0}
    assert set(retrieval_recall(eye, -eye, (5,)).values()) == {0.0}
    assert matched_cosine(eye, -eye)["auc"] == 0.0


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_a_common_rotation_changes_nothing(seed):
    image, text = made_up(seed)
    rotation = ortho_group.rvs(4, random_state=seed)
    assert retrieval_recall(image @ rotation, text @ rotation) == retrieval_recall(image, text)
    turned = matched_cosine(image @ rotation, text @ rotation)
    assert turned == pytest.approx(matched_cosine(image, text), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_lengths_of_vectors_change_nothing(seed):
    image, text = made_up(seed)
    lengths = np.random.default_rng(seed).uniform(0.01, 100, size=text.shape[:2])
    scaled = image * lengths[:, :1], text * lengths[..., None]
    assert retrieval_recall(*scaled) == retrieval_recall(image, text)
    assert matched_cosine(*scaled) == pytest.approx(matched_cosine(image, text), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_matched_cosine_against_all_pairs(seed):
    image, text = made_up(seed)
    n = len(image)
    cosines = np.einsum("id,jcd->ijc", unit(image), unit(text))
    matched = np.broadcast_to(np.eye(n, dtype=bool)[..., None], cosines.shape)
    expected = {
        "matched": cosines[matched].mean(),
        "mismatched": cosines[~matched].mean(),
        "auc": roc_auc_score(matched.ravel(), cosines.ravel()),
    }
    assert matched_cosine(image, text) == pytest.approx(expected, abs=1e-12)


def test_equal_cosines_count_half():
    same = np.ones((4, 4))  # all norms are 2, so that cosines are exact
    assert matched_cosine(same, same) == {"matched": 1.0, "mismatched": 1.0, "auc": 0.5}


def test_one_caption_may_lack_its_axis():
    image, text = made_up(0, captions=1)
    assert retrieval_recall(image, text[:, 0]) == retrieval_recall(image, text)


@pytest.mark.parametrize(
    ("image", "text", "ks", "message"),
    [
        (np.ones((3, 2)), np.ones((4, 2)), (1,), r"text must have one row .*, \(3, 2\), got"),
        (np.ones((3, 2)), np.ones((3, 5, 3)), (1,), r"got shape \(3, 5, 3\)"),
        (np.ones((1, 2)), np.ones((1, 2)), (1,), "image must have at least 2 rows, got 1"),
        (np.zeros((3, 2)), np.ones((3, 2)), (1,), "image must have no zero vector"),
        (np.ones((3, 2)), np.ones((3, 2)), (0,), "ks must be at least 1, got 0"),
    ],
)
def test_refusals(image, text, ks, message):
    with pytest.raises(InputError, match=message):
        retrieval_recall(image, text, ks)
