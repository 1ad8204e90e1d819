"""Measure each pilot's learning curve, and foretell larger n from its moments and from a fit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.extrapolation.config import Config
from experiments.extrapolation.few_images import corrected_moments
from experiments.extrapolation.foretold import foretold
from experiments.extrapolation.summary import summary
from fusiontheory.curve import predict_curve
from fusiontheory.deterministic_equivalent import ValidityWarning
from fusiontheory.features import FeatureSet
from fusiontheory.heads import find_head
from fusiontheory.kernel_ridge import gather, measure_curve
from fusiontheory.moments import Moments
from fusiontheory.pairs import draw_pairs
from validation.conditions import condition_features
from validation.data import shipped_features

__all__ = ["PILOTS", "RESULTS", "main", "pilot_rows"]

PILOTS = Path(__file__).with_name("pilots.csv")
RESULTS = Path(__file__).with_name("results.csv")
# Measured means over ten seeds, by the study on real features.
TRUTH = Path(__file__).parents[2] / "docs" / "results" / "comparison.csv"
_HEADS = Path(".cache") / "heads"

_Single = NDArray[np.float32]


def measure(config: Config) -> pd.DataFrame:
    """Return what is known of each pilot: its learning curve and predictions from its moments.

    Pilots that ``pilots.csv`` has are not done again, so that a run can be interrupted.
    """
    known = pd.read_csv(PILOTS) if PILOTS.exists() else pd.DataFrame()
    conditions = condition_features(shipped_features(), config.strengths, _HEADS)
    for repeat in range(config.repeats):
        for n0 in config.pilots:
            for name, features in conditions.items():
                if len(known) and len(
                    known.query("condition == @name and n0 == @n0 and pilot == @repeat")
                ):
                    continue
                rows = pilot_rows(config, features, n0, repeat)
                part = pd.DataFrame(rows).assign(condition=name, n0=n0, pilot=repeat)
                known = pd.concat([known, part], ignore_index=True)
                known.to_csv(PILOTS, index=False, float_format="%.6g", lineterminator="\n")
    return pd.read_csv(PILOTS)


def pilot_rows(config: Config, features: FeatureSet, n0: int, repeat: int) -> list[dict[str, Any]]:
    """Return rows (head, kind, n, value, error) of one pilot, the same images in each condition.

    ``kind`` is "measured" (mean accuracy of subsets on test pairs, error over orders), "moments"
    (predicted from all n0 images with their texts), "corrected" (the same by `corrected_moments`)
    or "matched" ("moments" of the images and texts of the n0/2 pairs of the first order that are
    labelled as matched). ``error`` of a prediction is that of its interval.
    """
    root = np.random.SeedSequence(config.seed, spawn_key=(n0, repeat))
    pick, test_seed, *orders = root.spawn(2 + config.orders)
    image, text = _pilot(features, n0, np.random.default_rng(pick))
    test_rows = features.rows("test")
    testing = draw_pairs(test_rows, features.text.shape[1], config.test_pairs, test_seed)
    test = gather(features.image, features.text, testing)
    draws = [draw_pairs(np.arange(n0), 1, n0, order) for order in orders]
    matched = draws[0].image[draws[0].label > 0]
    with warnings.catch_warnings():
        # With fewer images than dimensions it warns; what that costs is what is measured here.
        warnings.simplefilter("ignore", ValidityWarning)
        whole = Moments.from_features(image, text)
        part = Moments.from_features(image[matched], text[matched])
    known = {"moments": whole, "corrected": corrected_moments(whole), "matched": part}
    rows = [row for kind, moments in known.items() for row in _predicted(config, kind, moments, n0)]
    sizes = config.subsets(n0)
    parts = [gather(image, text[:, None], draw) for draw in draws]
    for head in config.heads:
        chosen = find_head(head)
        found = np.array(
            [
                [
                    point.accuracy
                    for point in measure_curve(chosen, train, test, sizes, config.ridge)
                ]
                for train in parts
            ]
        )
        errors = found.std(axis=0, ddof=1) / np.sqrt(len(found))
        rows += [
            {"head": head, "kind": "measured", "n": n, "value": value, "error": error}
            for n, value, error in zip(sizes, found.mean(axis=0), errors, strict=True)
        ]
    return rows


def _pilot(features: FeatureSet, n0: int, rng: np.random.Generator) -> tuple[_Single, _Single]:
    """Return n0 training images and one text of each."""
    chosen = rng.choice(features.rows("train"), n0, replace=False)
    caption = rng.integers(features.text.shape[1], size=n0)
    return features.image[chosen], features.text[chosen, caption]


def _predicted(config: Config, kind: str, moments: Moments, n0: int) -> list[dict[str, Any]]:
    sizes = [n0, *(factor * n0 for factor in config.factors)]
    rows = []
    for head in config.heads:
        curve = predict_curve(head, moments, sizes, config.ridge)
        half = (curve["accuracy_high"] - curve["accuracy_low"]) / (2 * 1.96)
        rows += [
            {"head": head, "kind": kind, "n": n, "value": value, "error": error}
            for n, value, error in zip(sizes, curve["accuracy"], half, strict=True)
        ]
    return rows


def main() -> None:
    """Run the study, store its results and print the summary."""
    config = Config()
    results = foretold(config, measure(config), pd.read_csv(TRUTH))
    results.to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    print(summary(results))
