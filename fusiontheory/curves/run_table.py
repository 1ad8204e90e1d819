"""A table of a person's own runs, as people write it: columns head, n, accuracy, and seed."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked, short
from fusiontheory.heads import find_head

__all__ = ["checked_runs", "read_runs"]

_NEEDED = ("head", "n", "accuracy")
_NOT_TEXT = (".json", ".jsonl", ".npz", ".npy", ".xlsx", ".xls", ".pkl", ".pt", ".parquet")
# Runs of several of these are not one curve; of the others, several at one n are not one point.
_ONE_OF = ("setting", "condition", "sigma", "side", "features", "dataset", "encoder", "threshold")
_ONE_A_POINT = ("learning_rate", "weight_decay", "init_scale", "batch_size", "optimiser", "level")


@checked
def read_runs(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a CSV file of runs, whose columns commas, semicolons or tabs separate.

    A column for each head beside ``n`` is read too, and so are accuracies such as ``71.2%``.

    Raises:
        InputError: if it cannot be read, or as `compare` does for its columns.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "runs.csv"
    >>> _ = path.write_text("head,n,accuracy\\nbilinear,256,0.8\\n")
    >>> read_runs(path)["accuracy"].tolist()
    [0.8]
    """
    if Path(path).suffix.lower() in _NOT_TEXT:
        raise InputError(
            f"runs must be a CSV file with the columns {', '.join(_NEEDED)} and, if there are,"
            f" seed, a row for each run, got {Path(path).name}; save it as CSV"
        )
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            first = next((line for line in file if line.strip() and line[0] != "#"), "")
        separator = max(",;\t", key=first.count)
        table = pd.read_csv(path, sep=separator, skipinitialspace=True, comment="#")
        if separator != "," and "accuracy" in table and table["accuracy"].dtype.kind not in "fi":
            table = pd.read_csv(
                path, sep=separator, skipinitialspace=True, comment="#", decimal=","
            )
    except (OSError, ValueError, UnicodeError) as error:
        raise InputError(
            f"runs must be a CSV file with the columns {', '.join(_NEEDED)} and, if there are,"
            f" seed; {Path(path).name} cannot be read ({type(error).__name__})"
        ) from error
    return checked_runs(table, f" in {Path(path).name}")


def checked_runs(runs: pd.DataFrame, where: str = "") -> pd.DataFrame:
    """Return the columns head, n, accuracy, and seed if there are, of runs of one setting.

    Args:
        runs: as they were read.
        where: " in FILE", for errors.

    Raises:
        InputError: as `compare` does.
    """
    runs = _long(_named(runs))
    missing = [column for column in _NEEDED if column not in runs]
    if missing:
        raise InputError(
            f"runs must have the columns {', '.join(_NEEDED)}, and seed if there are, a row for"
            f" each run, got {', '.join(map(str, runs.columns))}{where}; {', '.join(missing)} not"
            " there: rename the columns that mean them"
        )
    if runs.empty:
        raise InputError(f"runs must have at least one row, got none{where}")
    _check_one_setting(runs, where)
    kept = [*_NEEDED, *(["seed"] if "seed" in runs else [])]
    table = runs[kept].reset_index(drop=True)
    if table["accuracy"].dtype == bool:
        raise InputError(
            "runs must have accuracies, means over test items from 0 to 1, got true and false"
            f"{where}"
        )
    table["accuracy"] = _of_per_cents(table["accuracy"], where)
    for column in ("n", "accuracy"):
        table[column] = _numbers(table[column], where)
    few = table.index[table["n"] < 1]
    if len(few):
        raise InputError(
            f"runs must have numbers of training pairs as n, got {table['n'][few[0]]:g} in row"
            f" {few[0]}{where}; multiply shares by the number of all pairs"
        )
    outside = table.index[(table["accuracy"] < 0) | (table["accuracy"] > 1)]
    if len(outside):
        value = table["accuracy"][outside[0]]
        raise InputError(
            f"runs must have accuracies from 0 to 1, got {value:g} in row {outside[0]}{where}"
            f" ({len(outside)} such rows); divide per cents by 100"
        )
    # A head that this library has goes by its one name; others are people's own.
    table["head"] = [_name(str(head).strip()) for head in table["head"]]
    if "seed" in table:
        known = table[table["seed"].notna()]
        twice = known[known.duplicated(["head", "n", "seed"])]
        if len(twice):
            head, n, _, seed = twice.iloc[0][["head", "n", "accuracy", "seed"]]
            raise InputError(
                f"runs must have each run once, got {head}, n = {n:g}, seed {seed} again{where};"
                " leave one of the two out, or give them seeds of their own"
            )
    return table


def _check_one_setting(runs: pd.DataFrame, where: str) -> None:
    for name in (*_ONE_OF, *_ONE_A_POINT):
        if name not in runs:
            continue
        values, place = runs[name], ""
        # An empty entry is another setting than a name, which says nothing of it.
        mixed = values.nunique(dropna=False) > 1
        if name in _ONE_A_POINT:
            points = [runs["head"].astype(str), runs["n"].astype(str)]
            place = " at each head and n"
            mixed = bool((values.groupby(points).nunique(dropna=False) > 1).any())
        if mixed:
            names = ", ".join(
                sorted({"(empty)" if x != x or x is None else str(x) for x in values})
            )
            raise InputError(
                f"runs must be of one {name}{place}, got {names}{where}; take the runs of each"
                " apart"
            )


def _named(runs: pd.DataFrame) -> pd.DataFrame:
    """Return runs whose columns have small letters, where a name is known so and not as it is."""
    known = (*_NEEDED, "seed", *_ONE_OF, *_ONE_A_POINT)
    small = {column: str(column).strip().lower() for column in runs.columns}
    names = {k: v for k, v in small.items() if v in known and v not in runs.columns}
    return runs.rename(columns=names) if len(set(names.values())) == len(names) else runs


def _long(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each run, of a table with a column for each head."""
    beside = [column for column in ("n", "seed") if column in runs]
    heads = [column for column in runs.columns if column not in beside]
    if "n" not in beside or not heads or not all(_is_head(str(head)) for head in heads):
        return runs
    long = runs.melt(beside, heads, "head", "accuracy").dropna(subset="accuracy")
    return long.reset_index(drop=True)


def _of_per_cents(values: pd.Series, where: str) -> pd.Series:
    """Return fractions, where every accuracy has a sign of per cent."""
    texts = values.astype(str).str.strip()
    if not texts.str.endswith("%").all():
        return values
    warnings.warn(f"accuracies are in per cent{where}, and read as fractions", stacklevel=4)
    numbers = pd.to_numeric(texts.str.rstrip("% "), errors="coerce")
    return values.where(numbers.isna(), numbers / 100)


def _numbers(values: pd.Series, where: str) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = np.flatnonzero(~np.isfinite(numbers.to_numpy(float)))
    if wrong.size:
        row = int(wrong[0])
        fraction = "; write accuracies as fractions, 0.71" * (values.name == "accuracy")
        raise InputError(
            f"runs must have a number as {values.name} in every row, got {short(values[row])}"
            f" in row {row}{where} ({wrong.size} such rows){fraction}"
        )
    return numbers


def _name(head: str) -> str:
    try:
        return find_head(head).name
    except InputError:
        return head


def _is_head(name: str) -> bool:
    try:
        find_head(name.strip())
    except InputError:
        return False
    return True
