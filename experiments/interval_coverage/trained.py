"""Mean accuracy of trained heads; knows nothing of what is predicted."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.interval_coverage.config import Config, Population
from experiments.interval_coverage.pairs import fresh_pairs
from fusiontheory.data import draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.solvers import PairFeatures, gather, measure_curve
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Array

__all__ = ["cells", "means", "measured"]

# Purposes of a population's random numbers.
_PURPOSES = {"measured": 0, "independent": 3}


def cells(config: Config, study: str) -> list[Cell]:
    """Return a cell for each population, of pairs that share images and of those that do not."""
    code = code_version(means)
    shared = config.settings("heads", "sizes", "ridge", "seed", "test_pairs")
    counts = {"measured": config.seeds, "independent": config.independent_seeds}
    return [
        Cell(
            study,
            {**shared, "population": population.name, "kind": kind, "seeds": counts[kind]},
            features="synthetic",
            code=code,
        )
        for population in config.populations
        for kind in _PURPOSES
    ]


def means(cell: Cell, config: Config) -> list[dict[str, Any]]:
    """Return the mean accuracy and its standard error by head and n."""
    name, kind = cell.config["population"], cell.config["kind"]
    source = config.source(name, _PURPOSES[kind])
    mean, error = measured(config, config.population(name), source, kind == "independent")
    return [
        {"head": head, "n": n, "mean": float(mean[h, s]), "se": float(error[h, s])}
        for h, head in enumerate(config.heads)
        for s, n in enumerate(config.sizes)
    ]


def measured(
    config: Config,
    population: Population,
    seed: np.random.SeedSequence,
    independent: bool = False,
) -> tuple[Array, Array]:
    """Return the mean accuracy of trained heads and its standard error, (heads, sizes).

    Every seed has training and test images of its own, in training as many as pairs; or, for
    ``independent`` ones, three for two pairs, so that no two training pairs share an image.
    """
    mean = np.empty((len(config.heads), len(config.sizes)))
    error = np.empty_like(mean)
    sources = seed.spawn(len(config.sizes))
    counts = config.independent_seeds if independent else config.seeds
    for s, (n, seeds) in enumerate(zip(config.sizes, counts, strict=True)):
        trained = _trained_independent if independent else _trained
        accuracies = np.array(
            [trained(config, population, n, source) for source in sources[s].spawn(seeds)]
        )
        mean[:, s] = accuracies.mean(axis=0)
        error[:, s] = accuracies.std(axis=0, ddof=1) / np.sqrt(seeds)
    return mean, error


def _trained(
    config: Config, population: Population, n: int, seed: np.random.SeedSequence
) -> list[float]:
    images, pairs, test_pairs = seed.spawn(3)
    rng = np.random.default_rng(images)
    v, t = (x.astype(np.float32) for x in population.draw(n + config.test_pairs, rng))
    texts = t[:, None]
    rows = np.arange(len(v))
    train = gather(v, texts, draw_pairs(rows[:n], 1, n, pairs))
    test = gather(v, texts, draw_pairs(rows[n:], 1, config.test_pairs, test_pairs))
    return _accuracies(config, train, test, n)


def _trained_independent(
    config: Config, population: Population, n: int, seed: np.random.SeedSequence
) -> list[float]:
    rng = np.random.default_rng(seed)
    train, test = (fresh_pairs(population, size, rng) for size in (n, config.test_pairs))
    return _accuracies(config, train, test, n)


def _accuracies(config: Config, train: PairFeatures, test: PairFeatures, n: int) -> list[float]:
    return [
        measure_curve(find_head(head), train, test, [n], config.ridge)[0].accuracy
        for head in config.heads
    ]
