"""Measure the shipped features: retrieval after alignment, and what 8 bits a value cost.

    python -m validation.data.check [--source DIR] [--seeds 4]

Without a source (see `validation.data.build`) only the shipped, int8 features are measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.random import SeedSequence

from fusiontheory.alignment import align, fit_contrastive_heads, matched_cosine, retrieval_recall
from fusiontheory.console import OneLineCommand, application
from fusiontheory.data import FeatureSet, draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.solvers import PairFeatures, gather, measure_curve
from fusiontheory.typing import AnyArray, Array, Single
from validation.data import shipped_features
from validation.data.build import encoder_features

__all__ = ["app", "cosine_accuracy"]

SAMPLES, TEST_SAMPLES, RIDGE, DRAWS = 2048, 5000, 0.1, 5
"""Training pairs, test pairs, ridge of the bilinear head, draws of pairs for each training."""

app = application("Measure the shipped features.")


@app.command(cls=OneLineCommand)
def check(
    source: Annotated[Path | None, typer.Option(help="What the features were built from.")] = None,
    seeds: Annotated[int, typer.Option(help="Trainings of the heads.", min=1)] = 4,
) -> None:
    """Print recall and cosines of the aligned test images, and accuracies before and after int8."""
    versions = {"int8": shipped_features()}
    if source is not None:
        versions["float32"] = encoder_features(source)
        for name in ("image", "text"):
            before, after = (getattr(versions[k], name) for k in ("float32", "int8"))
            moved = _relative_change(before, after)
            typer.echo(f"int8 moves {name} by {moved.mean():.4f}, at most {moved.max():.4f}")
    accuracies: dict[str, list[list[float]]] = {name: [] for name in versions}
    for seed in range(seeds):
        for name, features in versions.items():
            heads = fit_contrastive_heads(features, seed=seed)
            dial = {s: align(features, heads, s) for s in (0.0, 1.0)}
            typer.echo(f"{name} heads {seed}: {_retrieval(dial[1.0])}")
            for draw in range(DRAWS):
                accuracies[name].append(_accuracies(dial, seed * DRAWS + draw))
    columns = ("ridge, unaligned", "ridge, aligned", "cosine threshold, aligned")
    for i, column in enumerate(columns):
        for name in versions:
            typer.echo(f"{column}, {name}: {_points(np.array(accuracies[name])[:, i])}")
        if source is not None:
            change = np.array(accuracies["int8"]) - np.array(accuracies["float32"])
            typer.echo(f"{column}, int8 less float32: {_points(change[:, i])}")


def cosine_accuracy(train: PairFeatures, test: PairFeatures) -> float:
    """Return the test accuracy of <v, t> > the median over the training pairs.

    >>> vectors = np.eye(2)
    >>> pairs = PairFeatures(vectors[[0, 0]], vectors[[0, 1]], np.array([1.0, -1.0]))
    >>> cosine_accuracy(pairs, pairs)
    1.0
    """
    cosines = [np.sum(pairs.image * pairs.text, axis=1) for pairs in (train, test)]
    return float(((cosines[1] > np.median(cosines[0])) == (test.label > 0)).mean())


def _accuracies(dial: Mapping[float, FeatureSet], draw: int) -> list[float]:
    """Return the accuracies that the command prints, on the same pairs for equal ``draw``."""
    any_features = dial[0.0]
    drawn = [
        draw_pairs(any_features.rows(split), any_features.text.shape[1], n, seed)
        for split, n, seed in zip(
            ("train", "test"), (SAMPLES, TEST_SAMPLES), SeedSequence(draw).spawn(2), strict=True
        )
    ]
    accuracies = []
    for features in dial.values():
        train, test = (gather(features.image, features.text, pairs) for pairs in drawn)
        ridge = measure_curve(find_head("bilinear"), train, test, [SAMPLES], RIDGE)
        accuracies.append(ridge[0].accuracy)
    # The last of the dial is fully aligned.
    return [*accuracies, cosine_accuracy(train, test)]


def _relative_change(before: Single, after: Single) -> AnyArray:
    """Return ||after - before|| / ||before|| for each vector."""
    sizes = [np.linalg.norm(x, axis=-1) for x in (after - before, before)]
    return np.asarray(sizes[0] / sizes[1])


def _retrieval(features: FeatureSet) -> str:
    test = features.rows("test")
    image, text = features.image[test], features.text[test]
    measured = retrieval_recall(image, text) | matched_cosine(image, text)
    return ", ".join(f"{name} {value:.3f}" for name, value in measured.items())


def _points(shares: Array) -> str:
    """Write mean, spread over draws and standard error of the mean, in points."""
    if len(shares) < 2:
        return f"{100 * shares.mean():+.2f}"
    spread = 100 * shares.std(ddof=1)
    error = spread / len(shares) ** 0.5
    return f"{100 * shares.mean():+.2f} (sd {spread:.2f}, se {error:.2f}, {len(shares)} draws)"


if __name__ == "__main__":
    app()
