"""Predict from many samples of each population, and hold the intervals against two truths."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.interval_coverage.config import Config, Population
from experiments.interval_coverage.summary import summary
from fusiontheory.checks import ValidityWarning
from fusiontheory.curves import predict_curve
from fusiontheory.data import draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.moments import Moments
from fusiontheory.solvers import PairFeatures, gather, measure_curve

__all__ = [
    "MEASURED",
    "RESULTS",
    "fresh_pairs",
    "limit",
    "main",
    "measured",
    "replicates",
    "run",
]

RESULTS = Path(__file__).with_name("results.csv")
# Means of trained heads do not depend on the theory: they are kept from one version to the next.
MEASURED = Path(__file__).with_name("measured.csv")

_Array = NDArray[np.float64]
# Spawn keys of a population.
_TRAIN, _LIMIT, _REPLICATE, _INDEPENDENT = 0, 1, 2, 3
_COLUMNS = ["accuracy", "accuracy_low", "accuracy_high"]


def run(config: Config) -> pd.DataFrame:
    """Return a row per population, head, number of images and of training pairs.

    Populations that ``results.csv`` has are not done again, so that a run can be interrupted.
    """
    known = [pd.read_csv(RESULTS)] if RESULTS.exists() else []
    done = set(known[0]["population"]) if known else set()
    for index, population in enumerate(config.populations):
        if population.name not in done:
            known.append(pd.DataFrame(_rows(config, population, index)))
            pd.concat(known).to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    return pd.read_csv(RESULTS)


def _rows(config: Config, population: Population, index: int) -> list[dict[str, Any]]:
    seed = np.random.SeedSequence(config.seed, spawn_key=(index,))
    seeds = seed.spawn(4)
    known = {
        "measured": _known_or_measured(config, population, seeds[_TRAIN], "measured"),
        "independent": _known_or_measured(config, population, seeds[_INDEPENDENT], "independent"),
    }
    truth, truth_error = limit(config, population, seeds[_LIMIT])
    rows = []
    for images, source in zip(
        config.images, seeds[_REPLICATE].spawn(len(config.images)), strict=True
    ):
        found, shared = replicates(config, population, images, source)
        for h, head in enumerate(config.heads):
            for s, n in enumerate(config.sizes):
                predicted, low, high = np.moveaxis(found[:, h, s], 1, 0)
                told, *ends = np.moveaxis(shared[:, h, s], 1, 0)
                row: dict[str, Any] = {
                    "population": population.name,
                    "head": head,
                    "images": images,
                    "n": n,
                    "replicates": len(predicted),
                    "predicted": predicted.mean(),
                    "predicted_sd": predicted.std(ddof=1),
                    # Of n pairs of n images.
                    "predicted_shared": told.mean(),
                    # Of the interval, as a standard error.
                    "stated_se": np.sqrt(np.mean(((high - low) / (2 * 1.96)) ** 2)),
                    "limit": truth[h, s],
                    "limit_se": truth_error[h, s],
                }
                truths = {"limit": truth[h, s]}
                for name, (mean, error) in known.items():
                    row[name], row[f"{name}_se"] = mean[h, s], error[h, s]
                    truths[name] = mean[h, s]
                for name, value in truths.items():
                    bottom, top = ends if name == "measured" else (low, high)
                    row[f"{name}_below"] = int((value < bottom).sum())
                    row[f"{name}_above"] = int((value > top).sum())
                rows.append(row)
    return rows


def _known_or_measured(
    config: Config, population: Population, seed: np.random.SeedSequence, kind: str
) -> tuple[_Array, _Array]:
    """Return `measured`, from ``measured.csv`` where it has the population and kind."""
    names = ["population", "kind", "head", "n", "mean", "se"]
    known = pd.read_csv(MEASURED) if MEASURED.exists() else pd.DataFrame(columns=names)
    own = known[(known["population"] == population.name) & (known["kind"] == kind)]
    if own.empty:
        mean, error = measured(config, population, seed, independent=kind == "independent")
        rows = [
            (population.name, kind, head, n, mean[h, s], error[h, s])
            for h, head in enumerate(config.heads)
            for s, n in enumerate(config.sizes)
        ]
        own = pd.DataFrame(rows, columns=names)
        known = own if known.empty else pd.concat([known, own])
        known.to_csv(MEASURED, index=False, float_format="%.6g", lineterminator="\n")
    table = own.set_index(["head", "n"])
    mean, error = (
        np.array([[table.loc[(head, n), column] for n in config.sizes] for head in config.heads])
        for column in ("mean", "se")
    )
    return mean, error


def replicates(
    config: Config, population: Population, images: int, seed: np.random.SeedSequence
) -> tuple[_Array, _Array]:
    """Return accuracy and its interval of each sample, (replicates, heads, sizes, 3).

    Of independent pairs, and of n pairs of n images.
    """
    found: tuple[list[_Array], list[_Array]] = [], []
    for rng in map(np.random.default_rng, seed.spawn(config.replicates)):
        moments = Moments.from_features(*population.draw(images, rng))
        found[0].append(_predicted(config, moments))
        found[1].append(_predicted(config, moments, shared=True))
    return np.array(found[0]), np.array(found[1])


def limit(
    config: Config, population: Population, seed: np.random.SeedSequence
) -> tuple[_Array, _Array]:
    """Return the theory's accuracy at very many images and its error, (heads, sizes).

    The mean over large samples: the law of scores has no closed form.
    """
    found = np.array(
        [
            _predicted(config, Moments.from_features(*population.draw(config.limit_images, rng)))
            for rng in map(np.random.default_rng, seed.spawn(config.limit_samples))
        ]
    )[..., 0]
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))
    return mean, error


def _predicted(config: Config, moments: Moments, shared: bool = False) -> _Array:
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


def measured(
    config: Config,
    population: Population,
    seed: np.random.SeedSequence,
    independent: bool = False,
) -> tuple[_Array, _Array]:
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
        found = np.array(
            [trained(config, population, n, source) for source in sources[s].spawn(seeds)]
        )
        mean[:, s] = found.mean(axis=0)
        error[:, s] = found.std(axis=0, ddof=1) / np.sqrt(seeds)
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


def fresh_pairs(population: Population, n: int, rng: np.random.Generator) -> PairFeatures:
    """Return n pairs of 3 n / 2 images, each used once."""
    half = n // 2
    v, t = (x.astype(np.float32) for x in population.draw(n + half, rng))
    # The last half of the texts belongs to images that no pair has.
    return PairFeatures(v[:n], np.concatenate([t[:half], t[n:]]), np.repeat([1.0, -1.0], half))


def _accuracies(config: Config, train: PairFeatures, test: PairFeatures, n: int) -> list[float]:
    return [
        measure_curve(find_head(head), train, test, [n], config.ridge)[0].accuracy
        for head in config.heads
    ]


def main() -> None:
    """Run the study, store its results and print the summary."""
    print(summary(run(Config())))
