"""Train heads on pairs that share images and on pairs that do not, and predict the difference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.interval_coverage.config import Config, Population
from fusiontheory.curves import predict_curve
from fusiontheory.data import Pairs, draw_pairs
from fusiontheory.heads import find_head, relu_tangent_coefficients, relu_tangent_kernel
from fusiontheory.moments import Moments
from fusiontheory.solvers import PairFeatures, gather

__all__ = ["CASES", "RESULTS", "Case", "captioned", "main", "measured", "run"]

RESULTS = Path(__file__).with_name("results.csv")
RIDGE = 0.1

_Array = NDArray[np.float64]
_POPULATIONS = {population.name: population for population in Config().populations}
_IMAGES_FOR_MOMENTS = 12_000
_TEST_PAIRS = 2000
_SEED = 5
# Of a caption's own part, relative to what the captions of one image share.
_CAPTION_NOISE = 0.7


@dataclass(frozen=True)
class Case:
    """n training pairs of so many images with so many captions; ``draws`` training sets."""

    population: str
    images: int
    captions: int
    n: int
    draws: int


CASES = (
    Case("flat", 128, 1, 128, 300),
    Case("mild", 128, 1, 128, 300),
    Case("unit norm", 128, 1, 128, 300),
    Case("flat", 512, 1, 512, 60),
    Case("mild", 512, 1, 512, 60),
    Case("unit norm", 512, 1, 512, 60),
    Case("mild", 256, 1, 512, 40),
    Case("unit norm", 256, 1, 512, 40),
    Case("mild", 512, 3, 512, 40),
    Case("mild", 128, 3, 512, 60),
    Case("unit norm", 128, 3, 512, 60),
    Case("mild", 64, 5, 512, 60),
    Case("unit norm", 64, 5, 512, 60),
)


def captioned(
    population: Population, images: int, captions: int, rng: np.random.Generator
) -> tuple[_Array, _Array]:
    """Return image (images, d_v) and text (images, captions, d_t) features.

    With several captions each is the population's text and noise of its own.
    """
    v, t = population.draw(images, rng)
    if captions == 1:
        return v, t[:, None]
    own = rng.standard_normal((images, captions, t.shape[1])) / np.sqrt(t.shape[1])
    text = (t[:, None] + _CAPTION_NOISE * own) / np.sqrt(1 + _CAPTION_NOISE**2)
    if population.shape == "unit norm":
        text /= np.linalg.norm(text, axis=2, keepdims=True)
    return v, text


def measured(case: Case, rng: np.random.Generator) -> dict[str, float]:
    """Return accuracies of heads trained on one draw, and on as many pairs that share nothing.

    concat-mlp is trained twice more on the shared pairs, without orders (a, 0) of its kernel
    between pairs of one image: those from the third on, and all from the first.
    """
    population = _POPULATIONS[case.population]
    image, text = captioned(population, case.images, case.captions, rng)
    pairs = _drawn(case.images, case.captions, case.n, rng)
    shared = gather(image, text, pairs)
    others, words = captioned(population, 3 * case.n // 2, case.captions, rng)
    own = words[: case.n, 0].copy()
    own[pairs.label < 0] = words[case.n :, 0]
    alone = PairFeatures(others[: case.n], own, pairs.label)
    image, text = captioned(population, _TEST_PAIRS, case.captions, rng)
    test = gather(image, text, _drawn(_TEST_PAIRS, case.captions, _TEST_PAIRS, rng))
    found = {}
    for head in ("concat-mlp", "bilinear"):
        for name, train in (("shared", shared), ("independent", alone)):
            found[f"{head} {name}"] = _accuracy(head, train, test)
    same = pairs.image[:, None] == pairs.image
    np.fill_diagonal(same, False)
    low, high = image_orders(shared)
    found["concat-mlp no high"] = _accuracy("concat-mlp", shared, test, same * high)
    found["concat-mlp none"] = _accuracy("concat-mlp", shared, test, same * (low + high))
    return found


def _drawn(images: int, captions: int, n: int, rng: np.random.Generator) -> Pairs:
    seed = np.random.SeedSequence(int(rng.integers(2**31)))
    return draw_pairs(np.arange(images), captions, n, seed)


def _accuracy(
    head: str, train: PairFeatures, test: PairFeatures, less: _Array | float = 0.0
) -> float:
    """Return the accuracy of kernel ridge regression with ``less`` taken off the kernel matrix."""
    gram = find_head(head).gram
    matrix = gram(train.image, train.text, train.image, train.text) - less
    sides = np.stack([train.label, np.ones_like(train.label)], axis=1)
    solved = np.linalg.solve(matrix + RIDGE * np.eye(len(matrix)), sides)
    intercept = solved[:, 0].sum() / solved[:, 1].sum()
    weights = solved[:, 0] - intercept * solved[:, 1]
    output = gram(test.image, test.text, train.image, train.text) @ weights + intercept
    return float(np.mean((np.sign(output) * test.label + 1) / 2))


def image_orders(pairs: PairFeatures) -> tuple[_Array, _Array]:
    """Return the orders (1, 0) and (2, 0) of the kernel matrix, and those above."""
    a = relu_tangent_coefficients(2)
    length = np.sqrt(((pairs.image**2).sum(axis=1) + (pairs.text**2).sum(axis=1)) / 2)
    scale = np.outer(length, length)
    u = pairs.image @ pairs.image.T / (2 * scale)
    low = a[1] * u + a[2] * u**2
    return scale * low, scale * (relu_tangent_kernel(u) - a[0] - low)


def run() -> pd.DataFrame:
    """Return a row per case, differences of accuracies to independent pairs in points."""
    rows = []
    for index, case in enumerate(CASES):
        seeds = np.random.SeedSequence(_SEED, spawn_key=(index,)).spawn(case.draws)
        found = 100 * pd.DataFrame([measured(case, np.random.default_rng(s)) for s in seeds])
        rng = np.random.default_rng(_SEED)
        population = _POPULATIONS[case.population]
        moments = Moments.from_features(
            *captioned(population, _IMAGES_FOR_MOMENTS, case.captions, rng)
        )
        row = dict(vars(case))
        for head, name in (
            *(("concat-mlp", "shared"), ("bilinear", "shared")),
            *(("concat-mlp", "no high"), ("concat-mlp", "none")),
        ):
            change = found[f"{head} {name}"] - found[f"{head} independent"]
            row[f"{head} {name}"] = change.mean()
            row[f"{head} {name} se"] = change.std(ddof=1) / np.sqrt(case.draws)
        for head in ("concat-mlp", "bilinear"):
            alone, shared = (
                predict_curve(head, moments, case.n, RIDGE, training_images=images)
                for images in (None, case.images)
            )
            row[f"{head} predicted"] = 100 * float(shared["accuracy"][0] - alone["accuracy"][0])
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Run the study, store and print its results."""
    results = run()
    results.to_csv(RESULTS, index=False, float_format="%.4g", lineterminator="\n")
    print(results.round(2).T.to_string())


if __name__ == "__main__":
    main()
