"""Cells, rows and what a store of them holds, for the tests of the store."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from fusiontheory.store import Cell, CorruptRecord


def make_cell(n=16, study="demo", code="v1", **config):
    return Cell(study, {"n": n, **config}, features="f00", code=code)


def make_rows(n=16):
    return [{"seed": s, "risk": 0.1 * s + 1 / n, "head": f"h{s}", "won": s > 0} for s in range(3)]


def stored(store):
    """Everything in the database, as it is."""
    with contextlib.closing(sqlite3.connect(store.database)) as connection:
        tables = [connection.execute(f"SELECT * FROM {t}") for t in ("records", "set_aside")]
        return [rows.fetchall() for rows in tables]


def alter(store, record, /, **changes):
    """Change a record as another program would, with a sound database."""
    with contextlib.closing(sqlite3.connect(store.database)) as connection, connection:
        connection.execute("DROP TRIGGER IF EXISTS written_once")
        for name, value in changes.items():
            digest = name in ("seal", "content")
            text = value.decode() if isinstance(value, bytes) and not digest else value
            query = f"UPDATE records SET {name} = ? WHERE key = ?"
            connection.execute(query, (text, record.key))


def assert_found(store, cell, path=None):
    path = path or store.path(cell)
    for use in (
        lambda: store.read("demo"),
        lambda: store.missing([cell]),
        lambda: store.metadata(cell),
        lambda: store.write(cell, make_rows()),
    ):
        with pytest.raises(CorruptRecord, match=r"verify --set-aside .* run its cell") as caught:
            use()
        assert caught.value.path == path
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert [problem.path for problem in store.verify()] == [path]
    assert [problem.path for problem in store.verify("demo")] == [path]
