"""Are the effective ridge and gamma of concat-mlp those that are predicted, and what sharing does?

Of n pairs of which no two share an image or a text 1 / tr (K + ridge)^{-1} is the effective ridge
kappa (`docs/theory.md`, Level 2, step 3), and as n - ridge / kappa is the sum of L, its derivative
says 1 - gamma = 1 / (n kappa^2 tr (K + ridge)^{-2}). Training alone shows both; no label is asked
for. ``python -m experiments.large_n.effective_ridge`` writes ``effective_ridge.csv``, of the
shipped features, pairs of all images, and ``parts.csv``: Gaussian pairs at unit norm, 512 pairs of
256 images beside as many that share nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotri
from scipy.special import ndtr, ndtri

from experiments.large_n.config import Config
from experiments.side_tables import arguments, write_side_table
from fusiontheory.curves import find_model
from fusiontheory.data import draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.matching import (
    MatchingModel,
    NormalScores,
    SharedPairs,
    Terms,
    shared_scores,
)
from fusiontheory.moments import Moments
from fusiontheory.risk import ridge_solution
from fusiontheory.typing import Array
from validation.moments import condition_moments

__all__ = ["gaussian_pairs", "inverse_traces", "main", "measured_parts", "parts", "ridges"]

_FOLDER = Path(__file__).parent
_HEAD = "concat-mlp"
_SIZES = (512, 1024, 2048, 4096)
_DIMENSIONS, _IMAGES, _PAIRS, _SETS, _TEST = 32, 256, 512, 30, 3000


def inverse_traces(image: Array, text: Array, ridge: float) -> tuple[float, float]:
    """Return tr (K + ridge)^{-1} and tr (K + ridge)^{-2} of the pairs' kernel matrix.

    Args:
        image: shape (n, d_v).
        text: shape (n, d_t).
        ridge: above 0.
    """
    gram = np.asarray(find_head(_HEAD).gram(image, text, image, text), dtype=np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    factor = cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse = np.tril(dpotri(factor, lower=1)[0])
    own = inverse.diagonal()
    return float(own.sum()), float(2 * np.vdot(inverse, inverse) - own @ own)


def independent(image: Array, text: Array, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return n pairs, half of them matched, none of which shares a row with another.

    Args:
        image: shape (rows, d_v), at least 1.5 n rows.
        text: shape (rows, d_t).
        n: even.
        rng: source of the random numbers.
    """
    first, second, third = rng.permutation(len(image))[: 3 * n // 2].reshape(3, -1)
    return image[np.r_[first, second]], text[np.r_[first, third]]


def ridges(config: Config) -> Iterator[dict[str, object]]:
    """Yield a row a condition of the shipped features and n.

    kappa and gamma as predicted and as training shows them, and accuracies of normal scores by
    neither, one or both of what it shows.
    """
    for condition, features in config.conditions().items():
        moments = condition_moments(features, dict(config.strengths)[condition])
        model = find_model(_HEAD)(replace(moments, source=None), Terms())
        rng = np.random.default_rng(config.entropy)
        image = np.asarray(features.image, dtype=np.float64)
        caption = rng.integers(0, features.text.shape[1], len(image))
        text = np.asarray(features.text[np.arange(len(image)), caption], dtype=np.float64)
        for n in _SIZES:
            traces = inverse_traces(*independent(image, text, n, rng), config.ridge)
            kappa, gamma = 1 / traces[0], 1 - traces[0] ** 2 / (n * traces[1])
            told = ridge_solution(model.spectrum, np.array([float(n)]), config.ridge + model.ridge)
            yield {
                "condition": condition,
                "n": n,
                "kappa": float(told.kappa[0]),
                "kappa_shown": kappa,
                "gamma": float(told.gamma[0]),
                "gamma_shown": gamma,
                "accuracy": _accuracy(model, told.kappa[0], told.gamma[0]),
                "of_kappa_shown": _accuracy(model, kappa, told.gamma[0]),
                "of_both_shown": _accuracy(model, kappa, gamma),
            }


def _accuracy(model: MatchingModel, kappa: float, gamma: float) -> float:
    q, slope = (float(x[0]) for x in model.signal(np.array([kappa])))
    scores = NormalScores.of_signal(q, slope, float(gamma))
    return float(ndtr(scores.half / np.sqrt(scores.total)))


def gaussian_pairs(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return matched Gaussian pairs at unit norm, (rows, 32) each."""
    scale = np.arange(1, _DIMENSIONS + 1.0) ** -0.35
    shared, own, other = rng.standard_normal((3, rows, _DIMENSIONS)) * scale
    image, text = shared + 0.7 * own, shared + 0.7 * other
    return tuple(x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text))


def measured_parts(shared: bool, ridge: float, seed: int) -> dict[str, float]:
    """Return what 512 pairs of 256 images, or as many that share nothing, teach the head.

    Half the distance of the class means of the mean predictor over 30 training sets, its variance
    within a class, the variance over training sets, the effective ridge (of independent pairs), and
    Phi^{-1}(accuracy).
    """
    test = gaussian_pairs(_TEST, np.random.default_rng(seed))
    image, text = np.tile(test[0], (2, 1)), np.r_[test[1], np.roll(test[1], 1, axis=0)]
    head, half, outputs, traces = find_head(_HEAD), _PAIRS // 2, [], []
    for root in np.random.SeedSequence(seed).spawn(_SETS):
        rng = np.random.default_rng(root)
        if shared:
            v, t = gaussian_pairs(_IMAGES, rng)
            pairs = draw_pairs(np.arange(_IMAGES), 1, _PAIRS, root)
            v, t, label = v[pairs.image], t[pairs.text], pairs.label.astype(np.float64)
        else:
            v, t = independent(*gaussian_pairs(3 * half, rng), _PAIRS, rng)
            label = np.repeat([1.0, -1.0], half)
        gram = head.gram(v, t, v, t)
        inverse = np.linalg.inv(gram + ridge * np.eye(_PAIRS))
        pull, whole = inverse @ label, inverse.sum(axis=1)
        constant = pull.sum() / whole.sum()
        outputs.append(head.gram(image, text, v, t) @ (pull - constant * whole) + constant)
        traces.append(np.trace(inverse))
    found = np.array(outputs).reshape(_SETS, 2, _TEST)
    mean, varied = found.mean(axis=0), found.var(axis=0, ddof=1)
    return {
        "half": float(mean[0].mean() - mean[1].mean()) / 2,
        "within": float((mean.var(axis=1) - varied.mean(axis=1) / _SETS).mean()),
        "varied": float(varied.mean()),
        "kappa": 1 / float(np.mean(traces)),
        "quantile": float(ndtri(((found * np.array([[[1.0], [-1.0]]])) > 0).mean())),
    }


def parts(ridge: float, seed: int) -> Iterator[dict[str, object]]:
    """Yield a row for independent and for shared pairs, predicted beside measured."""
    moments = Moments.from_features(*gaussian_pairs(8000, np.random.default_rng(seed + 1)))
    model = find_model(_HEAD)(replace(moments, source=None), Terms(score_law=False))
    solution = ridge_solution(model.spectrum, np.array([float(_PAIRS)]), ridge + model.ridge)
    q, slope = (float(x[0]) for x in model.signal(solution.kappa))
    normal = NormalScores.of_signal(q, slope, float(solution.gamma[0]))
    told = {
        "half": normal.half,
        "within": normal.within,
        "varied": normal.total - normal.within,
        "kappa": float(solution.kappa[0]),
    }
    blocks = model.sharing.blocks
    kinds = frozenset((block.of_image, block.of_text) for block in blocks)
    sets = (SharedPairs.independent(),), SharedPairs.packed(_PAIRS, _IMAGES, 1, kinds)
    scores = [shared_scores(model, own, float(_PAIRS), ridge) for own in sets]
    for shared, score in zip((False, True), scores, strict=True):
        assert score is not None
        name = "shared" if shared else "independent"
        yield {"pairs": name, "by": "prediction", **({} if shared else told), "quantile": score[0]}
        yield {"pairs": name, "by": "training", **measured_parts(shared, ridge, seed)}


def main(config: Config | None = None) -> None:
    """Write both tables."""
    config = config or Config()
    tables = {
        "effective_ridge.csv": ridges(config),
        "parts.csv": parts(config.ridge, config.entropy),
    }
    for name, rows in tables.items():
        table = pd.DataFrame(list(rows))
        write_side_table(_FOLDER / name, table, main)
        print(table.to_string(index=False))


if __name__ == "__main__":
    arguments(__doc__)
    main()
