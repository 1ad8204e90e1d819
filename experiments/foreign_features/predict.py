"""Predict from samples of every population: ``python -m experiments.foreign_features.predict``.

Rows that ``predictions.csv`` has are kept, so that a run can go on where it stopped; delete the
file to predict anew with another theory. `measure` never reads a prediction.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from experiments.foreign_features.config import (
    DIAGNOSES,
    PREDICTIONS,
    Config,
    heads_of,
    population_seed,
)
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.matching import Terms
from fusiontheory.moments import Moments, diagnose
from fusiontheory.synthetic import ForeignSample, find_population

__all__ = ["diagnose_all", "main", "predict_all", "predicted", "samples"]

_SAMPLES = 1
_KEY = ["population", "images", "sample"]
_NORMAL = Terms(score_law=False)


def samples(config: Config, name: str, images: int) -> Iterator[tuple[int, ForeignSample]]:
    """Yield the moment samples of a population, numbered; the first ones stay if there are more."""
    seed = population_seed(config, name, _SAMPLES + images)
    population = find_population(name)
    for number in range(config.samples):
        rng = np.random.default_rng(
            np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number))
        )
        yield number, population.draw(images, rng)


def predicted(config: Config, heads: list[str], sample: ForeignSample) -> list[dict[str, Any]]:
    """Return the predictions of one sample: a row for each head, kind of ridge and n."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        # Without a diagnosis intervals are the theory's own, which the calibration is found from.
        moments = replace(Moments.from_features(sample.image, sample.text), source=None)
        lengths = (sample.image**2).sum(axis=1), (sample.text**2).sum(axis=1)
        for head in heads:
            diagonal = _mean_diagonal(head, *lengths, sample)
            fixed = predict_curve(head, moments, config.sizes, config.ridge)
            curves = [
                predict_curve(head, moments, config.sizes, ridge * diagonal)
                for ridge in config.ridges
            ]
            best = np.argmin([curve["risk"] for curve in curves], axis=0)
            for position, n in enumerate(config.sizes):
                choice = int(best[position])
                for kind, curve, ridge in (
                    ("0.1", fixed, config.ridge),
                    ("best", curves[choice], config.ridges[choice] * diagonal),
                ):
                    point = curve.iloc[position]
                    plain = predict_curve(head, moments, [n], ridge, terms=_NORMAL)
                    rows.append(
                        {
                            "head": head,
                            "ridge": kind,
                            "n": n,
                            "delta": ridge,
                            "predicted": point["accuracy"],
                            "low": point["accuracy_low"],
                            "high": point["accuracy_high"],
                            "normal": plain["accuracy"].iloc[0],
                        }
                    )
    return rows


def _mean_diagonal(
    head: str, image: np.ndarray[Any, Any], text: np.ndarray[Any, Any], sample: ForeignSample
) -> float:
    """Return the mean of k(x, x) over matched and mismatched pairs."""
    if head == "bilinear":
        return float((image * text).mean() + image.mean() * text.mean()) / 2
    if head == "dot-product":
        other = np.roll(sample.text, 1, axis=0)
        scores = (sample.image * sample.text).sum(1), (sample.image * other).sum(1)
        return float(np.mean(np.square(scores)))
    return float(image.mean() + text.mean()) / 2


def predict_all(config: Config) -> pd.DataFrame:
    """Predict what ``predictions.csv`` lacks, store it after each population, and return all."""
    known = pd.read_csv(PREDICTIONS, dtype={"ridge": str}) if PREDICTIONS.exists() else None
    done = set() if known is None else set(known[_KEY].itertuples(index=False, name=None))
    frames = [] if known is None else [known]
    for name in config.populations:
        rows: list[dict[str, Any]] = []
        for images in config.images:
            for number, sample in samples(config, name, images):
                if (name, images, number) not in done:
                    place = {"population": name, "images": images, "sample": number}
                    rows += [
                        {**place, **row}
                        for row in predicted(config, heads_of(config, name), sample)
                    ]
        if rows:
            frames.append(pd.DataFrame(rows))
            _store(pd.concat(frames), PREDICTIONS)
    return pd.concat(frames)


def diagnose_all(config: Config) -> pd.DataFrame:
    """Diagnose the same samples anew and store the values: quick, and apart from predictions."""
    rows = []
    for name in config.populations:
        for images in config.images:
            for number, sample in samples(config, name, images):
                place = {"population": name, "images": images, "sample": number}
                rows.append({**place, **diagnose(sample.image, sample.text).values})
    frame = pd.DataFrame(rows)
    _store(frame, DIAGNOSES)
    return frame


def _store(frame: pd.DataFrame, path: Any) -> None:
    temporary = path.with_suffix(".part")
    frame.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    temporary.replace(path)


def main() -> None:
    """Predict, then diagnose; ``--diagnose`` does the second alone."""
    parser = argparse.ArgumentParser(prog="experiments.foreign_features.predict")
    parser.add_argument("--samples", type=int, default=Config.samples)
    parser.add_argument("--diagnose", action="store_true", help="diagnose alone")
    options = parser.parse_args()
    config = Config(samples=options.samples)
    if not options.diagnose:
        predict_all(config)
    diagnose_all(config)


if __name__ == "__main__":
    main()
