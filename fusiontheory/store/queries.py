"""The queries of a record store: records by cell, one after another, added, set aside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fusiontheory.store.database import COLUMNS
from fusiontheory.store.sealed import SealedRecord

__all__ = ["add", "every", "indexed", "move_aside", "select"]

_KEYS_AT_ONCE = 500
_AS_TEXT = (0, 1, 2, 6, 7, 8, 9)  # of `SealedRecord`: text in the database


def select(
    connection: sqlite3.Connection, wanted: Sequence[tuple[bytes, bytes]]
) -> Iterator[SealedRecord]:
    """Yield the records of (study, key) that are there, unchecked."""
    keys: dict[bytes, list[str]] = {}
    for study, key in wanted:
        keys.setdefault(study, []).append(key.decode())
    for name, held in keys.items():
        for start in range(0, len(held), _KEYS_AT_ONCE):
            some = held[start : start + _KEYS_AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT {COLUMNS} FROM records WHERE study = ? AND key IN ({marks})"
            yield from map(SealedRecord._make, connection.execute(query, [name.decode(), *some]))


def every(
    connection: sqlite3.Connection, study: str | None = None
) -> Iterator[tuple[int, SealedRecord]]:
    """Yield the number and the record, unchecked, of all cells of a study, or of all."""
    # In the order of writing, which is that of the file; by the index each would be a jump.
    query = f"SELECT rowid, {COLUMNS} FROM records NOT INDEXED"
    given = () if study is None else (study,)
    rows = connection.execute(query + ("" if study is None else " WHERE study = ?"), given)
    return ((number, SealedRecord._make(rest)) for number, *rest in rows)


def indexed(connection: sqlite3.Connection, study: str) -> int:
    """Return how many cells of a study the index has: as many as there are, unless damaged."""
    query = "SELECT count(*) FROM records INDEXED BY records_by_cell WHERE study = ?"
    [count] = connection.execute(query, (study,)).fetchone()
    return int(count)


def add(connection: sqlite3.Connection, records: Iterable[SealedRecord]) -> None:
    """Insert records; none of their cells is there."""
    query = f"INSERT INTO records ({COLUMNS}) VALUES ({','.join('?' * 10)})"
    connection.executemany(query, map(_stored, records))


def move_aside(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Move the records of these numbers to the table of what was set aside."""
    for number in numbers:
        where = f"FROM records WHERE rowid = {int(number)}"
        connection.execute(f"INSERT INTO set_aside SELECT {COLUMNS} {where}")
        connection.execute(f"DELETE {where}")


def _stored(record: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(str(v, "utf-8") if k in _AS_TEXT else v for k, v in enumerate(record))
