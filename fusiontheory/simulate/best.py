"""The best ridge of a head at each n: measured on draws of its own, or predicted.

Measured: over 13 ridges from 0.001 to 100 times the mean of K(x, x) (`fusiontheory.heads.RIDGES`),
the one of highest accuracy, or for regression of least test error, over two draws that no seed of
the grid has. It is then held for all seeds. Predicted: the same from the closed forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fusiontheory.heads import RIDGES
from fusiontheory.simulate.measuring import measure_unit

if TYPE_CHECKING:
    from fusiontheory.simulate.units import Unit
    from fusiontheory.synthetic import SyntheticConfig

__all__ = ["SEARCH_SEEDS", "best_of", "candidates", "search_unit"]


SEARCH_SEEDS = 2
"""Draws that a ridge is chosen on."""

# Second numbers of the seeds of a search's rows; those that are measured have 0 and 1.
_STREAMS = 2, 3
# Rows that the kernel's mean diagonal is taken over.
_FEW = 400


def candidates(unit: Unit) -> tuple[float, ...]:
    """Return the ridges to choose from.

    Example:
        >>> from fusiontheory.simulate import SimulationGrid, units_of
        >>> grid = SimulationGrid.of({"pairs.d_v": 2, "pairs.d_t": 2}, {}, heads=["additive"],
        ...     n=[8], seeds=1, ridges="best")
        >>> ridges = candidates(units_of(grid)[0])
        >>> len(ridges), round(ridges[-1] / ridges[0])
        (13, 100000)
    """
    scale = _diagonal(unit.configs[0], unit.head)
    return tuple(scale * ridge for ridge in RIDGES)


@lru_cache(maxsize=1024)
def _diagonal(config: SyntheticConfig, head: str) -> float:
    rows = config.unlabelled(_FEW, [0, _STREAMS[0]])
    image, text = (np.sum(x**2, axis=1) for x in (rows.v, rows.t))
    if head == "dot-product":
        return float(np.mean(np.sum(rows.v * rows.t, axis=1) ** 2))
    kernels = {"additive": image + text, "bilinear": image * text}
    kernels["sum"] = kernels["additive"] + kernels["bilinear"]
    return float(np.mean(kernels.get(head, (image + text) / 2)))


def search_unit(unit: Unit) -> list[dict[str, Any]]:
    """Return the rows of `measure_unit` for every draw of a search, and which draw it is."""
    return [
        {"draw": draw, **row}
        for draw in range(SEARCH_SEEDS)
        for row in measure_unit(replace(unit, seed=draw), streams=_STREAMS)
    ]


def best_of(
    unit: Unit, rows: Iterable[Mapping[str, Any]], accuracy: str = "accuracy", test: str = "test"
) -> tuple[tuple[float, ...], ...]:
    """Return the best ridge of each configuration at each n; of equal ones the largest.

    Args:
        unit: whose ridges are to choose from.
        rows: config, n, ridge, accuracy and test error; several of a place are averaged.
        accuracy: name of the accuracy, which decides where it is known.
        test: name of the test error, which decides elsewhere.

    Example:
        >>> from fusiontheory.simulate import SimulationGrid, units_of
        >>> grid = SimulationGrid.of({"pairs.d_v": 2, "pairs.d_t": 2}, {}, heads=["additive"],
        ...     n=[8], seeds=1, ridges=[0.1, 1.0])
        >>> place = {"config": 0, "n": 8, "accuracy": np.nan}
        >>> best_of(units_of(grid)[0], [{**place, "ridge": 0.1, "test": 2.0},
        ...     {**place, "ridge": 1.0, "test": 3.0}])
        ((0.1,),)
    """
    scores: dict[tuple[int, int, float], list[float]] = {}
    for row in rows:
        right, wrong = float(row[accuracy]), float(row[test])
        place = row["config"], row["n"], row["ridge"]
        scores.setdefault(place, []).append(-wrong if np.isnan(right) else right)

    def best(k: int, n: int) -> float:
        means = [float(np.mean(scores[k, n, ridge])) for ridge in unit.ridges]
        ranked = [
            (m if np.isfinite(m) else -np.inf, r) for m, r in zip(means, unit.ridges, strict=True)
        ]
        return max(ranked)[1]

    return tuple(tuple(best(k, n) for n in unit.n) for k in range(len(unit.configs)))
