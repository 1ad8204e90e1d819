"""Write the tables of ``docs/trial.md`` between its markers, from the sealed tables.

``python -m experiments.own_trials.publish``
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from experiments.own_trials.__main__ import STUDY
from experiments.own_trials.summary import by_kind, by_part, compared, seconds
from experiments.side_tables import arguments
from fusiontheory.store import write_atomically

__all__ = ["PAGE", "main", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "trial.md"


def page(text: str) -> str:
    """Return the page with the tables of what is stored."""
    found = compared(STUDY.tables())
    shown = {
        "parts": by_part(found),
        "kinds": by_kind(found),
        "seconds": seconds(found),
    }
    for name, frame in shown.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pieces = re.split(f"{begin}.*?{end}", text, flags=re.DOTALL)
        text = f"{begin}\n{_markdown(frame)}\n{end}".join(pieces)
    return text


def _markdown(frame: pd.DataFrame) -> str:
    lines = ["| " + " | ".join(map(str, frame.columns)) + " |", "|---" * len(frame.columns) + "|"]
    for row in frame.itertuples(index=False):
        cells = (f"{x:.1f}" if isinstance(x, float) else str(x) for x in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write them."""
    write_atomically(PAGE, page(PAGE.read_text(encoding="utf-8")).encode())


if __name__ == "__main__":
    arguments(__doc__)
    main()
