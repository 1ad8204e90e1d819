"""Scatter over training sets: predicted and measured, by population, head and number of pairs.

    python -m experiments.interval_coverage.training_sets

writes ``training_sets.csv`` (about 8 minutes on one core). All training sets of a cell, of pairs
that share no image, are tested on the same two test sets: the covariance of the two accuracies is
the variance of the exact accuracy without bias. Predictions are from one sample of images.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.stats import norm

from experiments.interval_coverage.config import Config, Population
from fusiontheory.curves import find_model, predict_curve
from fusiontheory.heads import find_head
from fusiontheory.matching import Terms, training_deviation
from fusiontheory.moments import Moments
from fusiontheory.monte_carlo import paired_scatter
from fusiontheory.solvers import PairFeatures

__all__ = ["measure", "predict"]

_Array: TypeAlias = NDArray[np.float64]

RESULTS = Path(__file__).parent / "training_sets.csv"

# Training sets and test pairs by head: the dot product is cheap, and its scatter small.
_DRAWS = {"bilinear": (150, 40_000), "concat-mlp": (60, 12_000), "dot-product": (300, 200_000)}
_IMAGES = 10_000
_BLOCK = 2000


def measure(
    population: Population, head: str, config: Config, draws: int, test_pairs: int
) -> tuple[_Array, _Array, _Array]:
    """Return mean accuracy, its standard deviation over training sets and that one's error."""
    test = distinct_pairs(population, test_pairs, np.random.default_rng(999))
    found = np.empty((draws, len(config.sizes), 2))
    for index in range(draws):
        train = distinct_pairs(population, max(config.sizes), np.random.default_rng(5000 + index))
        for column, output in enumerate(_outputs(head, train, test, config)):
            right = (np.sign(output) * test.label + 1) / 2
            found[index, column] = right[: test_pairs // 2].mean(), right[test_pairs // 2 :].mean()
    return found.mean(axis=(0, 2)), *paired_scatter(found)


def predict(population: Population, head: str, config: Config) -> _Array:
    """Return the predicted standard deviation of one training set's accuracy at each size."""
    moments = Moments.from_features(*population.draw(_IMAGES, np.random.default_rng(3)))
    sizes = np.array(config.sizes, dtype=np.float64)
    accuracy = predict_curve(head, moments, sizes, config.ridge)["accuracy"].to_numpy()
    deviation = training_deviation(find_model(head)(moments, Terms()), sizes, config.ridge)
    return np.asarray(deviation * norm.pdf(norm.ppf(accuracy)))


def distinct_pairs(population: Population, n: int, rng: np.random.Generator) -> PairFeatures:
    image, text = population.draw(n, rng)
    text = text.copy()
    text[1::2] = population.draw(n // 2, rng)[1]
    return PairFeatures(image, text, np.where(np.arange(n) % 2 == 0, 1.0, -1.0))


def _outputs(head: str, train: PairFeatures, test: PairFeatures, config: Config) -> list[_Array]:
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
    gram = np.array(chosen.gram(train.image, train.text, train.image, train.text))
    gram[np.diag_indices(len(gram))] += config.ridge
    factor = cholesky(gram, lower=True, check_finite=False)
    outputs, kernel = [], None
    for n in config.sizes:
        sides = np.stack([train.label[:n], np.ones(n)], axis=1)
        solved = cho_solve((factor[:n, :n], True), sides, check_finite=False)
        intercept = solved[:, 0].sum() / solved[:, 1].sum()
        weights = solved[:, 0] - intercept * solved[:, 1]
        if head == "bilinear":
            matrix = (train.image[:n] * weights[:, None]).T @ train.text[:n]
            outputs.append(((test.image @ matrix) * test.text).sum(axis=1) + intercept)
            continue
        if kernel is None:
            kernel = _test_gram(head, train, test)
        outputs.append(kernel[:, :n] @ weights.astype(np.float32) + intercept)
    return outputs


def _test_gram(head: str, train: PairFeatures, test: PairFeatures) -> NDArray[np.float32]:
    v, t, own_v, own_t = (
        x.astype(np.float32) for x in (train.image, train.text, test.image, test.text)
    )
    rows = range(0, len(own_v), _BLOCK)
    gram = find_head(head).gram
    return np.concatenate([gram(own_v[a : a + _BLOCK], own_t[a : a + _BLOCK], v, t) for a in rows])


def main(config: Config | None = None) -> None:
    """Run the cells, store them as they come and print them."""
    config = Config() if config is None else config
    rows: list[dict[str, object]] = []
    for head in ("dot-product", "bilinear", "concat-mlp"):
        for population in config.populations:
            draws, test_pairs = _DRAWS[head]
            accuracy, measured, error = measure(population, head, config, draws, test_pairs)
            predicted = predict(population, head, config)
            for column, n in enumerate(config.sizes):
                row: dict[str, object] = {"population": population.name, "head": head, "n": n}
                row |= {"training_sets": draws, "accuracy": accuracy[column]}
                row |= {"measured_sd": measured[column], "measured_sd_se": error[column]}
                rows.append(row | {"predicted_sd": predicted[column]})
            pd.DataFrame(rows).round(6).to_csv(RESULTS, index=False)
            print(population.name, head, (predicted / measured).round(2), flush=True)


if __name__ == "__main__":
    main()
