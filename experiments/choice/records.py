"""What was measured in one world: truths at each size, and pilots as the package sees them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.pilot import Labels, PilotCurve, SubsetScores, WithinReach

Record = dict[str, Any]


def read_records(folder: Path, kind: str) -> Iterator[Record]:
    """Yield the records of a kind ("cal", "jud", "real", "new" or "sets") in order."""
    for path in sorted(folder.glob(f"{kind}*.pkl")):
        yield {"name": path.stem, **pickle.loads(path.read_bytes())}


def pilot_curves(pilot: Record, late: bool = True) -> list[PilotCurve]:
    """Return the curves of a stored pilot, late fusion last."""
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
