"""The cells of a study: what is measured and what is predicted, each with its code's version."""

from __future__ import annotations

from collections.abc import Mapping

from fusiontheory.alignment import align
from fusiontheory.store import Cell, code_version
from validation.conditions import as_given
from validation.kernel.measure import measure_cell, retrieval_rows
from validation.kernel.predict import TERMS, predict_cell
from validation.kernel.study import Study

__all__ = ["measured_cells", "predicted_cells", "retrieval_cells"]


def measured_cells(study: Study, fingerprints: Mapping[str, str]) -> list[Cell]:
    """Return the cells to measure, one for each condition, head and seed.

    Args:
        study: conditions and settings.
        fingerprints: of the features, by condition.

    Example:
        >>> len(measured_cells(Study(seeds=5), {"unaligned": "x", "aligned": "y"}))
        40
    """
    code = code_version(measure_cell, as_given, align)
    return [
        Cell(
            "matching",
            {
                "condition": condition,
                "strength": study.strength_of(condition),
                "head": head,
                "seed": seed,
                "ridge": study.ridge,
                "sizes": list(study.sizes),
                "test_pairs": study.test_pairs,
                "entropy": study.entropy,
            },
            features=fingerprints[condition],
            code=code,
        )
        for condition in study.strengths
        for seed in range(study.seeds)
        for head in study.heads_of(condition)
    ]


def predicted_cells(study: Study, fingerprints: Mapping[str, str]) -> list[Cell]:
    """Return the cells to predict, one for each condition, head and set of terms."""
    code = code_version(predict_cell, as_given, align)
    return [
        Cell(
            "prediction",
            {
                "condition": condition,
                "strength": study.strength_of(condition),
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
            {"condition": condition, "strength": study.strength_of(condition)},
            features=fingerprints[condition],
            code=code,
        )
        for condition in study.strengths
        if condition not in study.unequal
    ]
