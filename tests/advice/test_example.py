"""The shipped digits are small, and what its recipe makes."""

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from fusiontheory.advice import build_example, example_digits


def test_the_example_is_small_and_has_a_card():
    folder = files("fusiontheory.advice").joinpath("data")
    assert len(folder.joinpath("digits.npz").read_bytes()) < 1.5 * 2**20
    card = folder.joinpath("README.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in card
    assert "Duin" in card


def test_views_are_scaled_and_rows_shuffled():
    v, t, y = example_digits()
    for x in (v, t):
        np.testing.assert_allclose(x.mean(0), 0, atol=1e-3)
        np.testing.assert_allclose(x.std(0), 1, atol=1e-3)
    assert set(y[:100]) == set(range(10))


@pytest.mark.shared
@pytest.mark.skipif("FUSIONTHEORY_SHARED" not in os.environ, reason="no folder of shared data")
def test_the_recipe_makes_the_shipped_file(tmp_path):
    shared = Path(os.environ["FUSIONTHEORY_SHARED"])
    stored = np.load(shared / "data" / "labelled" / "uci_digits.npz")
    made = np.load(
        build_example(stored["fou"], stored["zer"], stored["digit"], tmp_path / "made.npz")
    )
    v, t, y = example_digits()
    np.testing.assert_array_equal(made["image"], v.astype(np.float16))
    np.testing.assert_array_equal(made["text"], t.astype(np.float16))
    np.testing.assert_array_equal(made["digit"], y)
