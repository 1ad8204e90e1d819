"""Accuracies of trained heads on fresh corpora.

The truth of a population does not depend on the sample that moments came from, nor on the theory:
it is measured once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg import cho_solve, cholesky

from experiments.foreign_features.config import Config, heads_of, population_seed
from fusiontheory.heads import HEADS, Head
from fusiontheory.store import Cell, code_version
from fusiontheory.synthetic import ForeignPopulation, find_population
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from experiments.study import Records

__all__ = [
    "Measurement",
    "accuracies",
    "best_ridges",
    "cells",
    "measured",
    "test_pairs",
    "training_pairs",
    "truth",
]

_SELECTION, _TRAINING = 101, 102
_BLOCK = 512
# Pairs that the kernel's mean diagonal is taken over.
_FEW = 400
_COLUMNS = ["population", "head", "ridge", "n", "delta", "measured", "se", "seeds"]


class Measurement(NamedTuple):
    """Pairs: image (n, d_v), text (n, d_t), label (n,)."""

    image: Array
    text: Array
    label: Array


def training_pairs(
    population: ForeignPopulation, n: int, corpus: int, rng: np.random.Generator
) -> Measurement:
    """Return n pairs, alternately matched and mismatched, no row of a fresh corpus used twice."""
    sample = population.draw(corpus, rng)
    rows = rng.permutation(corpus)[: 3 * n // 2].reshape(3, -1)
    image, text = np.empty(n, dtype=int), np.empty(n, dtype=int)
    image[0::2], image[1::2] = rows[0], rows[1]
    text[0::2], text[1::2] = rows[0], rows[2]
    return Measurement(sample.image[image], sample.text[text], np.tile([1.0, -1.0], n // 2))


def test_pairs(population: ForeignPopulation, count: int, rng: np.random.Generator) -> Measurement:
    """Return matched pairs of a fresh corpus, and as many mismatched ones of the same rows."""
    half = count // 2
    sample = population.draw(half, rng)
    other = (np.arange(half) + rng.integers(1, half, half)) % half
    return Measurement(
        np.concatenate([sample.image, sample.image]),
        np.concatenate([sample.text, sample.text[other]]),
        np.repeat([1.0, -1.0], half),
    )


def accuracies(
    head: Head, train: Measurement, test: Measurement, plan: Sequence[tuple[int, float]]
) -> dict[tuple[int, float], float]:
    """Return the accuracy of training on the first n pairs with a ridge, for each (n, ridge).

    f(x) = k(x)^T (K + ridge I)^{-1} (y - b 1) + b with an intercept b that is not penalised.
    Kernels are computed once for all.
    """
    distinct = sorted(set(plan))
    solve = _dual if head.features is None else _primal
    outputs = solve(head, train, test, distinct)
    right = (np.sign(outputs) * test.label[:, None] + 1) / 2
    return dict(zip(distinct, right.mean(axis=0).tolist(), strict=True))


def _dual(
    head: Head, train: Measurement, test: Measurement, plan: list[tuple[int, float]]
) -> Array:
    most = max(n for n, _ in plan)
    gram = np.empty((most, most), order="F")
    blocks = [slice(k, min(k + _BLOCK, most)) for k in range(0, most, _BLOCK)]
    for block in blocks:
        gram[:, block] = head.gram(
            train.image[:most], train.text[:most], train.image[block], train.text[block]
        )
    weights, constants = np.zeros((most, len(plan))), np.zeros(len(plan))
    for column, (n, ridge) in enumerate(plan):
        matrix = gram[:n, :n].copy(order="F")
        matrix[np.diag_indices_from(matrix)] += ridge
        factor = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
        sides = np.stack([train.label[:n], np.ones(n)], axis=1)
        solved = cho_solve((factor, True), sides, check_finite=False)
        # Stationarity in b: 1^T (K + ridge I)^{-1} (y - b 1) = 0.
        constants[column] = solved[:, 0].sum() / solved[:, 1].sum()
        weights[:n, column] = solved[:, 0] - constants[column] * solved[:, 1]
    outputs = np.empty((len(test.label), len(plan)))
    for start in range(0, len(outputs), _BLOCK):
        block = slice(start, start + _BLOCK)
        kernel = head.gram(
            test.image[block], test.text[block], train.image[:most], train.text[:most]
        )
        outputs[block] = kernel @ weights + constants
    return outputs


def _primal(
    head: Head, train: Measurement, test: Measurement, plan: list[tuple[int, float]]
) -> Array:
    assert head.features is not None
    design, fresh = (
        np.asarray(head.features(x.image, x.text), dtype=np.float64) for x in (train, test)
    )
    outputs = np.empty((len(fresh), len(plan)))
    for column, (n, ridge) in enumerate(plan):
        mean, label = design[:n].mean(axis=0), train.label[:n]
        centred = design[:n] - mean
        normal = centred.T @ centred
        normal[np.diag_indices_from(normal)] += ridge
        weights = np.linalg.solve(normal, centred.T @ (label - label.mean()))
        outputs[:, column] = (fresh - mean) @ weights + label.mean()
    return outputs


def _diagonal(head: Head, pairs: Measurement) -> float:
    few = pairs.image[:_FEW], pairs.text[:_FEW]
    return float(np.diag(head.gram(*few, *few)).mean())


def best_ridges(config: Config, name: str) -> dict[tuple[str, int], float]:
    """Return the ridge of highest accuracy over training sets of their own, by head and n.

    At the largest n, whose factors take most of the time, only every second ridge from two steps
    below the best one of the next smaller n to four above it is tried.
    """
    population, heads = find_population(name), heads_of(config.heads, name)
    *smaller, largest = sorted(config.sizes)
    seeds = population_seed(config.seed, name, _SELECTION).spawn(config.selection_seeds)
    sets = []
    for rng in map(np.random.default_rng, seeds):
        train = training_pairs(population, largest, config.corpus, rng)
        sets.append((train, test_pairs(population, config.test, rng)))
    best: dict[tuple[str, int], float] = {}
    for head in map(HEADS.__getitem__, heads):
        scale = _diagonal(head, sets[0][0])
        ridges = [scale * ridge for ridge in config.ridges]
        best |= _best(head, sets, [(n, ridge) for n in smaller for ridge in ridges])
        place = ridges.index(best[head.name, smaller[-1]])
        near = ridges[max(place - 2, 0) : place + 5 : 2]
        best |= _best(head, sets, [(largest, ridge) for ridge in near])
    return best


def _best(
    head: Head, sets: list[tuple[Measurement, Measurement]], plan: list[tuple[int, float]]
) -> dict[tuple[str, int], float]:
    tables = [accuracies(head, train, test, plan) for train, test in sets]
    found: dict[tuple[str, int], tuple[float, float]] = {}
    for n, ridge in sorted(set(plan)):
        value = float(np.mean([table[n, ridge] for table in tables]))
        if value > found.get((head.name, n), (0.0, 0.0))[0]:
            found[head.name, n] = value, ridge
    return {key: ridge for key, (_, ridge) in found.items()}


def truth(config: Config, records: Records) -> pd.DataFrame:
    """Return the measured accuracies of all populations; those without a record are measured."""
    found = records.computed(cells(config, records.name), measured)
    # A row's own names; those of the config are taken.
    found["ridge"], found["seeds"] = found["kind"], found["sets"]
    return found[_COLUMNS]


def cells(config: Config, study: str) -> list[Cell]:
    """Return a cell for each population."""
    code = code_version(measured)
    shared = {
        name: getattr(config, name)
        for name in (
            *("heads", "sizes", "ridge", "ridges", "seeds", "selection_seeds"),
            *("corpus", "test", "seed"),
        )
    }
    return [
        Cell(study, {"population": name, **shared}, features=name, code=code)
        for name in config.populations
    ]


def measured(cell: Cell) -> list[dict[str, Any]]:
    """Return mean accuracy and its standard error for each head, kind of ridge and n."""
    given = dict(cell.config)
    name = given.pop("population")
    config = Config(populations=(name,), **given)
    population, heads = find_population(name), heads_of(config.heads, name)
    best = best_ridges(config, name)
    counts = dict(zip(config.sizes, config.seeds, strict=True))
    found: dict[tuple[str, str, int], list[float]] = {}
    seeds = population_seed(config.seed, name, _TRAINING).spawn(max(config.seeds))
    for number, rng in enumerate(map(np.random.default_rng, seeds)):
        used = [n for n, count in counts.items() if number < count]
        train = training_pairs(population, max(used), config.corpus, rng)
        test = test_pairs(population, config.test, rng)
        for head in heads:
            kinds = {
                (kind, n): (n, config.ridge if kind == "0.1" else best[head, n])
                for n in used
                for kind in ("0.1", "best")
            }
            table = accuracies(HEADS[head], train, test, list(kinds.values()))
            for (kind, n), point in kinds.items():
                found.setdefault((head, kind, n), []).append(table[point])
    return [
        {
            "head": head,
            "kind": kind,
            "n": n,
            "delta": config.ridge if kind == "0.1" else best[head, n],
            "measured": np.mean(values),
            "se": np.std(values, ddof=1) / np.sqrt(len(values)),
            "sets": len(values),
        }
        for (head, kind, n), values in found.items()
    ]
