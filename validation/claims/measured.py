"""Measured accuracies by seed, out of tidy records; what is missing is named, never filled in."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.typing import Array

__all__ = ["COLUMNS", "Group", "MissingCell", "check_records", "groups"]


COLUMNS = ("condition", "features", "head", "n", "sigma", "side", "seed", "setting", "accuracy")
"""Of the records. sigma = 0 is without noise, whatever its side."""

_KEY = ["condition", "features", "head", "n", "sigma", "side", "seed", "setting"]


class MissingCell(Exception):
    """A claim needs cells that were not measured on two seeds; ``names`` has each."""

    def __init__(self, names: list[str]) -> None:
        """Keep the names."""
        super().__init__("; ".join(names))
        self.names = names


@dataclass(frozen=True)
class Group:
    """The records of one feature set under one setting.

    Attributes:
        features, setting: which.
        records: of these, checked.
        heads: names of concatenation and of cross-attention.
    """

    features: str
    setting: str
    records: pd.DataFrame = field(repr=False)
    heads: tuple[str, str]

    def accuracy(
        self, condition: str, head: str, n: int, sigma: float = 0.0, side: str = "both"
    ) -> pd.Series[float]:
        """Return the accuracy by seed of one cell; empty if it was not measured."""
        rows = self._cell(condition, head, n, sigma, side)
        return rows.set_index("seed")["accuracy"].sort_index()

    def predicted(
        self, condition: str, head: str, n: int, sigma: float = 0.0, side: str = "both"
    ) -> float:
        """Return the accuracy that the records say was predicted for a cell, NaN if they do not."""
        rows = self._cell(condition, head, n, sigma, side)
        if "predicted" not in rows.columns or rows.empty:
            return float("nan")
        return float(rows["predicted"].mean())

    def sizes(self, condition: str, head: str) -> list[int]:
        """Return the sample sizes at which a head is on record in a condition without noise."""
        rows = self.records
        plain = (rows["condition"] == condition) & (rows["sigma"] == 0)
        here = rows[plain & (rows["head"] == head)]
        return sorted(int(n) for n in here["n"].unique())

    def table(self, cells: list[tuple[str, str, int, float]], side: str = "both") -> Array:
        """Return accuracies, (seeds, cells), on the seeds that all cells share.

        Args:
            cells: condition, head, n and sigma of each.
            side: of the noise.

        Raises:
            MissingCell: if a cell was not measured on 2 seeds, or the cells share fewer.
        """
        columns, missing = [], []
        for condition, head, n, sigma in cells:
            column = self.accuracy(condition, head, n, sigma, side)
            if len(column) < 2:
                noise = f", sigma = {sigma:g} on {side}" if sigma else ""
                missing.append(
                    f"{self.features}, {self.setting}: {condition}, {head}, n = {n}{noise}"
                    f" ({len(column)} of at least 2 seeds)"
                )
            columns.append(column)
        if missing:
            raise MissingCell(missing)
        joined = pd.concat(columns, axis=1, join="inner")
        if len(joined) < 2:
            raise MissingCell(
                [
                    f"{self.features}, {self.setting}: 2 seeds that these cells share:"
                    f" {', '.join(f'{c} {h} n = {n} sigma = {s:g}' for c, h, n, s in cells)}"
                ]
            )
        return joined.to_numpy(dtype=np.float64)

    def _cell(self, condition: str, head: str, n: int, sigma: float, side: str) -> pd.DataFrame:
        rows = self.records
        cell = rows[
            (rows["condition"] == condition)
            & (rows["head"] == head)
            & (rows["n"] == n)
            & np.isclose(rows["sigma"], sigma, rtol=0, atol=1e-9)
        ]
        if sigma > 0:
            return cell[cell["side"] == side]
        # Without noise there is one cell, which may be on record once for each side.
        return cell.drop_duplicates(subset=["seed"])


def check_records(records: pd.DataFrame) -> pd.DataFrame:
    """Return the records without those of diverged members (accuracy NaN), which do not count.

    Raises:
        InputError: if a column is missing, an accuracy is outside [0, 1], a cell has one seed
            twice, or cells without noise differ between sides.
    """
    lacking = [name for name in COLUMNS if name not in records.columns]
    if lacking:
        raise InputError(f"records must have the columns {', '.join(COLUMNS)}; missing: {lacking}")
    rows = records[records["accuracy"].notna()]
    outside = rows[(rows["accuracy"] < 0) | (rows["accuracy"] > 1)]
    if len(outside):
        raise InputError(
            f"records must hold accuracies from 0 to 1, got {outside['accuracy'].iloc[0]:g}"
        )
    twice = rows[rows.duplicated(subset=_KEY)]
    if len(twice):
        raise InputError(
            f"records must hold each cell and seed once, got {twice[_KEY].iloc[0].to_dict()} twice"
        )
    plain = rows[rows["sigma"] == 0]
    key = [name for name in _KEY if name != "side"]
    values = plain.groupby(key, dropna=False)["accuracy"].nunique()
    if (values > 1).any():
        cell = dict(zip(key, values[values > 1].index[0], strict=True))
        raise InputError(f"records without noise must not differ between sides, got {cell}")
    return rows


def groups(records: pd.DataFrame, heads: tuple[str, str]) -> list[Group]:
    """Return the checked records by features and setting.

    Raises:
        InputError: as `check_records` does.
    """
    rows = check_records(records)
    return [
        Group(str(features), str(setting), part, heads)
        for (features, setting), part in rows.groupby(["features", "setting"], sort=True)
    ]
