"""One head, trained with the programs of the study of trained heads, and its logits read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.logit_growth.config import HEAD, Config
from fusiontheory.data import FeatureSet
from fusiontheory.store import Cell
from fusiontheory.training import Architecture, Member, MemberGroup, PairDataset
from fusiontheory.typing import Array
from validation.conditions import condition_features
from validation.trained import held_out_pairs, training_pairs

__all__ = ["FOUND", "PLACE", "source_conditions", "trained_logits"]

PLACE = ["source", "condition", "n", "epochs", "seed"]
FOUND = ["distance", "bias", "accuracy", "right_accuracy"]


def trained_logits(
    cell: Cell, config: Config, sources: Callable[[str], Mapping[str, FeatureSet]]
) -> list[dict[str, Any]]:
    """Train one head and read the test logits' distance, the bias and accuracies.

    ``right_accuracy`` is with the threshold midway between the mean logits of both labels.
    """
    source, condition = cell.config["of"], cell.config["at"]
    n, seed, epochs = (cell.config[name] for name in ("pairs", "draw", "stop"))
    features = sources(source)[condition]
    _, test = held_out_pairs(config.study, features)
    data = PairDataset.from_features(features, training_pairs(config.study, features, seed))
    member = Member(data.first(n), seed)
    [trained] = MemberGroup(Architecture(HEAD), (member,), config.training(epochs)).train()
    weights = trained.progress.weights.numpy().astype(np.float64)
    sides = features.image.shape[-1], features.text.shape[-1]
    scores = _scores(features, weights[:-1].reshape(sides), test.image, test.text, test.caption)
    matched, mismatched = (scores[test.label == label] for label in (1.0, -1.0))
    means = matched.mean(), mismatched.mean()
    place = dict(zip(PLACE, (source, condition, n, epochs, seed), strict=True))
    return [
        place
        | {
            "distance": float(means[0] - means[1]),
            "bias": float(weights[-1]),
            "accuracy": float((test.label * (scores + weights[-1]) > 0).mean()),
            "right_accuracy": float((test.label * (scores - sum(means) / 2) > 0).mean()),
        }
    ]


def source_conditions(config: Config, root: Path, source: str) -> Mapping[str, FeatureSet]:
    """Return the features of a source by condition, with the heads that predictions have."""
    heads = root / source / "heads"
    return condition_features(config.features(source), config.others.strengths, heads)


def _scores(features: FeatureSet, weight: Array, image: Any, text: Any, caption: Any) -> Array:
    """Return v^T W t of pairs."""
    v = features.image[image].astype(np.float64)
    t = features.text[text, caption].astype(np.float64)
    return np.asarray(((v @ weight) * t).sum(axis=1))
