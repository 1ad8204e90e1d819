"""What makes one image a row: repeated images, missing rows, transposed arrays, equal texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.data import (
    Missing,
    Rows,
    caption_places,
    equal_rows,
    features_of,
    same_images,
    settle,
)
from fusiontheory.moments import Moments

RNG = np.random.default_rng(0)
N, C = 30, 3
IMAGE, TEXT = RNG.normal(size=(N, 4)).astype("f4"), RNG.normal(size=(N, C, 5)).astype("f4")
REPEATED, FLAT = np.repeat(IMAGE, C, axis=0), TEXT.reshape(N * C, 5)


# Repeated images


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_equal_rows_are_those_that_numpy_finds(numbers: list[int]) -> None:
    x = np.array([[k, -0.0 if k % 2 else 0.0, k**0.5] for k in numbers])
    assert equal_rows(x).tolist() == [numbers.index(k) for k in numbers]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-1, 4), min_size=1, max_size=30))
def test_no_number_of_captions_keeps_more(owner: list[int]) -> None:
    kept, rows = caption_places(np.array(owner), 5)
    counts = [owner.count(image) for image in range(5)]
    best = max(c * sum(count >= c for count in counts) for c in range(1, 31))
    assert rows.size == best
    assert all(owner[row] == image for image, of in zip(kept, rows, strict=True) for row in of)


@pytest.mark.parametrize("order", ["by image", "by caption", "random"])
def test_a_row_a_caption_is_the_set_of_images(order: str) -> None:
    rows = np.arange(N * C)
    if order == "by caption":
        rows = rows.reshape(N, C).T.ravel()
    elif order == "random":
        rows = np.random.default_rng(1).permutation(rows)
    ids = [str(k // C) for k in rows]
    split = np.array(["train", "val"])[(rows // C) % 2]
    with pytest.warns(UserWarning, match="image has 30 distinct rows of 90 in the arrays"):
        found = features_of(REPEATED[rows], FLAT[rows], ids, split)
    images = [int(ids[i]) for i in np.unique(equal_rows(REPEATED[rows]))]
    assert np.array_equal(found.image, IMAGE[images])
    for row, image in enumerate(images):
        assert {*map(tuple, found.text[row])} == {*map(tuple, TEXT[image])}
    assert found.split is not None
    assert found.split.tolist() == [("train", "dev")[k % 2] for k in images]
    proper = Moments.from_features(IMAGE, TEXT)
    ours = Moments.from_features(found.image, found.text)
    assert np.allclose(ours.image_eigenvalues, proper.image_eigenvalues)


@pytest.mark.parametrize("noise", [1e-5, 1e-3, 0.03])
@pytest.mark.parametrize("dimensions", [12, 200])
def test_crops_and_encodings_of_an_image_are_one_image(noise: float, dimensions: int) -> None:
    rng = np.random.default_rng(0)
    source = rng.integers(0, 200, 800)
    image = (rng.normal(size=(200, dimensions)) * np.geomspace(1, 0.1, dimensions))[source]
    image = image + noise * np.sqrt(np.mean(image**2)) * rng.normal(size=image.shape)
    first = np.unique(source, return_index=True)[1]
    assert np.array_equal(same_images(image), first[np.searchsorted(np.unique(source), source)])


@pytest.mark.parametrize("latent", [1, 2, 4, 40])
def test_near_rows_of_few_effective_dimensions_are_different_images(latent: int) -> None:
    rng = np.random.default_rng(0)
    for size in (20, 300, 1000, 2000):
        image = np.tanh(rng.normal(size=(size, latent)) @ rng.normal(size=(latent, 40)))
        assert np.array_equal(same_images(image), np.arange(size))


def test_rows_of_a_class_are_different_images() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(size=(10, 40))[rng.integers(0, 10, 800)] + 0.01 * rng.normal(size=(800, 40))
    assert np.array_equal(same_images(image), np.arange(800))


def test_copies_that_rounding_made_different_are_found() -> None:
    image = np.random.default_rng(2).normal(size=(400, 16))
    rows = np.random.default_rng(3).integers(0, 400, 1200)
    noisy = image[rows] + 1e-6 * np.random.default_rng(4).normal(size=(1200, 16))
    found = same_images(noisy.astype("f4"))
    assert np.array_equal(found, equal_rows(image[rows]))
    assert np.array_equal(same_images(image), np.arange(400))


def test_a_copy_of_every_row_adds_nothing() -> None:
    twice = np.tile(IMAGE, (2, 1)), np.tile(TEXT[:, 0], (2, 1))
    with pytest.warns(UserWarning, match="30 distinct rows of 60"):
        found = features_of(*twice)
    assert np.array_equal(found.text[:, 0], TEXT[:, 0])


def test_images_with_fewer_captions_are_left_out_and_counted() -> None:
    keep = np.ones(N * C, dtype=bool)
    keep[[4, 8]] = False
    with pytest.warns(UserWarning, match="distinct rows|different numbers") as said:
        found = features_of(REPEATED[keep], FLAT[keep])
    assert found.text.shape == (N - 2, C, 5)
    assert "3 each of 28 images are taken, 4 captions and 2 images are left out" in str(said[1])


def test_one_image_in_two_splits_and_one_name_for_two_images() -> None:
    split = ["train"] * (N * C - 1) + ["test"]
    with pytest.raises(InputError, match=r"got rows 87 and 89 of the arrays, .* in train and test"):
        features_of(REPEATED, FLAT, split=split)
    with pytest.raises(InputError, match="got '0' twice, for two vectors"):
        features_of(IMAGE, TEXT, ["0", *map(str, range(N - 1))])


def test_images_without_a_copy_stay_as_they_are() -> None:
    rows, said = settle(Rows(IMAGE, TEXT))
    assert np.shares_memory(rows.image, IMAGE)
    assert np.shares_memory(rows.text, TEXT)
    assert said == []


# Missing rows


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
@pytest.mark.parametrize("side", ["image", "text"])
def test_missing_rows_are_named_or_dropped(value: float, side: str) -> None:
    arrays = {"image": IMAGE.copy(), "text": TEXT[:, 0].copy()}
    arrays[side][[7, 11]] = value
    what = "have no zero vector" if value == 0 else "be finite"
    with pytest.raises(InputError, match=f"{side} must {what}, .* in 2 of 30 rows, .* index 7"):
        features_of(**arrays)
    with pytest.warns(UserWarning, match=f"{side}: 2 of 30 rows .* are left out"):
        found = features_of(**arrays, missing="drop")
    assert np.array_equal(found.image, np.delete(IMAGE, [7, 11], axis=0))


def test_missing_rows_of_both_sides_are_named_at_once() -> None:
    image, text = IMAGE.copy(), TEXT[:, 0].copy()
    image[[2, 9]], text[4, 1] = 0, -np.inf
    said = "image must have no zero .* in 2 of 30 rows, .* index 2, and text .* 1 of 30 .* index 4"
    with pytest.raises(InputError, match=said):
        features_of(image, text)


def test_a_missing_caption_of_several() -> None:
    text = TEXT.copy()
    text[3, 1] = 0
    with pytest.warns(UserWarning, match="1 of 90 rows|different numbers"):
        found = features_of(IMAGE, text, missing="drop")
    assert found.text.shape == (N - 1, C, 5)


@pytest.mark.parametrize("side", ["image", "text"])
@pytest.mark.parametrize("rounding", [0.0, 1e-8])
def test_a_side_that_does_not_vary(side: str, rounding: float) -> None:
    arrays = {"image": IMAGE, "text": TEXT[:, 0]}
    arrays[side] = 1 + rounding * RNG.normal(size=arrays[side].shape)
    with pytest.raises(InputError, match=f"{side} must vary, got 30 rows that are all equal"):
        features_of(**arrays)


def test_equal_texts_are_said() -> None:
    text = TEXT[:, 0].copy()
    text[:5] = text[9]
    with pytest.warns(UserWarning, match=r"25 distinct rows of 30 .* 6 times, first in row 0\)"):
        features_of(IMAGE, text)


@pytest.mark.parametrize("missing", ["refuse", "drop"])
def test_columns_that_are_nowhere_finite_are_named(missing: Missing) -> None:
    image = IMAGE.copy()
    image[:, 2] = np.nan
    with pytest.raises(InputError, match=r"every row of 1 of 4 columns, 2, .* these columns out"):
        features_of(image, TEXT, missing=missing)


# Shapes


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ((N, 1, 4), (N, 1, 5)),
        ((1, N, 4), (N, 5)),
        ((N, 4, 1, 1), (N, 1, 1, 5)),
        ((N, 4), (1, N, 1, 5)),
    ],
)
def test_axes_of_length_one_do_not_count(image: tuple[int, ...], text: tuple[int, ...]) -> None:
    found = features_of(IMAGE.reshape(image), TEXT[:, 0].reshape(text))
    assert (found.image.shape, found.text.shape) == ((N, 4), (N, 1, 5))


@pytest.mark.parametrize(
    ("image", "text", "said"),
    [
        (IMAGE.T, TEXT[:, 0], r"image \(4, 30\) and text \(30, 5\), which fit if image is turned"),
        (IMAGE, TEXT[:, 0].T, "which fit if text is turned"),
        (IMAGE.T, TEXT[:, 0].T, "which fit if image and text are turned"),
        (IMAGE, FLAT, r"save text.reshape\(30, 3, -1\)"),
        (IMAGE[:-1], TEXT[:, 0], "29 images, got 30 rows.*give the names of the rows"),
        (np.ones((300, 8)), np.ones((299, 8)), "300 images, got 299 rows"),
    ],
)
def test_rows_that_do_not_fit(image: np.ndarray, text: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        features_of(image, text)


def test_both_turned_alike_are_suspected_aloud() -> None:
    with pytest.warns(UserWarning, match=r"image \(4, 30\) and text \(4, 30\) .* are transposed"):
        features_of(IMAGE.T, RNG.normal(size=(4, 30)))
