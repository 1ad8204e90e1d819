"""The intervals: predictions from many samples of each population, and what their limit is."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.interval_coverage.config import Config, Population
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.moments import Moments
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["limit", "predict", "replicates"]

# Purposes of a population's random numbers.
_LIMIT, _REPLICATE = 1, 2
_COLUMNS = ["accuracy", "accuracy_low", "accuracy_high"]
_INTERVAL = ["accuracy", "low", "high", "shared", "shared_low", "shared_high"]


def predict(config: Config, records: Records) -> Tables:
    """Return the interval of every sample, and the limit at very many images.

    ``predictions.csv``: population, head, images, n, replicate, accuracy, low, high, and the same
    for n pairs of n images (``shared``). ``limits.csv``: population, head, n, limit, limit_se.
    """
    shared = config.settings("heads", "sizes", "ridge", "seed")
    samples = {**shared, **config.settings("replicates")}
    wanted = [
        {**samples, "population": population.name, "images": images}
        for population in config.populations
        for images in config.images
    ]
    many = {**shared, **config.settings("limit_samples", "limit_images")}
    code = code_version(predict)
    cells, limits = (
        [Cell(records.name, settings, features="synthetic", code=code) for settings in every]
        for every in (wanted, [{**many, "population": one.name} for one in config.populations])
    )
    table = records.computed(cells, partial(_intervals, config=config))
    keys = ["population", "head", "images", "n"]
    truth = records.computed(limits, partial(_limits, config=config))
    return {
        "predictions.csv": table[[*keys, "replicate", *_INTERVAL]],
        "limits.csv": truth[["population", "head", "n", "limit", "limit_se"]],
    }


def _intervals(cell: Cell, config: Config) -> list[dict[str, Any]]:
    name, images = cell.config["population"], cell.config["images"]
    sources = config.source(name, _REPLICATE).spawn(len(config.images))
    source = sources[config.images.index(images)]
    accuracies, shared = replicates(config, config.population(name), images, source)
    both = np.concatenate([accuracies, shared], axis=-1)
    return [
        {
            "head": head,
            "n": n,
            "replicate": index,
            **dict(zip(_INTERVAL, both[index, h, s].tolist(), strict=True)),
        }
        for h, head in enumerate(config.heads)
        for s, n in enumerate(config.sizes)
        for index in range(len(both))
    ]


def _limits(cell: Cell, config: Config) -> list[dict[str, Any]]:
    name = cell.config["population"]
    mean, error = limit(config, config.population(name), config.source(name, _LIMIT))
    return [
        {"head": head, "n": n, "limit": float(mean[h, s]), "limit_se": float(error[h, s])}
        for h, head in enumerate(config.heads)
        for s, n in enumerate(config.sizes)
    ]


def replicates(
    config: Config, population: Population, images: int, seed: np.random.SeedSequence
) -> tuple[Array, Array]:
    """Return accuracy and its interval of each sample, (replicates, heads, sizes, 3).

    Of independent pairs, and of n pairs of n images.
    """
    accuracies: tuple[list[Array], list[Array]] = [], []
    for rng in map(np.random.default_rng, seed.spawn(config.replicates)):
        moments = Moments.from_features(*population.draw(images, rng))
        accuracies[0].append(_predicted(config, moments))
        accuracies[1].append(_predicted(config, moments, shared=True))
    return np.array(accuracies[0]), np.array(accuracies[1])


def limit(
    config: Config, population: Population, seed: np.random.SeedSequence
) -> tuple[Array, Array]:
    """Return the theory's accuracy at very many images and its error, (heads, sizes).

    The mean over large samples: the law of scores has no closed form.
    """
    accuracies = np.array(
        [
            _predicted(config, Moments.from_features(*population.draw(config.limit_images, rng)))
            for rng in map(np.random.default_rng, seed.spawn(config.limit_samples))
        ]
    )[..., 0]
    mean, error = accuracies.mean(axis=0), accuracies.std(axis=0, ddof=1) / np.sqrt(len(accuracies))
    return mean, error


def _predicted(config: Config, moments: Moments, shared: bool = False) -> Array:
    images = config.sizes if shared else None
    with warnings.catch_warnings():
        # So many populations, so few that are news: what it warns of is what is counted here.
        warnings.simplefilter("ignore", ValidityWarning)
        return np.array(
            [
                predict_curve(head, moments, config.sizes, config.ridge, training_images=images)[
                    _COLUMNS
                ].to_numpy()
                for head in config.heads
            ]
        )
