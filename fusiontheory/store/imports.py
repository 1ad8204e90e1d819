"""Records from elsewhere: Parquet files of the earlier form, other stores, damaged databases.

The earlier form is one file a cell, ``study/key.parquet``, with the cell, the environment and the
digests in its metadata. They are checked as they were sealed, and sealed anew.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fusiontheory.checks import InputError
from fusiontheory.store.cells import Cell, canonical_json
from fusiontheory.store.database import COLUMNS
from fusiontheory.store.sealed import CorruptRecord, SealedRecord, sealed

__all__ = ["read_record_file", "records_of"]

_METADATA = b"fusiontheory.record"


def records_of(source: Path) -> Iterator[SealedRecord | CorruptRecord]:
    """Yield the intact records of a folder or a database, and a problem for each other one.

    Args:
        source: a folder with record files, or with ``records.sqlite``, or both; or such a
            database, damaged or not.

    Raises:
        InputError: if there is neither.

    >>> next(records_of(Path("nowhere")))
    Traceback (most recent call last):
    fusiontheory.checks.InputError: source must be a folder of records or their database, got \
nowhere
    """
    database = source / "records.sqlite" if source.is_dir() else source
    files = sorted(source.glob("*/*.parquet")) if source.is_dir() else []
    if not files and not database.is_file():
        raise InputError(f"source must be a folder of records or their database, got {source}")
    for path in files:
        try:
            yield read_record_file(path)
        except CorruptRecord as problem:
            yield problem
    if database.is_file():
        yield from _of_database(database)


def read_record_file(path: Path) -> SealedRecord:
    """Return the record of a Parquet file of the earlier form, sealed anew.

    Raises:
        CorruptRecord: if it is truncated, altered, misnamed or no record.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(path.read_bytes()))
        about = json.loads(file.metadata.metadata[_METADATA])
        seal = about.pop("seal")
        cell = Cell(**about["cell"])
        table = file.read(use_threads=False)
        columns = [(f.name, str(f.type), table[f.name].to_pylist()) for f in table.schema]
        content = _sha256([about["cell"], columns])
        intact = seal == _sha256(about) and content == about["content"]
        rows = table.to_pylist()
    except Exception as error:  # damaged bytes make pyarrow raise almost anything
        detail = " ".join(str(error).split())[:80]
        raise CorruptRecord(path, f"unreadable, {type(error).__name__}: {detail}") from error
    if not intact:
        raise CorruptRecord(path, "its content does not match its digest")
    if (cell.study, cell.key) != (path.parent.name, path.stem):
        raise CorruptRecord(path, f"it holds the cell {cell.study}/{cell.key}")
    return sealed(cell, rows, about["environment"], created=about["created"])


def _of_database(path: Path) -> Iterator[SealedRecord | CorruptRecord]:
    """Read row by row, so that a damaged page costs the rows on it alone."""
    query = f"SELECT {COLUMNS} FROM records NOT INDEXED"
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        yield CorruptRecord(path, str(error))
        return
    try:
        connection.text_factory = bytes
        last, problem = 0, None
        try:
            numbers = connection.execute("SELECT max(rowid) FROM records").fetchone()
            last = int(numbers[0] or 0)
        except sqlite3.Error as error:
            problem = CorruptRecord(path, str(error))
        for number in range(1, last + 1):
            try:
                row = connection.execute(f"{query} WHERE rowid = ?", (number,)).fetchone()
                if row is not None:
                    yield SealedRecord._make(row).checked(path)
            except CorruptRecord as found:
                yield found
            except sqlite3.Error as error:
                problem = CorruptRecord(path, f"row {number} and maybe others: {error}")
        if problem is not None:
            yield problem
    finally:
        connection.close()


def _sha256(value: object) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()
