"""What the curves of every head need of a pilot, kept small enough to be stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.choice.config import HEADS
from experiments.choice.scores import h_score, log_evidence
from fusiontheory.heads import PILOT_HEADS, Views
from fusiontheory.pilot import (
    Labels,
    PilotCurve,
    PilotSpectrum,
    SubsetScores,
    WithinReach,
    leave_out_errors,
    subset_scores,
)
from fusiontheory.typing import AnyArray, Array

__all__ = ["Record", "pilot_curves", "pilot_record"]

Record = dict[str, Any]


def pilot_record(v: Array, t: Array, y: AnyArray) -> Record:
    """Return arrays of each head, with its LogME and H-score."""
    labels = Labels.from_labels(y)
    a, b = Views.from_features(v, t).apply(v, t)
    heads = {}
    for name in HEADS:
        kernel = PILOT_HEADS[name].kernel(a, b, a, b)
        spectrum = PilotSpectrum.from_kernel(kernel)
        errors = leave_out_errors(spectrum, labels.targets, spectrum.ridges)
        within = WithinReach.from_errors(spectrum, errors, labels.variance)
        believed = errors[spectrum.believable(spectrum.ridges)]
        heads[name] = {
            "kappa": within.kappa,
            "df1": within.df1,
            "df2": within.df2,
            "level": within.level,
            "loo": within.leave_out,
            "ridges": within.ridges,
            "errors": believed[int(within.leave_out.argmin())],
            "subsets": [
                (p.size, p.rows, p.scores.astype(np.float32))
                for p in subset_scores(kernel, labels, within)
            ],
            "evidence": log_evidence(spectrum, labels),
            "h_score": h_score(spectrum, labels),
        }
    return {"n0": len(v), "targets": labels.targets, "codes": labels.codes, "heads": heads}


def pilot_curves(pilot: Record, late: bool = True) -> list[PilotCurve]:
    """Return the curves of a pilot, late fusion last."""
    codes = pilot["codes"]
    classes = None if codes is None else np.arange(int(codes.max()) + 1)
    labels = Labels(pilot["targets"], codes, classes)
    curves = []
    for head, stored in pilot["heads"].items():
        arrays = (stored[k] for k in ("kappa", "df1", "df2", "level", "loo", "ridges"))
        within = WithinReach(labels.items, *arrays)
        subsets = tuple(SubsetScores(*part) for part in stored.get("subsets", ()))
        curves.append(PilotCurve(head, labels, stored["errors"], within, subsets=subsets))
    if late:
        by_name = {c.head: c for c in curves}
        curves.append(PilotCurve.average((by_name["image-only"], by_name["text-only"])))
    return curves
