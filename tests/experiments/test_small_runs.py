"""Every synthetic study from prediction to result at a tiny size: the columns of the stored run."""

import importlib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from experiments.sample_complexity.config import Case
from experiments.shared_images.config import Case as Shared
from experiments.study import Records, Study

ROOT = Path(__file__).parents[2]

TINY = {
    "choice": {
        "worlds": 3,
        "sets": False,
        "pilots": ((60, 1), (100, 1)),
        "large": 120,
        "training_sets": ((50, 1), (100, 1), (200, 1)),
        "target": 200,
        "pool": 220,
        "test": 60,
        "jobs": 1,
    },
    "correlated_risk": {
        "dimension": 3,
        "correlations": (0.0, 0.5),
        "n": (16, 64),
        "draws": (("additive", 4), ("bilinear", 4)),
    },
    "crossover": {
        "dimension": 3,
        "cells": 2,
        "n": (16, 64, 256),
        "seeds": 2,
        "shown_n": (16, 64, 256),
    },
    "degradation": {"dimension": 4, "levels": (("noise", (0.0, 1.0)),), "n": (16, 32), "seeds": 2},
    "interpolation_peak": {
        "d": 3,
        "ratios": (0.5, 2.0),
        "draws": (("additive", 4), ("bilinear", 4)),
        "targets": 2,
    },
    "paper_figure6": {"dimension": 3, "n": (16, 64), "seeds": 2, "test_rows": 64},
    "pilot_accuracy": {
        "worlds": 3,
        "pilots": (60,),
        "large": 70,
        "training_sets": ((50, 2), (100, 1)),
        "pool": 120,
        "test": 60,
        "jobs": 1,
    },
    "rank": {
        "d": 4,
        "pairs": ((1, 1, 3), (2, 1, 3), (1, 2, 3), (4, 4, 3)),
        "full_draws": 3,
        "n": (64, 128),
        "cone_draws": 100,
    },
    "ridge_risk": {"dimension": 3, "n": (16, 64), "draws": (("additive", 4), ("bilinear", 4))},
    "sample_complexity": {
        "cases": (Case("flat", "flat", "spectrum"),),
        "draws": ((4, 8, 8), (6, 8, 8)),
        "levels": ((0.5, 500),),
        "targets": 2,
        "resamples": 50,
    },
    "shared_images": {
        "cases": (Shared("flat", 32, 1, 32, 3), Shared("unit norm", 16, 2, 32, 3)),
        "images_for_moments": 500,
        "test_pairs": 100,
    },
}


def small(name, folder):
    whole = importlib.import_module(f"experiments.{name}.__main__").STUDY
    config = replace(whole.config, **TINY[name])
    return replace(whole, config=config, folder=folder / "tables", records=folder / "records")


@pytest.mark.parametrize("name", sorted(TINY))
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_from_prediction_to_result(name, tmp_path):
    study: Study = small(name, tmp_path)
    study.do("predict")
    predicted, config = study.stored(), study.config
    records = Records(study.records, name)
    found = study.measure(config, predicted, records)
    for file, table in found.items():
        stored = pd.read_csv(ROOT / "experiments" / name / file)
        assert list(table.columns) == list(stored.columns), file
        assert len(table)
    written = {path: path.read_bytes() for path in study.records.rglob("records.sqlite")}
    assert written
    again = study.measure(config, predicted, records)
    for file, table in found.items():
        pd.testing.assert_frame_equal(table, again[file])
    assert all(path.read_bytes() == before for path, before in written.items())
