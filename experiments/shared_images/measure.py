"""Heads trained on pairs that share images and on pairs that do not: a record for each case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.shared_images.config import POPULATIONS, RIDGE, Case, Config, captioned
from fusiontheory.data import Pairs, draw_pairs
from fusiontheory.heads import find_head, relu_tangent_coefficients, relu_tangent_kernel
from fusiontheory.solvers import PairFeatures, gather
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["cells", "image_orders", "measure", "measured"]

_CASE = ["population", "images", "captions", "n", "draws"]
_COLUMNS = [
    f"{name}{se}"
    for name in ("concat-mlp shared", "bilinear shared", "concat-mlp no high", "concat-mlp none")
    for se in ("", " se")
]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return a row per case, differences of accuracies to independent pairs in points."""
    found = records.computed(cells(config), differences)[[*_CASE, *_COLUMNS]]
    told = predicted["predictions.csv"]
    table = told[_CASE].merge(found, on=_CASE, validate="1:1").merge(told, on=_CASE)
    return {"results.csv": table}


def cells(config: Config) -> list[Cell]:
    """Return a cell for each case."""
    code = code_version(differences)
    shared = {"test_pairs": config.test_pairs, "seed": config.seed, "ridge": RIDGE}
    return [
        Cell(
            "shared_images",
            {**vars(case), **shared, "index": index},
            features=case.population,
            code=code,
        )
        for index, case in enumerate(config.cases)
    ]


def differences(cell: Cell) -> list[dict[str, Any]]:
    """Return the means over training sets, with standard errors."""
    case = Case(**{name: cell.config[name] for name in _CASE})
    root = np.random.SeedSequence(cell.config["seed"], spawn_key=(cell.config["index"],))
    generators = map(np.random.default_rng, root.spawn(case.draws))
    changes = 100 * pd.DataFrame(
        [measured(case, rng, cell.config["test_pairs"]) for rng in generators]
    )
    row = {}
    for head, name in (
        *(("concat-mlp", "shared"), ("bilinear", "shared")),
        *(("concat-mlp", "no high"), ("concat-mlp", "none")),
    ):
        change = changes[f"{head} {name}"] - changes[f"{head} independent"]
        row[f"{head} {name}"] = float(change.mean())
        row[f"{head} {name} se"] = float(change.std(ddof=1) / np.sqrt(case.draws))
    return [row]


def measured(case: Case, rng: np.random.Generator, test_pairs: int = 2000) -> dict[str, float]:
    """Return accuracies of heads trained on one draw, and on as many pairs that share nothing.

    concat-mlp is trained twice more on the shared pairs, without orders (a, 0) of its kernel
    between pairs of one image: those from the third on, and all from the first.
    """
    population = POPULATIONS[case.population]
    image, text = captioned(population, case.images, case.captions, rng)
    pairs = _drawn(case.images, case.captions, case.n, rng)
    shared = gather(image, text, pairs)
    others, words = captioned(population, 3 * case.n // 2, case.captions, rng)
    own = words[: case.n, 0].copy()
    own[pairs.label < 0] = words[case.n :, 0]
    alone = PairFeatures(others[: case.n], own, pairs.label)
    image, text = captioned(population, test_pairs, case.captions, rng)
    test = gather(image, text, _drawn(test_pairs, case.captions, test_pairs, rng))
    accuracies = {}
    for head in ("concat-mlp", "bilinear"):
        for name, train in (("shared", shared), ("independent", alone)):
            accuracies[f"{head} {name}"] = _accuracy(head, train, test)
    same = pairs.image[:, None] == pairs.image
    np.fill_diagonal(same, False)
    low, high = image_orders(shared)
    accuracies["concat-mlp no high"] = _accuracy("concat-mlp", shared, test, same * high)
    accuracies["concat-mlp none"] = _accuracy("concat-mlp", shared, test, same * (low + high))
    return accuracies


def _drawn(images: int, captions: int, n: int, rng: np.random.Generator) -> Pairs:
    seed = np.random.SeedSequence(int(rng.integers(2**31)))
    return draw_pairs(np.arange(images), captions, n, seed)


def _accuracy(
    head: str, train: PairFeatures, test: PairFeatures, less: Array | float = 0.0
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


def image_orders(pairs: PairFeatures) -> tuple[Array, Array]:
    """Return the orders (1, 0) and (2, 0) of the kernel matrix, and those above."""
    a = relu_tangent_coefficients(2)
    length = np.sqrt(((pairs.image**2).sum(axis=1) + (pairs.text**2).sum(axis=1)) / 2)
    scale = np.outer(length, length)
    u = pairs.image @ pairs.image.T / (2 * scale)
    low = a[1] * u + a[2] * u**2
    return scale * low, scale * (relu_tangent_kernel(u) - a[0] - low)
