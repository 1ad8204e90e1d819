"""Tables that are made from records: a smaller one does not take the place of a larger one unasked.

Records are of a version of the code. Where that has changed since, a command that reads records
alone finds few or none, and what it would write holds less than what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.store.files import write_atomically

__all__ = ["check_kept", "write_tables"]


@checked
def check_kept(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse tables that hold less than the files of their names.

    A table holds less if it has fewer rows, or fewer numbers in a column of numbers. A file that is
    there and cannot be read holds what nobody knows, and is not written over either.

    Args:
        folder: where they would be written.
        tables: by the names of their files, without ``.csv``; names of no file are not looked at.

    Raises:
        InputError: naming the first such table, and what it would lose.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_tables(folder, {"runs": pd.DataFrame({"n": [512, 1024]})})
        >>> check_kept(folder, {"runs": pd.DataFrame({"n": [512]})})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        fusiontheory.checks.InputError: tables must hold what ...runs.csv holds; 1 of its 2 rows ...
    """
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        if lost := _lost(path, table):
            raise InputError(
                f"tables must hold what {path} holds; {lost} would be lost, and nothing was"
                " written. Records of another version of the code do not count: make those that are"
                " missing, or name another folder; if the smaller table is wanted, say so (smaller)"
                " or move the old one away"
            )


@checked
def write_tables(
    folder: Path, tables: Mapping[str, pd.DataFrame], *, smaller: bool = False
) -> None:
    """Write each table as ``NAME.csv``, with six digits; refuse before any if one would lose rows.

    Args:
        folder: made if need be.
        tables: by the names of their files, without ``.csv``.
        smaller: whether tables may take the place of those that hold more (`check_kept`).

    Raises:
        InputError: as `check_kept` does, or if ``folder`` cannot be written to.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_tables(folder, {"runs": pd.DataFrame({"n": [512], "accuracy": [2 / 3]})})
        >>> (folder / "runs.csv").read_text().split()
        ['n,accuracy', '512,0.666667']
    """
    if not smaller:
        check_kept(folder, tables)
    for name, table in tables.items():
        text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_atomically(folder / f"{name}.csv", text.encode())


def _lost(path: Path, table: pd.DataFrame) -> str:
    """Say what the file has that the table has not; empty if that is nothing."""
    try:
        before = pd.read_csv(path)
    except (FileNotFoundError, pd.errors.EmptyDataError):  # no table is there
        return ""
    except (OSError, ValueError) as error:
        return f"what is there and cannot be read as a table ({type(error).__name__})"
    if len(table) < len(before):
        return f"{len(before) - len(table)} of its {len(before)} rows"
    for name in before.select_dtypes("number"):
        there = int(before[name].notna().sum())
        here = int(table[name].notna().sum()) if name in table else 0
        if here < there:
            return f"{there - here} of the {there} numbers in its column {name}"
    return ""
