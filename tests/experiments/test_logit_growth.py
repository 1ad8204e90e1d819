"""What is read off the tables of the study of logits that grow."""

from __future__ import annotations

import pandas as pd
import pytest

pytest.importorskip("torch")

from experiments.logit_growth.config import Config
from experiments.logit_growth.summary import comparison, errors, published, summary

PLACE = ["source", "condition", "n", "epochs"]


def _tables() -> dict[str, pd.DataFrame]:
    """Return two places, one seen and one not, each of two seeds."""
    places = [("shipped", "aligned", 64, 3), ("layer3", "aligned", 64, 3)]
    told = [(*place, 1.1, -0.4, 0.8) for place in places]
    found = [
        (*place, seed, distance, -0.5, accuracy, 0.9)
        for place, distance in zip(places, (1.0, 2.0), strict=True)
        for seed, accuracy in ((1, 0.78), (2, 0.80))
    ]
    on_file = [("layer3", "aligned", 64, 0.8, 0.79, 0.82)]
    names = ["distance", "bias", "accuracy"]
    return {
        "predictions.csv": pd.DataFrame(told, columns=[*PLACE, *names]),
        "results.csv": pd.DataFrame(found, columns=[*PLACE, "seed", *names, "right_accuracy"]),
        "published.csv": pd.DataFrame(
            on_file, columns=["source", "condition", "n", "predicted", "measured", "sealed"]
        ),
    }


def test_errors_are_of_seen_and_unseen_features_apart() -> None:
    tables = _tables()
    off = errors(tables).set_index("features")
    assert off.loc["shipped", "distance_mean"] == pytest.approx(10)
    assert off.loc["unseen", "distance_mean"] == pytest.approx(45)
    assert off["bias_max"].to_numpy() == pytest.approx(20)
    assert off["accuracy_mean"].to_numpy() == pytest.approx(1)
    assert comparison(tables)["spread"].to_numpy() == pytest.approx(2)
    both = published(tables).iloc[0]
    assert (both["error"], both["sealed"]) == pytest.approx((1, 3))
    assert "unseen" in summary(tables)


def test_training_stops_after_the_epochs_that_are_read() -> None:
    config = Config()
    assert config.training(3).epochs == 3
    assert config.training(3).patience is None
    assert config.training(30).threshold == "learned"
