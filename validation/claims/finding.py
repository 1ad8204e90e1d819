"""What one test of a claim found on one group of records: rows of evidence, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from fusiontheory.stats import PairedGap, paired_gap
from fusiontheory.typing import Array
from validation.claims.measured import Group, MissingCell

__all__ = ["CONTEXT", "EVIDENCE", "Finding", "evidence_table", "family_level", "lead_at"]

CONTEXT = "context"
"""Outcome of a row that is shown and not judged."""

EVIDENCE = (
    "features",
    "setting",
    "condition",
    "n",
    "sigma",
    "side",
    "quantity",
    "estimate",
    "low",
    "high",
    "level",
    "p_value",
    "seeds",
    "predicted",
    "outcome",
)

_SIGNIFICANCE = 0.05


def family_level(tests: int) -> float:
    """Return the confidence at which all of so many intervals hold with 95 % (Bonferroni).

    >>> family_level(5)
    0.99
    """
    return 1 - _SIGNIFICANCE / max(tests, 1)


@dataclass
class Finding:
    """Evidence as it is gathered.

    Attributes:
        group: the records it is from.
        level: confidence of each interval.
        rows: one dictionary per row of evidence.
        missing: names of cells that the test needs and the records lack.
    """

    group: Group
    level: float
    rows: list[dict[str, Any]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, quantity: str, estimate: float, outcome: str, **values: Any) -> None:
        """Add a row of evidence; what does not apply to it stays empty."""
        row = dict.fromkeys(EVIDENCE)
        row.update(features=self.group.features, setting=self.group.setting, level=self.level)
        row.update(quantity=quantity, estimate=estimate, outcome=outcome, **values)
        self.rows.append(row)

    def add_gap(self, quantity: str, gap: PairedGap, outcome: str, **values: Any) -> None:
        """Add a row for a mean over seeds."""
        interval = {"low": gap.low, "high": gap.high, "p_value": gap.p_value, "seeds": gap.seeds}
        self.add(quantity, gap.gap, outcome, **interval, **values)

    def table(self, cells: list[tuple[str, str, int, float]]) -> Array | None:
        """Return `Group.table` of the cells, or None, with the names of what is missing noted."""
        try:
            return self.group.table(cells)
        except MissingCell as missing:
            self.missing += [name for name in missing.names if name not in self.missing]
            return None

    @property
    def judged(self) -> list[str]:
        """Outcomes of the rows that count."""
        return [row["outcome"] for row in self.rows if row["outcome"] != CONTEXT]


def evidence_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return the evidence of all findings as one tidy table with the columns `EVIDENCE`."""
    rows = [row for finding in findings for row in finding.rows]
    numbers = ("sigma", "estimate", "low", "high", "level", "p_value", "predicted")
    types = {**dict.fromkeys(numbers, "float64"), "n": "Int64", "seeds": "Int64"}
    return pd.DataFrame(rows, columns=[*EVIDENCE]).astype(types)


def lead_at(finding: Finding, condition: str, n: int) -> PairedGap | None:
    """Return the lead of concatenation over cross-attention without noise, None if missing."""
    cells = [(condition, head, n, 0.0) for head in finding.group.heads]
    table = finding.table(cells)
    return None if table is None else paired_gap(table[:, 0], table[:, 1], finding.level)
