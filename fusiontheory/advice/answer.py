"""The answer as one object: sentences and tables, and the forms that it takes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fusiontheory.advice.words import METRIC_NAMES
from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.store import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Advice"]


@checked
@dataclass(frozen=True, eq=False)
class Advice:
    """Which fusion to choose at the target, why, and how sure that is.

    Attributes:
        task: "image-text matching", "classification" or "regression".
        headline: the task in a sentence; the first line of every output.
        items: labelled items of the pilot, or images that the moments are of.
        target: n that the advice is for.
        metric: "accuracy", "balanced_accuracy" or "r2".
        recommended: the head.
        verdict: "clear", "leaning", "does not matter" or "undetermined".
        confidence: probability that no other head is better at the target.
        recommendation: one sentence.
        settle: what would settle it.
        changes: what would change the recommendation.
        notes: what was done with the data, and what the numbers do not hold.
        tables: by name, in this order where they are there: ``features``, ``curves``, ``choice``,
            ``crossovers``, ``assurance``, ``missing``, ``interaction``, ``cost``,
            ``verification``.
    """

    task: str
    headline: str
    items: int
    target: float
    metric: str
    recommended: str
    verdict: str
    confidence: float
    recommendation: str
    settle: str
    changes: list[str]
    notes: list[str]
    tables: dict[str, pd.DataFrame] = field(repr=False)

    @property
    def metric_name(self) -> str:
        """The metric as people say it."""
        return METRIC_NAMES[self.metric]

    def to_json(self) -> str:
        """Return everything as JSON that any parser reads; NaN is null."""
        record = {name: getattr(self, name) for name in _PLAIN}
        record["tables"] = {
            name: {"columns": list(table.columns), "rows": _rows(table)}
            for name, table in self.tables.items()
        }
        return json.dumps(record, indent=2, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Advice:
        """Return what `to_json` wrote.

        Raises:
            InputError: for another text.
        """
        try:
            record = json.loads(text)
            tables = {
                name: pd.DataFrame(stored["rows"], columns=stored["columns"])
                for name, stored in record["tables"].items()
            }
            return cls(**{name: record[name] for name in _PLAIN}, tables=tables)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"text must be JSON of Advice.to_json, got {text[:40]!r}") from error

    def figures(self, width: float = 7.2) -> dict[str, Figure]:
        """Return the figures by name: ``curves``, ``choice`` and, with labels, ``missing``.

        Args:
            width: in inches.
        """
        from fusiontheory.advice.figures import draw_figures

        return draw_figures(self, width)

    def write_figures(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write every figure as PNG and SVG into a folder, which is made if need be.

        Raises:
            InputError: if the folder cannot be written to.
        """
        from fusiontheory.plotting import save_figure

        root = Path(folder)
        if root.exists() and not root.is_dir():
            raise InputError(f"folder must be a folder, got the file {root}")
        root.mkdir(parents=True, exist_ok=True)
        drawn = self.figures()
        return [path for name in drawn for path in save_figure(drawn[name], root / name)]

    def page(self) -> str:
        """Return a self-contained HTML page: no script, nothing that is loaded."""
        from fusiontheory.advice.page import render_page

        return render_page(self)

    def write_page(self, path: str | os.PathLike[str]) -> Path:
        """Write the page in one step.

        Raises:
            InputError: if the name does not end in .html, or cannot be written to.
        """
        target = Path(path)
        if target.suffix not in (".html", ".htm"):
            raise InputError(f"path must end in .html, got {target.name!r}")
        return write_atomically(target, self.page().encode())

    def _repr_html_(self) -> str:
        """Return the short form for notebooks."""
        from fusiontheory.advice.page import render_short

        return render_short(self)

    def __str__(self) -> str:
        """Return the summary of the terminal, without colours."""
        from fusiontheory.advice.terminal import summary_text

        return summary_text(self)


_PLAIN = (
    "task",
    "headline",
    "items",
    "target",
    "metric",
    "recommended",
    "verdict",
    "confidence",
    "recommendation",
    "settle",
    "changes",
    "notes",
)


def _rows(table: pd.DataFrame) -> list[list[Any]]:
    return [[_plain(value) for value in row] for row in table.itertuples(index=False)]


def _plain(value: Any) -> Any:
    """Return a value that JSON has: no NaN or infinity, no NumPy type."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
