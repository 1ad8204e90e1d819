"""Measure each pilot's learning curve, and foretell larger n from its moments and from a fit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.extrapolation.config import Config
from experiments.extrapolation.foretold import foretold
from experiments.extrapolation.summary import summary
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet, Pairs, draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.moments import Moments
from fusiontheory.solvers import gather, measure_curve
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

    What ``pilots.csv`` has is not done again, so that a run can be interrupted, and a changed
    theory asked for its predictions (their rows taken out) without measuring again.
    """
    known = pd.read_csv(PILOTS) if PILOTS.exists() else pd.DataFrame()
    conditions = condition_features(shipped_features(), config.strengths, _HEADS)
    for repeat in range(config.repeats):
        for n0 in config.pilots:
            for name, features in conditions.items():
                there: set[str] = set()
                if len(known):
                    here = known.query("condition == @name and n0 == @n0 and pilot == @repeat")
                    there = set(here["kind"])
                if there >= {"measured", "moments", "matched"}:
                    continue
                rows = [] if "moments" in there else predicted_rows(config, features, n0, repeat)
                if "measured" not in there:
                    rows += measured_rows(config, features, n0, repeat)
                part = pd.DataFrame(rows).assign(condition=name, n0=n0, pilot=repeat)
                known = pd.concat([known, part], ignore_index=True)
                known.to_csv(PILOTS, index=False, float_format="%.6g", lineterminator="\n")
    return pd.read_csv(PILOTS)


def pilot_rows(config: Config, features: FeatureSet, n0: int, repeat: int) -> list[dict[str, Any]]:
    """Return rows (head, kind, n, value, error) of one pilot, the same images in each condition.

    ``kind`` is "measured" (mean accuracy of subsets on test pairs, error over orders), "moments"
    (predicted from all n0 images with their texts) or "matched" ("moments" of the images and texts
    of the n0/2 pairs of the first order that are labelled as matched). ``error`` of a prediction is
    that of its interval.
    """
    predicted = predicted_rows(config, features, n0, repeat)
    return predicted + measured_rows(config, features, n0, repeat)


@dataclass(frozen=True, eq=False)
class _Pilot:
    """n0 images with one text each, the orders of their pairs, and the seed of the test pairs."""

    image: _Single
    text: _Single
    draws: list[Pairs]
    test_seed: np.random.SeedSequence

    @classmethod
    def of(cls, config: Config, features: FeatureSet, n0: int, repeat: int) -> _Pilot:
        root = np.random.SeedSequence(config.seed, spawn_key=(n0, repeat))
        pick, test_seed, *orders = root.spawn(2 + config.orders)
        image, text = _pilot(features, n0, np.random.default_rng(pick))
        draws = [draw_pairs(np.arange(n0), 1, n0, order) for order in orders]
        return cls(image, text, draws, test_seed)


def predicted_rows(
    config: Config, features: FeatureSet, n0: int, repeat: int
) -> list[dict[str, Any]]:
    """Return the rows of `pilot_rows` that nothing is trained for."""
    pilot = _Pilot.of(config, features, n0, repeat)
    matched = pilot.draws[0].image[pilot.draws[0].label > 0]
    with warnings.catch_warnings():
        # With fewer images than dimensions it warns; what that costs is what is measured here.
        warnings.simplefilter("ignore", ValidityWarning)
        whole = Moments.from_features(pilot.image, pilot.text)
        part = Moments.from_features(pilot.image[matched], pilot.text[matched])
    known = {"moments": whole, "matched": part}
    return [row for kind, moments in known.items() for row in _predicted(config, kind, moments, n0)]


def measured_rows(
    config: Config, features: FeatureSet, n0: int, repeat: int
) -> list[dict[str, Any]]:
    """Return the measured learning curve of `pilot_rows`."""
    pilot = _Pilot.of(config, features, n0, repeat)
    test_rows = features.rows("test")
    testing = draw_pairs(test_rows, features.text.shape[1], config.test_pairs, pilot.test_seed)
    test = gather(features.image, features.text, testing)
    rows: list[dict[str, Any]] = []
    sizes = config.subsets(n0)
    parts = [gather(pilot.image, pilot.text[:, None], draw) for draw in pilot.draws]
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
