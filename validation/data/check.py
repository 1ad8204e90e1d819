"""Measure the shipped features: retrieval after alignment, and what 8 bits a value cost.

    python -m validation.data.check [--source DIR] [--seeds 4] [--settings] [--out DIR]

Without a source (see `validation.data.build`) only the shipped, int8 features are measured. The
tables that ``--out`` writes are those of the card, `validation/data/README.md`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from numpy.random import SeedSequence

from fusiontheory.alignment import (
    ContrastiveSettings,
    align,
    fit_contrastive_heads,
    matched_cosine,
    retrieval_recall,
)
from fusiontheory.console import OneLineCommand, application
from fusiontheory.data import FeatureSet, draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.solvers import PairFeatures, gather, measure_curve
from fusiontheory.store import write_tables
from validation.data import SHIPPED_FILE, shipped_features
from validation.data.build import encoder_features, variance_kept

__all__ = ["app", "cosine_accuracy"]

SAMPLES, TEST_SAMPLES, RIDGE, DRAWS = 2048, 5000, 0.1, 5
"""Training pairs, test pairs, ridge of the bilinear head, draws of pairs for each training."""

SETTINGS = (
    ContrastiveSettings(),
    ContrastiveSettings(epochs=15),
    ContrastiveSettings(epochs=40),
    ContrastiveSettings(batch=256),
    ContrastiveSettings(batch=1024, learning_rate=2e-3),
    ContrastiveSettings(learning_rate=2e-3),
    ContrastiveSettings(learning_rate=5e-4),
)
"""The settings of the contrastive heads that were tried on the dev images."""

app = application("Measure the shipped features.")


@app.command(cls=OneLineCommand)
def check(
    source: Annotated[Path | None, typer.Option(help="What the features were built from.")] = None,
    seeds: Annotated[int, typer.Option(help="Trainings of the heads.", min=1)] = 4,
    settings: Annotated[bool, typer.Option(help="Try other settings of the heads.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables.")] = None,
    smaller: Annotated[
        bool, typer.Option("--smaller", help="Replace tables, too, by such that hold less.")
    ] = False,
) -> None:
    """Print recall and cosines of the aligned test images, and accuracies before and after int8."""
    versions = {"int8": shipped_features()}
    tables = {"vectors": _vectors(versions["int8"])}
    if source is not None:
        versions["float32"] = encoder_features(source)
        tables["moved"] = _moved(versions["float32"], versions["int8"])
        kept = pd.DataFrame({"what": ["variance_kept"], "value": [variance_kept(source)]})
        tables["vectors"] = pd.concat([tables["vectors"], kept], ignore_index=True)
    tables |= _measured(versions, seeds)
    if settings:
        tables["settings"] = _settings(versions["int8"])
    for name, table in tables.items():
        typer.echo(f"{name}\n{table.to_string(index=False)}\n")
    if out is not None:
        write_tables(out, tables, smaller=smaller)


def cosine_accuracy(train: PairFeatures, test: PairFeatures) -> float:
    """Return the test accuracy of <v, t> > the median over the training pairs.

    >>> vectors = np.eye(2)
    >>> pairs = PairFeatures(vectors[[0, 0]], vectors[[0, 1]], np.array([1.0, -1.0]))
    >>> cosine_accuracy(pairs, pairs)
    1.0
    """
    cosines = [np.sum(pairs.image * pairs.text, axis=1) for pairs in (train, test)]
    return float(((cosines[1] > np.median(cosines[0])) == (test.label > 0)).mean())


def _measured(versions: Mapping[str, FeatureSet], seeds: int) -> dict[str, pd.DataFrame]:
    """Return recall of each training of the heads, and accuracies of each draw of pairs."""
    recall, accuracy = [], []
    for seed in range(seeds):
        for name, features in versions.items():
            heads = fit_contrastive_heads(features, seed=seed)
            dial = {s: align(features, heads, s) for s in (0.0, 1.0)}
            recall.append({"version": name, "seed": seed} | _retrieval(dial[1.0], "test"))
            for draw in range(seed * DRAWS, (seed + 1) * DRAWS):
                place = {"version": name, "seed": seed, "draw": draw}
                accuracy += [place | row for row in _accuracies(dial, draw)]
    return {"recall": pd.DataFrame(recall), "accuracy": pd.DataFrame(accuracy)}


def _accuracies(dial: Mapping[float, FeatureSet], draw: int) -> list[dict[str, str | float]]:
    """Return the accuracies of the card, on the same pairs for equal ``draw``."""
    any_features = dial[0.0]
    drawn = [
        draw_pairs(any_features.rows(split), any_features.text.shape[1], n, seed)
        for split, n, seed in zip(
            ("train", "test"), (SAMPLES, TEST_SAMPLES), SeedSequence(draw).spawn(2), strict=True
        )
    ]
    rows: list[dict[str, str | float]] = []
    for strength, features in dial.items():
        train, test = (gather(features.image, features.text, pairs) for pairs in drawn)
        ridge = measure_curve(find_head("bilinear"), train, test, [SAMPLES], RIDGE)
        rows.append({"rule": "bilinear", "strength": strength, "accuracy": ridge[0].accuracy})
    # The last of the dial is fully aligned.
    cosine = cosine_accuracy(train, test)
    return [*rows, {"rule": "cosine", "strength": strength, "accuracy": cosine}]


def _settings(features: FeatureSet) -> pd.DataFrame:
    """Return the recall of the dev images for each of `SETTINGS`, and seconds of training."""
    rows = []
    for chosen in SETTINGS:
        started = time.process_time()
        heads = fit_contrastive_heads(features, chosen, seed=0)
        seconds = time.process_time() - started
        values = {name: getattr(chosen, name) for name in ("epochs", "batch", "learning_rate")}
        recall = _retrieval(align(features, heads, 1.0), "dev")
        rows.append(values | recall | {"processor_seconds": seconds})
    return pd.DataFrame(rows)


def _vectors(features: FeatureSet) -> pd.DataFrame:
    """Return how many captions repeat another, and the cosines of the nearest images."""
    captions = features.text.reshape(-1, features.text.shape[-1])
    repeated = len(captions) - len(np.unique(captions, axis=0))
    image = features.image - features.image.mean(axis=0)
    image /= np.linalg.norm(image, axis=1, keepdims=True)
    cosine = image @ image.T
    np.fill_diagonal(cosine, -1)
    test, other = features.rows("test"), np.r_[features.rows("align"), features.rows("train")]
    pair = np.unravel_index(cosine.argmax(), cosine.shape)
    largest = cosine[pair]
    cosine[pair] = cosine[pair[::-1]] = -1
    values = {
        "bytes": SHIPPED_FILE.stat().st_size,
        "repeated_captions": repeated,
        "largest_cosine": largest,
        "second_largest_cosine": cosine.max(),
        "largest_cosine_test_to_training": cosine[np.ix_(test, other)].max(),
    }
    return pd.DataFrame({"what": list(values), "value": list(values.values())})


def _moved(before: FeatureSet, after: FeatureSet) -> pd.DataFrame:
    """Return ||after - before|| / ||before|| of the vectors of each side: mean and largest."""
    rows = []
    for name in ("image", "text"):
        old, new = getattr(before, name), getattr(after, name)
        share = np.linalg.norm(new - old, axis=-1) / np.linalg.norm(old, axis=-1)
        rows.append({"side": name, "mean": share.mean(), "largest": share.max()})
    return pd.DataFrame(rows)


def _retrieval(features: FeatureSet, split: str) -> dict[str, float]:
    rows = features.rows(split)
    image, text = features.image[rows], features.text[rows]
    return retrieval_recall(image, text) | matched_cosine(image, text)


if __name__ == "__main__":
    app()
