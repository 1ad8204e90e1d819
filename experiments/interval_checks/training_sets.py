"""Scatter over training sets, measured, by population, head and number of pairs.

All training sets of a cell, of pairs that share no image, are tested on the same two test sets: the
covariance of the two accuracies is the variance of the exact accuracy without bias.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.interval_checks.config import Config
from experiments.interval_coverage import Population
from fusiontheory.heads import find_head
from fusiontheory.monte_carlo import paired_scatter
from fusiontheory.solvers import PairFeatures, dual_ridge
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Array, Single

__all__ = ["COLUMNS", "HEADS", "cells", "distinct_pairs", "measure", "scatter_rows"]

COLUMNS = [
    *("population", "head", "n", "training_sets", "accuracy"),
    *("measured_sd", "measured_sd_se"),
]

# Training sets and test pairs by head: the dot product is cheap, and its scatter small.
_DRAWS = {"bilinear": (150, 40_000), "concat-mlp": (60, 12_000), "dot-product": (300, 200_000)}
HEADS = tuple(_DRAWS)
_BLOCK = 2000


def measure(
    population: Population, head: str, config: Config, draws: int, test_pairs: int
) -> tuple[Array, Array, Array]:
    """Return mean accuracy, its standard deviation over training sets and that one's error."""
    test = distinct_pairs(population, test_pairs, np.random.default_rng(999))
    accuracies = np.empty((draws, len(config.sizes), 2))
    for index in range(draws):
        train = distinct_pairs(population, max(config.sizes), np.random.default_rng(5000 + index))
        for column, output in enumerate(_outputs(head, train, test, config)):
            right = (np.sign(output) * test.label + 1) / 2
            accuracies[index, column] = (
                right[: test_pairs // 2].mean(),
                right[test_pairs // 2 :].mean(),
            )
    return accuracies.mean(axis=(0, 2)), *paired_scatter(accuracies)


def distinct_pairs(population: Population, n: int, rng: np.random.Generator) -> PairFeatures:
    """Return n pairs, alternately matched and mismatched, that share no image and no text."""
    image, text = population.draw(n, rng)
    text = text.copy()
    text[1::2] = population.draw(n // 2, rng)[1]
    return PairFeatures(image, text, np.where(np.arange(n) % 2 == 0, 1.0, -1.0))


def _outputs(head: str, train: PairFeatures, test: PairFeatures, config: Config) -> list[Array]:
    """As `fusiontheory.solvers.measure_curve` has them; scores of v (x) t by its weights."""
    chosen = find_head(head)
    if chosen.features is not None:
        x, own = (chosen.features(p.image, p.text)[:, 0] for p in (train, test))
        lines = []
        for n in config.sizes:
            away, label = x[:n] - x[:n].mean(), train.label[:n]
            lines.append(
                (own - x[:n].mean()) * (away @ label) / (away @ away + config.ridge) + label.mean()
            )
        return lines
    gram = np.array(chosen.gram(train.image, train.text, train.image, train.text), order="F")
    outputs, kernel = [], None
    for fit in dual_ridge(gram, train.label[:, None], list(config.sizes), [config.ridge], True):
        weights = fit.alpha[:, 0]
        if head == "bilinear":
            matrix = (train.image[: fit.n] * weights[:, None]).T @ train.text[: fit.n]
            outputs.append(((test.image @ matrix) * test.text).sum(axis=1) + fit.constant)
            continue
        if kernel is None:
            kernel = _test_gram(head, train, test)
        outputs.append(kernel[:, : fit.n] @ weights.astype(np.float32) + fit.constant)
    return outputs


def _test_gram(head: str, train: PairFeatures, test: PairFeatures) -> Single:
    v, t, own_v, own_t = (
        x.astype(np.float32) for x in (train.image, train.text, test.image, test.text)
    )
    rows = range(0, len(own_v), _BLOCK)
    gram = find_head(head).gram
    return np.concatenate([gram(own_v[a : a + _BLOCK], own_t[a : a + _BLOCK], v, t) for a in rows])


def cells(config: Config, study: str) -> list[Cell]:
    """Return a cell for each head and population."""
    code = code_version(scatter_rows)
    shared = config.settings("sizes", "ridge")
    return [
        Cell(
            study,
            {**shared, "part": "training sets", "head": head, "population": population.name},
            features="synthetic",
            code=code,
        )
        for head in _DRAWS
        for population in config.populations
    ]


def scatter_rows(cell: Cell, config: Config) -> list[dict[str, Any]]:
    """Return the measured scatter at each n."""
    head, population = cell.config["head"], config.population(cell.config["population"])
    draws, test_pairs = _DRAWS[head]
    accuracy, measured, error = measure(population, head, config, draws, test_pairs)
    return [
        {
            "n": n,
            "training_sets": draws,
            "accuracy": float(accuracy[k]),
            "measured_sd": float(measured[k]),
            "measured_sd_se": float(error[k]),
        }
        for k, n in enumerate(config.sizes)
    ]
