"""Records of measurements: one file per cell, written once, read back as one tidy table.

A cell is one configuration, measured on one set of features by one version of the measuring code.
Its file ``root/study/key.parquet`` holds its rows and, in the metadata, the cell, the environment,
the time and two digests: ``content`` covers the cell and the rows, ``seal`` all of the metadata.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fusiontheory.checks import InputError
from fusiontheory.store.cells import (
    ADDED_COLUMNS,
    Cell,
    canonical_json,
    check_names,
    check_study,
    plain_json,
    sha256,
)
from fusiontheory.store.files import write_temporary

__all__ = ["Cell", "CorruptRecord", "RecordStore"]

_METADATA = b"fusiontheory.record"
_COLUMN_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
_NULLABLE_TYPES = {pa.bool_(): pd.BooleanDtype(), pa.int64(): pd.Int64Dtype()}
_STALE_SECONDS = 24 * 3600


class CorruptRecord(InputError):
    """A record file that is truncated, altered or misnamed; has its ``path`` and the ``reason``."""

    def __init__(self, path: Path, reason: str) -> None:
        """Keep both, as the arguments too so that the error crosses process borders."""
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        """Name the file and what to do."""
        return f"record {self.path} is corrupt ({self.reason}); delete it and run its cell again"


class RecordStore:
    """The record files under one folder, which the first write makes.

    A cell is written once and atomically, and nothing is overwritten; each read checks the digests.
    A run that measures ``store.missing(cells)`` resumes where an earlier one stopped. Call
    `check_writable` before work that takes long.

    Example:
        >>> import tempfile
        >>> store = RecordStore(tempfile.mkdtemp())
        >>> cells = [Cell("demo", {"n": n}, features="none", code="v1") for n in (16, 8)]
        >>> for cell in store.missing(cells):
        ...     rows = [{"seed": seed, "risk": seed / cell.config["n"]} for seed in (0, 1)]
        ...     path = store.write(cell, rows)
        >>> store.read("demo")[["n", "seed", "risk", "code"]]
            n  seed    risk code
        0   8     0  0.0000   v1
        1   8     1  0.1250   v1
        2  16     0  0.0000   v1
        3  16     1  0.0625   v1
        >>> store.missing(cells)
        []
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Name the folder; each study is a folder in it."""
        self.root = Path(root)

    def path(self, cell: Cell) -> Path:
        """Return the file of ``cell``, written or not."""
        return self.root / cell.study / f"{cell.key}.parquet"

    def __contains__(self, cell: object) -> bool:
        """Whether ``cell`` is written; a corrupt file raises `CorruptRecord`."""
        return isinstance(cell, Cell) and _load(self.path(cell)) is not None

    def check_writable(self) -> None:
        """Make the root and write to it; remove temporary files that killed runs left a day ago.

        Raises:
            InputError: if it cannot be made or written to.
        """
        with _named_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            write_temporary(self.root, b"").unlink()
            # No write takes a day, so no live process owns a file that old.
            for left in self.root.glob("**/.*.tmp"):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                        left.unlink()

    def write(
        self,
        cell: Cell,
        rows: pd.DataFrame | Sequence[Mapping[str, Any]],
        environment: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write ``cell`` and return its file; do nothing if it already holds the same rows.

        Args:
            cell: what was measured.
            rows: one or more rows of the same columns; each column holds bools, integers, floats
                (NaN is allowed) or strings, read back as bool, int64, float64 and strings.
            environment: what to note beside Python, machine and NumPy, such as device or torch.

        Raises:
            InputError: if the rows cannot be stored, a column has the name of a config entry, the
                cell is written with other rows (they are kept), or the folder is not writable.
            CorruptRecord: if the cell is written and its file is corrupt.
        """
        table = _table(cell, rows)
        about = {
            "cell": vars(cell),
            "content": _content(cell, table),
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "environment": {
                "python": platform.python_version(),
                "machine": platform.machine(),
                "numpy": np.__version__,
                **{k: plain_json(f"environment[{k!r}]", v) for k, v in (environment or {}).items()},
            },
        }
        path = self.path(cell)
        if _load(path) is None:
            with _named_errors(self.root):
                path.parent.mkdir(parents=True, exist_ok=True)
                _publish(path, _parquet(table, about))
        # One check for all cases: written now, before, or by another process meanwhile.
        if self.metadata(cell)["content"] != about["content"]:
            raise InputError(
                f"rows differ from those that {path} already holds; "
                "give the cell another code version, or delete the file to measure it again"
            )
        return path

    def missing(self, cells: Iterable[Cell]) -> list[Cell]:
        """Return the cells still to measure, each once, in the given order.

        Raises:
            CorruptRecord: if the file of one of the others is corrupt.
        """
        return [cell for cell in dict.fromkeys(cells) if cell not in self]

    def metadata(self, cell: Cell) -> dict[str, Any]:
        """Return what is noted beside the rows: ``environment``, ``created`` and the digests.

        Raises:
            InputError: if the cell is not written.
            CorruptRecord: if its file is corrupt.
        """
        record = _load(self.path(cell))
        if record is None:
            raise InputError(f"cell {cell} is missing in {self.root}; run it first")
        return record.about

    def read(
        self, study: str, cells: Iterable[Cell] | None = None, *, missing_ok: bool = False
    ) -> pd.DataFrame:
        """Return the rows of all cells of a study, or of ``cells``, as one table.

        The columns are the config entries, the row columns, ``features``, ``code`` and ``cell``
        (the key). Cells are sorted by config, then features and code; their rows stay in order.
        Where only some cells have a column, integers and bools become the nullable pandas types.

        Args:
            study: the study.
            cells: restrict to these.
            missing_ok: return what there is instead of raising if cells are missing.

        Raises:
            InputError: if cells are missing or of another study, or do not fit in one table.
            CorruptRecord: if a file is corrupt.
        """
        folder = self.root / check_study(study)
        if cells is None:
            names = {path: str(path) for path in folder.glob("*.parquet")}
        else:
            names = {self.path(cell): str(cell) for cell in cells}
        if any(path.parent != folder for path in names):
            raise InputError(f"cells must all be of study {study!r}")
        records = {path: record for path in names if (record := _load(path))}
        lost = [name for path, name in names.items() if path not in records]
        if (lost or not names) and not missing_ok:
            what = "; ".join(lost[:3]) if lost else f"all of study {study!r}"
            more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
            raise InputError(f"cells missing in {self.root}: {what}{more}; run them first")
        return _tidy(sorted(records.values(), key=_order))

    def verify(self, study: str | None = None) -> list[CorruptRecord]:
        """Return one problem per corrupt file of a study, or of all; empty if all are intact.

        Raises:
            InputError: if there is no such study, or no root.
        """
        folder = self.root if study is None else self.root / check_study(study)
        if not folder.is_dir():
            raise InputError(f"study to verify must be a folder with records, got {folder}")
        problems = []
        for path in sorted(folder.glob("*/*.parquet" if study is None else "*.parquet")):
            try:
                _load(path)
            except CorruptRecord as problem:
                problems.append(problem)
        return problems


class _Record(NamedTuple):
    cell: Cell
    about: dict[str, Any]
    table: pa.Table


def _content(cell: Cell, table: pa.Table) -> str:
    # JSON keeps every float exactly, and tells the types and null apart.
    columns = [(f.name, str(f.type), table[f.name].to_pylist()) for f in table.schema]
    return sha256([vars(cell), columns])


def _table(cell: Cell, rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> pa.Table:
    if isinstance(rows, pd.DataFrame):
        if not rows.columns.is_unique:
            raise InputError(f"rows must have distinct columns, got {list(rows.columns)}")
        columns = {name: rows[name].tolist() for name in rows.columns}
    else:
        names = list(rows[0]) if len(rows) else []
        for i, row in enumerate(rows):
            if row.keys() != set(names):
                raise InputError(f"rows[{i}] must have the columns {names}, got {list(row)}")
        columns = {name: [row[name] for row in rows] for name in names}
    if not columns or not len(rows):
        raise InputError("rows must hold at least one row and one column, got none")
    check_names("rows", columns)
    clash = sorted(columns.keys() & cell.config.keys())
    if clash:
        raise InputError(f"rows must not have columns that config names too, got {clash}")
    arrays = {}
    for name, values in columns.items():
        plain = [value.item() if isinstance(value, np.generic) else value for value in values]
        array = _array(plain)
        if array is None or array.null_count:
            got = " and ".join(sorted({type(value).__name__ for value in plain}))
            rule = "all bools, all 64-bit integers, all floats or all strings"
            raise InputError(f"rows column {name!r} must hold {rule}, got {got}")
        arrays[name] = array
    return pa.table(arrays)


def _array(values: list[Any]) -> pa.Array | None:
    """Return a column of one of the four types, with None as null; None if there is no such."""
    kinds = {type(value) for value in values if value is not None}
    kind = float if kinds == {int, float} else kinds.pop() if len(kinds) == 1 else None
    try:
        return pa.array(values, _COLUMN_TYPES[kind]) if kind in _COLUMN_TYPES else None
    except (ValueError, OverflowError):  # an integer or a string that the type cannot hold
        return None


def _parquet(table: pa.Table, about: Mapping[str, Any]) -> bytes:
    sink = pa.BufferOutputStream()
    sealed = canonical_json({**about, "seal": sha256(about)})
    table = table.replace_schema_metadata({_METADATA: sealed})
    pq.write_table(table, sink, write_statistics=False)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _load(path: Path) -> _Record | None:
    """Return the checked record at ``path``, or None if there is no such file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"root: cannot read {path}: {error.strerror}; correct the path") from error
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        about = json.loads(file.metadata.metadata[_METADATA])
        seal = about.pop("seal")
        cell = Cell(**about["cell"])
        table = file.read(use_threads=False)
        intact = seal == sha256(about) and about["content"] == _content(cell, table)
    except Exception as error:  # damaged bytes make pyarrow raise almost anything
        detail = " ".join(str(error).split())[:80]
        raise CorruptRecord(path, f"unreadable, {type(error).__name__}: {detail}") from error
    if not intact:
        raise CorruptRecord(path, "its content does not match its digest")
    if (cell.study, cell.key) != (path.parent.name, path.stem):
        raise CorruptRecord(path, f"it holds the cell {cell.study}/{cell.key}")
    return _Record(cell, about, table)


def _publish(path: Path, data: bytes) -> None:
    """Give ``data`` the name ``path`` in one step, unless another process was first."""
    temporary = write_temporary(path.parent, data)
    try:
        os.link(temporary, path)  # unlike a rename, it never replaces
    except FileExistsError:
        pass
    except OSError:
        temporary.replace(path)  # file systems without hard links
    finally:
        temporary.unlink(missing_ok=True)
    if hasattr(os, "O_DIRECTORY"):  # elsewhere folders cannot be synced
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def _named_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"root: cannot write to {root}: {error.strerror}"
        raise InputError(f"{what}; choose a folder that is writable and has space") from error


def _order(record: _Record) -> tuple[Any, ...]:
    cell = record.cell
    config = tuple((name, _rank(value)) for name, value in sorted(cell.config.items()))
    return (config, cell.features, cell.code, cell.key)  # the key tells 1 from 1.0 and True


def _rank(value: Any) -> tuple[Any, ...]:
    """Make values of all types comparable, numbers as numbers."""
    if isinstance(value, tuple):
        return (3, *map(_rank, value))
    if isinstance(value, str):
        return (2, value)
    return (0,) if value is None else (1, value)


def _tidy(records: list[_Record]) -> pd.DataFrame:
    cells = [record.cell for record in records]
    tables = [record.table.replace_schema_metadata(None) for record in records] or [pa.table({})]
    try:
        rows = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(f"cells must not mix types in a row column: {error}") from error
    names = sorted({name for cell in cells for name in cell.config})
    clash = sorted({*names} & {*rows.column_names})
    if clash:
        raise InputError(f"cells must not use a name for config and for rows, got {clash}")
    per_cell = pd.DataFrame(
        {
            **{name: _series([cell.config.get(name) for cell in cells]) for name in names},
            "features": _series([cell.features for cell in cells]),
            "code": _series([cell.code for cell in cells]),
            "cell": _series([cell.key for cell in cells]),
        }
    )
    lengths = np.array([len(record.table) for record in records], dtype=int)
    repeated = per_cell.take(np.repeat(np.arange(len(records)), lengths)).reset_index(drop=True)
    measured = pd.DataFrame({name: _pandas(rows[name]) for name in rows.column_names})
    return pd.concat([repeated[names], measured, repeated[ADDED_COLUMNS]], axis=1)


def _series(values: list[Any]) -> pd.Series[Any]:
    array = _array(values)  # lists and mixed types stay Python objects
    return pd.Series(values, dtype=object) if array is None else _pandas(array)


def _pandas(column: pa.Array | pa.ChunkedArray) -> pd.Series[Any]:
    # By default pandas turns integers with gaps into floats, which are not exact.
    types_mapper = _NULLABLE_TYPES.get if column.null_count else None
    series: pd.Series[Any] = column.to_pandas(types_mapper=types_mapper)
    return series
