"""The result of a simulation: a folder of one grid, and one tidy table of all its runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.simulate.grid import SimulationGrid
from fusiontheory.store import read_bytes, unreadable, write_atomically

__all__ = ["claim_folder", "differences", "extends", "read_table", "write_table"]

_METADATA = b"fusiontheory.grid"
_GRID = "grid.json"


def claim_folder(grid: SimulationGrid, folder: Path) -> None:
    """Note in ``folder`` which grid its results are of; a grid that extends the one there may.

    Raises:
        InputError: if it already holds those of another one; the message says what differs.

    Example:
        >>> import tempfile
        >>> grid = SimulationGrid.of({"pairs.d_v": 2, "pairs.d_t": 2}, {}, heads=["additive"],
        ...     n=[8], seeds=2, ridges=[0.1])
        >>> claim_folder(grid, Path(tempfile.mkdtemp()))
    """
    wanted = json.loads(_text(grid))
    path = folder / _GRID
    if path.exists():
        try:
            held = json.loads(read_bytes(path))
        except (ValueError, RecursionError) as error:
            raise unreadable(path, error) from error
        configs = held.get("configs") if isinstance(held, dict) else None
        if not isinstance(configs, list) or not all(isinstance(one, dict) for one in configs):
            raise unreadable(path, TypeError("no description of a grid"))
        _refuse_other(held, wanted, f"folder {folder}", extended=True)
        if held == wanted:
            return
    write_atomically(path, _text(grid).encode())


@checked
def differences(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return what differs between two descriptions of grids, a line for each setting.

    Example:
        >>> differences({"n": [8], "configs": []}, {"n": [8, 16], "configs": []})
        ['n is [8] there and [8, 16] here']
    """
    lines = []
    for name in sorted((held.keys() | wanted.keys()) - {"configs"}):
        lines += _line(name, held.get(name), wanted.get(name))
    before, now = held.get("configs", []), wanted.get("configs", [])
    for name in sorted({name for config in [*before, *now] for name in config}):
        lines += _line(name, _values(before, name), _values(now, name))
    if not lines and before != now:
        lines.append("configs: the same values of settings are combined in another way")
    return lines


def write_table(grid: SimulationGrid, table: pd.DataFrame, path: Path) -> Path:
    """Write the table as parquet, with the grid in its metadata; return the path.

    Raises:
        InputError: if the path holds a table of another grid, or cannot be written to.
    """
    if path.exists():
        read_table(path, grid, extended=True)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata(
        {**(arrow.schema.metadata or {}), _METADATA: _text(grid).encode()}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(arrow, sink)
    return write_atomically(path, sink.getvalue().to_pybytes())


@checked
def read_table(
    path: Path, grid: SimulationGrid | None = None, extended: bool = False
) -> pd.DataFrame:
    """Read a table of a simulation.

    Args:
        path: the parquet file.
        grid: refuse a table of any other grid; None takes all.
        extended: take one of a grid that ``grid`` extends, too.

    Raises:
        InputError: if it cannot be read, is no such table, or one of another grid.
    """
    try:
        table = pq.read_table(pa.BufferReader(read_bytes(Path(path))))
        held = json.loads(table.schema.metadata[_METADATA])
    except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise unreadable(Path(path), error) from error
    if grid is not None:
        _refuse_other(held, json.loads(_text(grid)), f"path {path}", extended)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def extends(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a grid only adds seeds or heads to another, so that all its cells are kept.

    Other sizes, ridges or targets change cells, which hold them all.

    >>> extends({"seeds": [0, 1], "n": [8]}, {"seeds": [0, 1, 2], "n": [8]})
    True
    >>> extends({"seeds": [0, 1], "n": [8]}, {"seeds": [0], "n": [8]})
    False
    """
    added = {"seeds", "heads"}
    heads = held.get("heads")
    if not (isinstance(heads, list) and "low-rank" in heads):
        added.add("rank")  # which only that head has
    if {k: v for k, v in held.items() if k not in added} != {
        k: v for k, v in wanted.items() if k not in added
    }:
        return False
    lists = [(held.get(name) or [], wanted.get(name) or []) for name in ("seeds", "heads")]
    return all(isinstance(old, list) and all(v in new for v in old) for old, new in lists)


def _refuse_other(
    held: Mapping[str, Any], wanted: Mapping[str, Any], where: str, extended: bool = False
) -> None:
    lines = [] if extended and extends(held, wanted) else differences(held, wanted)
    if lines:
        more = f" and {len(lines) - 5} more" if len(lines) > 5 else ""
        raise InputError(
            f"{where} holds results of another configuration: {'; '.join(lines[:5])}{more};"
            " choose another folder, or delete what is there"
        )


def _text(grid: SimulationGrid) -> str:
    return json.dumps(grid.describe(), sort_keys=True)


def _values(configs: list[Any], name: str) -> list[Any]:
    """Return the distinct values of a setting, in order."""
    texts = dict.fromkeys(json.dumps(config.get(name), default=repr) for config in configs)
    return [json.loads(text) for text in texts]


def _line(name: str, held: Any, wanted: Any) -> list[str]:
    return [] if held == wanted else [f"{name} is {_short(held)} there and {_short(wanted)} here"]


def _short(value: Any) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 80 else f"{text[:77]}..."
