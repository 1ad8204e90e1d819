"""Curves of kernels that stand for networks: computed once, kept as records, read as one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from fusiontheory.store import Cell, RecordStore

__all__ = ["RecordedCurve", "recorded_curves"]


class RecordedCurve(NamedTuple):
    """What a record is of, and how it is made.

    Attributes:
        labels: columns of the table that tell its rows from those of others.
        cell: of the record.
        compute: makes the rows.
    """

    labels: dict[str, str]
    cell: Cell
    compute: Callable[[], pd.DataFrame]


def recorded_curves(
    curves: Iterable[RecordedCurve], columns: Sequence[str], store: RecordStore, fill: bool
) -> pd.DataFrame:
    """Return the rows of curves, one below the other; empty where nothing is on record.

    Args:
        curves: in the order of the table.
        columns: of the table, labels among them.
        store: gets a record for each curve as soon as it is done.
        fill: whether to compute what is not on record, or to leave it out.
    """
    parts = []
    for labels, cell, compute in curves:
        if cell not in store:
            if not fill:
                continue
            store.write(cell, compute())
        parts.append(store.read(cell.study, [cell]).assign(**labels))
    if not parts:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(parts, ignore_index=True)[list(columns)]
