"""Token sets: what is kept and refused, files, and masks."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.data import TokenSet


def draw(n=6, m=3, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, m, d)), rng.standard_normal((n, 2, 5))


def test_what_is_loaded_is_what_was_saved_up_to_half_a_scale(tmp_path):
    image, text = draw()
    mask = np.ones((6, 3), dtype=bool)
    mask[2, 1:] = False
    split = ["align", "train", "train", "dev", "test", "test"]
    kept = TokenSet(image, text, np.arange(6) + 10, split, mask, "some")
    kept.save(tmp_path / "some.safetensors")
    found = TokenSet.load(tmp_path / "some.safetensors")
    assert found.name == "some"
    assert found.rows("test").tolist() == [4, 5]
    np.testing.assert_array_equal(found.ids, np.arange(6) + 10)
    np.testing.assert_array_equal(found.mask, mask)
    # Fillers are zeros.
    assert not found.image[2, 1:].any()
    scale = np.abs(kept.image).max(axis=(0, 1)) / 127
    assert (np.abs(found.image - kept.image) <= 0.51 * scale).all()
    again = TokenSet.load(tmp_path / "some.safetensors")
    assert again.fingerprint == found.fingerprint != kept.fingerprint


def test_a_filler_may_hold_anything():
    image, text = draw()
    image[0, 2] = np.nan
    mask = np.ones((6, 3), dtype=bool)
    mask[0, 2] = False
    assert np.isfinite(TokenSet(image, text, mask=mask).image).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": np.ones((6, 4))}, "tokens must have 3 dimensions"),
        ({"image": np.full((6, 3, 4), np.nan)}, "tokens must be finite"),
        ({"image": [np.ones((2, 4))] * 5 + [np.ones((3, 4))]}, "got 2 to 3; fill up the shorter"),
        ({"text": np.ones((5, 2, 5))}, "one row for each of the 6 images"),
        ({"mask": np.ones((6, 4), dtype=bool)}, r"mask must hold booleans of shape \(6, 3\)"),
        ({"ids": [1, 1, 2, 3, 4, 5]}, "ids must be distinct"),
        ({"split": ["train"] * 5 + ["trial"]}, "split must hold only"),
    ],
)
def test_refused(change, words):
    image, text = draw()
    with pytest.raises(InputError, match=words):
        TokenSet(**{"image": image, "text": text, **change})


def test_files_that_hold_no_tokens(tmp_path):
    from fusiontheory.data import FeatureSet

    with pytest.raises(InputError, match=r"must end in \.safetensors"):
        TokenSet(*draw()).save(tmp_path / "some.npz")
    FeatureSet(np.eye(3), np.eye(3)).save(tmp_path / "vectors.safetensors")
    with pytest.raises(InputError, match="must hold tokens"):
        TokenSet.load(tmp_path / "vectors.safetensors")
