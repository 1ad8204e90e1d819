"""Feature sets are checked when made and when read, and come back from files unchanged."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save_file

from fusiontheory.checks import InputError
from fusiontheory.data import SPLITS, FeatureSet, dequantise, normalise, quantise
from fusiontheory.store import read_tensors, write_tensors


def made_up(n=8, seed=0, **changes):
    generator = np.random.default_rng(seed)
    arguments = {
        "image": generator.normal(size=(n, 3)),
        "text": generator.normal(size=(n, 2, 4)),
        "ids": np.arange(n) + 10,
        "split": np.resize(SPLITS, n),
        "name": "made up",
    }
    return FeatureSet(**arguments | changes)


# Construction


def test_types_and_defaults():
    features = FeatureSet([[1, 2], [3, 4]], [[1.0], [2.0]])
    assert features.image.dtype == features.text.dtype == np.float32
    assert features.text.shape == (2, 1, 1)
    assert features.ids.dtype == np.int64
    assert features.ids.tolist() == [0, 1]
    assert features.split is None
    assert len(features) == 2


NAN = np.full((8, 3), np.nan)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": NAN}, "got 24 NaN or infinite of 24 values in 8 of 8 rows, .* index 0"),
        ({"text": np.full((8, 2), -np.inf)}, "text must be finite, got 16"),
        ({"image": np.full((8, 3), 1e39)}, "image must fit float32, got a value of 1e[+]39"),
        ({"image": np.ones(8)}, r"image must have 2 dimensions, got shape \(8,\)"),
        ({"image": np.ones((1, 3))}, "image must have at least 2 rows, one for each image, got 1"),
        ({"text": np.ones((7, 4))}, "text must have one row for each of the 8 images, got 7 rows"),
        ({"ids": np.arange(7)}, r"ids must be 8 integers, .*, got int64 of shape \(7,\)"),
        ({"ids": np.arange(8.0)}, "ids must be 8 integers, .*, got float64"),
        ({"ids": [1, 1, 2, 3, 4, 5, 5, 5]}, r"ids must be distinct, got 1 2 times .*\(2 repeated"),
        ({"ids": [1, 1, 2, 3, 4, 5, 6, 7]}, "got 1 2 times in the splits align and train"),
        ({"ids": [1, 2, 3, 4, 1, 6, 7, 8]}, r"got 1 2 times \(1 repeated\)"),
        ({"split": ["align"] * 7}, r"split must be 8 names, .*, got shape \(7,\)"),
        ({"split": ["align"] * 7 + ["val"]}, "split must hold only align, train, .*, got val"),
        (
            {"split": [0] * 7 + [1]},
            "split must hold the names align, train, .*, got int64 such as 0",
        ),
        ({"image": np.repeat(np.eye(3)[:2], 4, axis=0)}, "got 2 distinct rows of 8"),
        ({"image": np.eye(8) * (np.arange(8) > 1)}, r"image must have no .* \[0\] \(2 of 8 rows"),
        (
            {"text": np.zeros((8, 1, 2))},
            r"text must have no zero vector, .* \[0, 0\] \(8 of 8 rows",
        ),
    ],
)
def test_refusals_name_the_argument(changes, message):
    with pytest.raises(InputError, match=message) as raised:
        made_up(**changes)
    assert "\n" not in str(raised.value)


def test_arrays_are_copies_that_cannot_change():
    image = np.array([[1, 1], [1, 2]], dtype=np.float32)
    features = FeatureSet(image, image)
    image[0] = 7
    assert features.image[0].tolist() == [1, 1]
    with pytest.raises(ValueError, match="read-only"):
        features.text[0] = 7


@pytest.mark.parametrize("name", ["image", "text", "ids", "split"])
def test_fingerprint_follows_every_array_and_not_the_name(name):
    features = made_up()
    changed = replace(features, **{name: getattr(features, name)[::-1]})
    assert changed.fingerprint != features.fingerprint
    assert replace(features, name="other").fingerprint == features.fingerprint


def test_a_recipe_names_what_is_derived_with_or_without_arrays():
    features = made_up()
    own = features.fingerprint
    derived = features.derived(2 * features.image, features.text[:, 0], ["doubled", 1])
    assert features.fingerprint == own
    assert derived.fingerprint not in (own, features.derived(None, None, ["doubled"]).fingerprint)
    assert derived.fingerprint == features.derived(None, None, ["doubled", 1]).fingerprint
    assert np.array_equal(derived.image, 2 * features.image)
    assert derived.text.shape == (8, 1, 4)
    assert (derived.ids.tolist(), derived.name) == (features.ids.tolist(), features.name)
    with pytest.raises(ValueError, match="read-only"):
        derived.image[0] = 7
    with pytest.raises(InputError, match="image must have 8 rows, got 7"):
        features.derived(features.image[1:], None, ["less"])
    # Changed arrays are others, and their fingerprint is of their values again.
    assert replace(derived, ids=np.arange(8)).fingerprint != derived.fingerprint


def test_rows():
    features = made_up()
    assert features.rows().tolist() == list(range(8))
    assert features.rows("test").tolist() == [3, 7]
    assert features.rows("test", "align").tolist() == [0, 3, 4, 7]


@pytest.mark.parametrize(
    ("split", "name", "message"),
    [
        (None, "test", "got 'test'; they have no splits"),
        (["align"] * 8, "test", "got 'test'; they have align"),
        (["align"] * 8, "val", "splits must be among align, train, dev, test, got 'val'"),
    ],
)
def test_rows_of_no_split(split, name, message):
    with pytest.raises(InputError, match=message):
        made_up(split=split).rows(name)


# Rows at unit norm, and 8 bits


@given(arrays(np.float64, (3, 2), elements=st.floats(0.1, 1e3)), st.floats(1e-200, 1e200))
def test_normalise_forgets_the_scale(x, scale):
    unit = normalise(x)
    assert np.allclose(np.linalg.norm(unit, axis=1), 1, rtol=0, atol=1e-12)
    assert np.allclose(normalise(scale * x), unit, rtol=0, atol=1e-12)


def test_normalise_names_the_zero_vector():
    x = np.ones((3, 2, 4))
    x[1, 0] = 0
    with pytest.raises(InputError, match=r"zero vector, got one at index \[1, 0\]"):
        normalise(x)


@given(arrays(np.float64, (5, 3), elements=st.floats(-1e3, 1e3)))
def test_quantisation_error_is_half_a_scale(x):
    codes, scales = quantise(x)
    error = np.abs(dequantise(codes, scales) - x)
    # float32 rounds the scale, and codes are at most 127 of it; tiny scales are subnormal.
    assert np.all(error <= 0.5 * scales + 127 * scales * 1e-6 + 1e-40)
    assert np.array_equal(quantise(-x)[0], -codes)


@pytest.mark.parametrize(
    ("codes", "scales", "message"),
    [
        (np.zeros((2, 2)), [1, 1], "codes must be an array of int8, got float64"),
        (np.zeros((2, 2), np.int8), [1], "scales must be 2 numbers"),
        (np.zeros((2, 2), np.int8), [1, -1], "minimum -1"),
        (np.zeros((2, 2), np.int8), [1, np.nan], "scales must be finite"),
    ],
)
def test_dequantise_refuses(codes, scales, message):
    with pytest.raises(InputError, match=message):
        dequantise(codes, scales)


# Files


@pytest.mark.parametrize("split", [None, np.resize(SPLITS, 8)])
def test_saved_features_come_back(tmp_path, split):
    features = made_up(split=split)
    features.save(tmp_path / "new" / "a.safetensors")
    loaded = FeatureSet.load(tmp_path / "new" / "a.safetensors")
    for name in ("image", "text", "ids"):
        assert np.array_equal(getattr(loaded, name), getattr(features, name))
    assert (loaded.split is None) == (split is None)
    assert split is None or loaded.split.tolist() == split.tolist()
    assert (loaded.name, loaded.fingerprint) == (features.name, features.fingerprint)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.safetensors"]


def test_derived_fingerprint_survives_a_file(tmp_path):
    derived = made_up().derived(None, None, ["derived"])
    derived.save(tmp_path / "a.safetensors")
    assert FeatureSet.load(tmp_path / "a.safetensors").fingerprint == derived.fingerprint


def test_int8_file_is_decoded_and_has_the_fingerprint_of_its_content(tmp_path):
    features = made_up().derived(None, None, ["derived"])
    features.save(tmp_path / "a.safetensors", int8=True)
    loaded = FeatureSet.load(tmp_path / "a.safetensors")
    assert read_tensors(tmp_path / "a.safetensors")[0]["text"].dtype == np.int8
    codes, scales = quantise(features.text)
    assert np.array_equal(loaded.text, dequantise(codes, scales))
    assert loaded.fingerprint == replace(loaded, name="recomputed").fingerprint
    assert loaded.fingerprint != made_up().fingerprint


def test_foreign_files_are_read(tmp_path):
    features = made_up()
    arrays_ = {"image": features.image, "text": features.text}
    save_file(arrays_, tmp_path / "a.safetensors")
    np.savez(tmp_path / "b.npz", **arrays_, split=features.split, ids=features.ids)
    assert FeatureSet.load(tmp_path / "a.safetensors").ids.tolist() == list(range(8))
    assert FeatureSet.load(tmp_path / "b.npz").fingerprint == features.fingerprint
    assert FeatureSet.load(str(tmp_path / "b.npz")).name == "b"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_altered_byte_goes_unnoticed(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "altered.safetensors"
    write_tensors(path, {"image": np.arange(6.0).reshape(2, 3)}, {"name": "demo"})
    content = bytearray(path.read_bytes())
    intact = read_tensors(path)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        tensors, notes = read_tensors(path)
        # What still reads has lost its seal, or differs only in the spelling of the header.
        same = np.array_equal(tensors["image"], intact[0]["image"])
        assert notes is None or (same and notes == intact[1])


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_truncated_file_is_named(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        np.savez(path, image=np.eye(4), text=np.eye(4))
    else:
        made_up().save(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=f"a{suffix}, which is truncated or altered") as raised:
        FeatureSet.load(path)
    assert "\n" not in str(raised.value)


def test_altered_value_is_found(tmp_path):
    path = tmp_path / "a.safetensors"
    made_up().save(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="content does not match its checksum; delete it"):
        FeatureSet.load(path)


def test_altered_note_is_found(tmp_path):
    path = tmp_path / "a.safetensors"
    features = made_up()
    features.save(path)
    known = features.fingerprint.encode()
    path.write_bytes(path.read_bytes().replace(known, known[::-1]))
    with pytest.raises(InputError, match="checksum"):
        FeatureSet.load(path)


@pytest.mark.parametrize(
    ("arrays_", "message"),
    [
        ({"image": np.ones((2, 2)), "labels": np.ones(2)}, "without text; it holds image, labels$"),
        ({"v": np.ones(2), "t": np.ones(2)}, "without image and text; it holds t, v$"),
        (
            {"image": np.ones((2, 2), np.int8), "text": np.ones((2, 2))},
            "path must hold image_scale for the int8 array image, got none",
        ),
    ],
)
def test_missing_arrays_are_named(tmp_path, arrays_, message):
    save_file(arrays_, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=message):
        FeatureSet.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", ["a.safetensors", "a.npz"])
def test_file_that_is_not_there(tmp_path, name):
    with pytest.raises(InputError, match=f"got .*{name}: No such file or directory"):
        FeatureSet.load(tmp_path / name)


def test_paths_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"path must end in .safetensors, got a.npz"):
        made_up().save("a.npz")
    with pytest.raises(InputError, match="cannot write"):
        made_up().save(tmp_path / "file" / "a.safetensors")
