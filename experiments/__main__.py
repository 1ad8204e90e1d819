"""``python -m experiments``: which code made the stored tables of each study.

A seal's code is held against the code that would make the table now, and so is that of each table
beside the sealed ones (`experiments.side_tables`). Old does not mean wrong: what changed may leave
every number alone. ``--again [NAME ...]`` finds out for what is sealed (`experiments.again`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import pandas as pd

from experiments.again import again, confirmed
from experiments.side_tables import side_tables
from experiments.study import BEFORE, Study

__all__ = ["main", "origins", "studies"]


def studies() -> Iterator[Study]:
    """Yield the studies that the harness runs, by name."""
    for path in sorted(Path(__file__).parent.glob("*/__main__.py")):
        found = vars(import_module(f"experiments.{path.parent.name}.__main__")).get("STUDY")
        if isinstance(found, Study):
            yield found


def origins() -> pd.DataFrame:
    """Return a row for each seal and side table: columns study, seal, written, code and state.

    The state is current; or the same, where code of now made the same tables again; or sealed
    first, for a prediction of older code from before the measurement, which stays what it was; or
    old; or kept, for a side table of code that is gone.
    """
    rows = []
    for study in studies():
        for seal, facts, now in study.seals():
            state = "old"
            if facts["code"] == now:
                state = "current"
            elif confirmed(study.name, seal, facts["tables"]) == now:
                state = "the same"
            elif facts.get("order") == BEFORE:
                state = "sealed first"
            rows.append((study.name, seal, facts["written"], facts["code"], state))
        for table, facts, now in side_tables(study.place):
            state = "kept" if not now else "current" if facts["code"] == now else "old"
            rows.append((study.name, table, facts["written"], facts["code"], state))
    return pd.DataFrame(rows, columns=["study", "seal", "written", "code", "state"])


def main(arguments: Sequence[str] | None = None) -> None:
    """List the seals, or run studies anew beside their tables and say what moved."""
    parser = argparse.ArgumentParser("experiments", description=__doc__)
    parser.add_argument(
        "--again", nargs="*", metavar="NAME", help="run these studies, or all, and say what moved"
    )
    parser.add_argument(
        "--only",
        choices=("predictions", "results"),
        default="",
        help="with --again: predict and do not measure, or measure beside the stored prediction",
    )
    given = parser.parse_args(arguments)
    names = given.again
    if given.only and names is None:
        parser.error("--only goes with --again")
    if names is None:
        print(origins().to_string(index=False))
        return
    known = {study.name: study for study in studies()}
    unknown = sorted({*names} - {*known})
    if unknown:
        parser.error(f"NAME must be among {', '.join(known)}, got {unknown[0]}")
    for name in names or known:
        for line in again(known[name], only=given.only):
            print(line, flush=True)


if __name__ == "__main__":
    main()
