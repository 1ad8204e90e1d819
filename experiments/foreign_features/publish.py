"""Give the study's results to the library and its page, from the sealed tables.

``python -m experiments.foreign_features.publish`` writes `fusiontheory/moments/calibration.json`
and the tables of ``docs/validity.md`` between its markers. What is asked and found stands there for
`experiments.unseen_features`, too.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.foreign_features.__main__ import STUDY
from experiments.foreign_features.calibrate import CALIBRATION, stored
from experiments.foreign_features.summary import (
    before_and_after,
    by_diagnosis,
    by_population,
    judged_cells,
    targets,
)
from experiments.side_tables import arguments
from experiments.unseen_features import stored_cells
from fusiontheory.store import write_atomically

__all__ = ["PAGE", "main", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "validity.md"


def page(text: str) -> str:
    """Return the page with the tables of what is stored."""
    tables = STUDY.tables()
    table = judged_cells(tables)
    old = pd.read_csv(min(Path(__file__).parent.glob("predictions-until-*.csv")))
    shown = {
        "targets": (_beside_unseen(targets(table)), 1),
        "kinds": (before_and_after(old, table, tables), 1),
        "populations": (by_population(table), 1),
        "ranges": (by_diagnosis(), 3),
    }
    for name, (frame, digits) in shown.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        parts = re.split(f"{re.escape(begin)}.*?{re.escape(end)}", text, flags=re.DOTALL)
        text = f"{begin}\n{_markdown(frame, digits)}\n{end}".join(parts)
    return text


def _beside_unseen(found: pd.DataFrame) -> pd.DataFrame:
    """Return the targets with what was found on populations that no calibration was made with."""
    unseen = targets(stored_cells())
    return found.merge(unseen.drop(columns="asked"), on="what", suffixes=("", " on unseen ones"))


def _markdown(frame: pd.DataFrame, digits: int) -> str:
    def cell(value: object) -> str:
        if isinstance(value, float):
            return "" if np.isnan(value) else f"{value:.{digits}f}"
        return str(value)

    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|---" * len(frame.columns) + "|"]
    for row in frame.itertuples(index=False):
        lines.append("| " + " | ".join(cell(value) for value in row) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write both."""
    write_atomically(CALIBRATION, stored(STUDY.tables()).encode())
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())


if __name__ == "__main__":
    arguments(__doc__)
    main()
