"""The cells of a study: what is measured and what is predicted, each with its code's version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fusiontheory.alignment import align
from fusiontheory.checks import InputError
from fusiontheory.solvers import device_code
from fusiontheory.store import Cell, code_version
from validation.conditions import as_given
from validation.kernel.measure import measure_cell, retrieval_rows
from validation.kernel.predict import TERMS, predict_cell
from validation.kernel.search import SEARCH_SEEDS, search_cell
from validation.kernel.study import BEST, Study

__all__ = ["measured_cells", "predicted_cells", "retrieval_cells", "search_cells"]

Ridges = Mapping[tuple[str, str], list[float]]
"""Of each condition and head, one ridge for each size."""


def measured_cells(
    study: Study, fingerprints: Mapping[str, str], ridges: Ridges | None = None
) -> list[Cell]:
    """Return the cells to measure, one for each condition, head and seed.

    Args:
        study: conditions and settings.
        fingerprints: of the features, by condition.
        ridges: of each condition and head, one for each size, where the study's ridge is "best"
            (`validation.kernel.search.chosen_ridges`).

    Raises:
        InputError: if they are not given where they are needed.

    Example:
        >>> len(measured_cells(Study(seeds=5, ridge=0.1), {"unaligned": "x", "aligned": "y"}))
        40
    """
    if study.ridge == BEST and ridges is None:
        raise InputError("ridges must be those that the search chose, got none")
    code = code_version(measure_cell, as_given, align, *_on_device(study))
    return [
        Cell(
            "matching",
            {
                **_drawn(study, condition, head, seed),
                "ridge": study.ridge,
                **({} if ridges is None else {"ridges": ridges[condition, head]}),
            },
            features=fingerprints[condition],
            code=code,
        )
        for condition in study.strengths
        for seed in range(study.seeds)
        for head in study.heads_of(condition)
    ]


def search_cells(study: Study, fingerprints: Mapping[str, str]) -> list[Cell]:
    """Return the cells of the search for the best ridge; none where the ridge is given.

    Args:
        study: conditions and settings.
        fingerprints: of the features, by condition.
    """
    if study.ridge != BEST:
        return []
    code = code_version(search_cell, as_given, align, *_on_device(study))
    return [
        Cell(
            "search",
            _drawn(study, condition, head, seed),
            features=fingerprints[condition],
            code=code,
        )
        for condition in study.strengths
        for head in study.heads_of(condition)
        for seed in SEARCH_SEEDS
    ]


def _drawn(study: Study, condition: str, head: str, seed: int) -> dict[str, Any]:
    """Return the settings of a head on one draw of pairs.

    A precision tells records of a device from those of NumPy, and of each other.
    """
    return {
        **_place(study, condition),
        "head": head,
        "seed": seed,
        "sizes": list(study.sizes),
        "test_pairs": study.test_pairs,
        "entropy": study.entropy,
        **({} if study.precision is None else {"precision": study.precision}),
    }


def _place(study: Study, condition: str) -> dict[str, Any]:
    return {"condition": condition, "strength": study.strength_of(condition)}


def _on_device(study: Study) -> tuple[Callable[..., object], ...]:
    return () if study.precision is None else device_code()


def predicted_cells(study: Study, fingerprints: Mapping[str, str]) -> list[Cell]:
    """Return the cells to predict, one for each condition, head and set of terms."""
    code = code_version(predict_cell, as_given, align)
    return [
        Cell(
            "prediction",
            {
                **_place(study, condition),
                "head": head,
                "term": term,
                "ridge": study.ridge,
                "sizes": list(study.sizes),
                "points": study.curve_points,
                "seeds": study.seeds,
            },
            features=fingerprints[condition],
            code=code,
        )
        for condition in study.strengths
        for head in study.heads_of(condition)
        for term in TERMS
    ]


def retrieval_cells(study: Study, fingerprints: Mapping[str, str]) -> list[Cell]:
    """Return the cells of retrieval on the test images, one for each condition that has one."""
    code = code_version(retrieval_rows, as_given, align)
    return [
        Cell(
            "retrieval",
            _place(study, condition),
            features=fingerprints[condition],
            code=code,
        )
        for condition in study.strengths
        if condition not in study.unequal
    ]
