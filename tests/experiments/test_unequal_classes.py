"""The calibration of balanced accuracy, on rows made by hand."""

import numpy as np
import pandas as pd
import pytest

from experiments.choice import PARTS, RATIOS
from experiments.pilot_accuracy.unequal import (
    calibrated,
    ends,
    held,
    left_out,
    seen,
    unequal_worlds,
)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    count = 3000
    chance = np.arange(count) % 3 == 0  # a forecast of chance, which is right
    said = np.where(chance, 0.5, rng.uniform(0.6, 0.9, count))
    error = np.where(chance, 0.0, 0.06 * rng.standard_normal(count))
    return pd.DataFrame(
        {
            "world": np.arange(count) % 20,
            "pilot": 100,
            "ratio": rng.choice([0.5, 1.0, 8.0], count),
            "classes": 2,
            "said": said,
            "truth": said - error,
            "error": error,
            **dict.fromkeys(PARTS, 0.02),
        }
    )


@pytest.fixture(scope="module")
def stored():
    knots = len(RATIOS)
    return {
        "ratios": RATIOS.tolist(),
        "parts": list(PARTS),
        "deviations": [[1.0, 1.0, 1.0]] * knots,
        "quantiles": {"0.5": [[-0.6, 0.6]] * knots, "0.9": [[-1.6, 1.6]] * knots},
    }


def test_quantiles_are_of_forecasts_above_chance(rows, stored):
    assert not seen(rows)[::3].any()
    assert seen(rows).sum() == 2000
    own = calibrated(rows, stored)
    assert own["rows"] == 2000
    low, high = np.array(own["quantiles"]["0.9"])[2]
    # Errors are sqrt(3) times as large as their scale says: 1.645 deviations are 2.85.
    assert (low, high) == (pytest.approx(-2.85, abs=0.3), pytest.approx(2.85, abs=0.3))


def test_worlds_that_were_left_out_are_held_as_often_as_is_said(rows, stored):
    alone = left_out(rows, stored)
    assert alone.index.equals(rows.index)
    table = held(rows, alone["low"], alone["high"], stored).set_index(["kind", "pilot"])
    assert table.loc[("seen", "any"), "covered"] == pytest.approx(0.9, abs=0.02)
    assert table.loc[("seen", "any"), "carried"] < 0.75
    assert table.loc[("all", "100"), "covered"] > 0.92
    low, high = ends(rows, stored)
    assert (low <= rows["said"]).all()
    assert (high >= rows["said"]).all()


def test_classes_of_the_worlds_are_unequal():
    for world in unequal_worlds(3, 95_000):
        labels = world.sampler()(2000, 1)[2]
        counts = np.bincount(labels)
        assert world.classes in (2, 3, 4)
        assert counts.max() > 1.3 * counts.min()
