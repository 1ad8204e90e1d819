"""The study of networks on unseen features: its splits, its source, and how errors are counted."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch")

from experiments.blind_networks.config import SPLITS, Config, split_of
from experiments.blind_networks.summary import errors, signs
from fusiontheory.checks import InputError
from validation.data import shipped_features


def test_images_are_dealt_anew() -> None:
    split = split_of(sum(SPLITS.values()), Config().split_seed)
    shipped = shipped_features()
    same = np.intersect1d(np.flatnonzero(split == "test"), shipped.rows("test")).size
    # Of 1000 test images as many as chance has it: 1000^2 / 8091, within five deviations.
    assert abs(same - 1000**2 / 8091) < 50


def test_the_folder_of_the_encoders_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUSIONTHEORY_SHARED", raising=False)
    with pytest.raises(InputError, match="FUSIONTHEORY_SHARED must name the folder"):
        Config().features("layer3")


def tables() -> dict[str, pd.DataFrame]:
    """Return a made-up cell of each head at n = 512, 1 and 3 points off, and one without a run."""
    place = {"encoder": "layer3", "condition": "aligned", "setting": "fixed"}
    told = [("bilinear", 512, 0.71), ("concat-mlp", 512, 0.63), ("concat-mlp", 1024, 0.9)]
    runs = [
        (head, 512, seed, accuracy + shift)
        for (head, accuracy), (seed, shift) in itertools.product(
            [("bilinear", 0.70), ("concat-mlp", 0.66)], enumerate((-0.01, 0.0, 0.01))
        )
    ]
    predicted = pd.DataFrame(told, columns=["head", "n", "predicted"]).assign(**place)
    results = pd.DataFrame(runs, columns=["head", "n", "seed", "accuracy"]).assign(**place)
    return {"predictions.csv": predicted, "results.csv": results}


def test_errors_are_of_the_cells_that_were_run() -> None:
    found = errors(tables()).set_index("head")
    assert found["cells"].to_dict() == {"bilinear": 1, "concat-mlp": 1}
    assert found["mean"].round(6).to_dict() == {"bilinear": 1.0, "concat-mlp": 3.0}
    assert found["bar"].tolist() == [1.3, 1.3]
    assert found["met"].to_dict() == {"bilinear": True, "concat-mlp": False}


def test_a_gap_that_is_the_same_at_all_seeds_has_a_sign() -> None:
    assert signs(tables()).to_dict("records") == [{"setting": "fixed", "right": 1, "clear": 1}]
    turned = tables()
    turned["predictions.csv"]["predicted"] = [0.6, 0.7, 0.9]
    assert signs(turned)["right"].tolist() == [0]
