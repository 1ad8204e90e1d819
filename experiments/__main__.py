"""``python -m experiments``: which code made the stored tables of each study.

A seal's code is held against the code that would make the table now. Old does not mean wrong: what
changed may leave every number alone. It means that nobody has looked since.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pandas as pd

from experiments.study import Study

__all__ = ["origins", "studies"]


def studies() -> Iterator[Study]:
    """Yield the studies that the harness runs, by name."""
    for path in sorted(Path(__file__).parent.glob("*/__main__.py")):
        found = vars(import_module(f"experiments.{path.parent.name}.__main__")).get("STUDY")
        if isinstance(found, Study):
            yield found


def origins() -> pd.DataFrame:
    """Return a row for each seal: columns study, seal, written, code and state (current or old)."""
    rows = [
        (study.name, seal, facts["written"], facts["code"], now)
        for study in studies()
        for seal, facts, now in study.seals()
    ]
    table = pd.DataFrame(rows, columns=["study", "seal", "written", "code", "now"])
    state = (table["code"] == table.pop("now")).map({True: "current", False: "old"})
    return table.assign(state=state)


if __name__ == "__main__":
    print(origins().to_string(index=False))
