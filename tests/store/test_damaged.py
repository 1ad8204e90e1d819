"""Damage of a store is found; records of the earlier form are taken over."""

from __future__ import annotations

import contextlib
import hashlib
import json
import pickle
import sqlite3
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import alter, assert_found, make_cell, make_rows, stored

from fusiontheory.checks import InputError
from fusiontheory.store import CorruptRecord, RecordStore


def test_written_once_holds_for_other_programs_too(store):
    store.write(make_cell(), make_rows())
    connection = sqlite3.connect(store.database)
    with contextlib.closing(connection), pytest.raises(sqlite3.IntegrityError, match="once"):
        connection.execute("UPDATE records SET rows = ''")


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("rows", lambda old: old.replace("0.0625", "0.0626")),
        ("rows", lambda old: old.replace("0.0625", "0.06250")),
        ("rows", lambda old: old.replace('"int64",[0,', '"double",[0,')),
        ("rows", lambda old: old.replace('"won"', '"lost"')),
        ("rows", lambda old: old[:-9]),
        ("rows", lambda old: ""),
        ("times", lambda old: '[[0,"seconds","double",[1.0,1.0,1.0]]]'),
        ("cell", lambda old: old.replace('"n": 16', '"n": 17')),
        ("cell", lambda old: old.replace("v1", "v2")),
        ("cell", lambda old: old[:10]),
        ("environment", lambda old: old.replace("numpy", "jax")),
        ("created", lambda old: "2000-01-01T00:00:00+00:00"),
        ("length", lambda old: 2),
        ("rows", lambda old: 3),
        ("seal", lambda old: b"0" * 32),
        ("content", lambda old: b"0" * 32),
    ],
)
def test_changes_are_found_and_set_aside(store, column, change):
    cell = make_cell()
    store.write(make_cell(1), make_rows())
    store.write(cell, make_rows())
    with contextlib.closing(sqlite3.connect(store.database)) as connection:
        query = f"SELECT {column} FROM records WHERE key = ?"
        [old] = connection.execute(query, (cell.key,)).fetchone()
    alter(store, cell, **{column: old})
    assert store.verify() == []
    assert change(old) != old
    alter(store, cell, **{column: change(old)})
    assert_found(store, cell)
    assert len(store.verify(set_aside=True)) == 1
    assert len(stored(store)[1]) == 1  # kept
    assert store.verify() == []
    assert store.missing([make_cell(1), cell]) == [cell]
    store.write(cell, make_rows())
    assert len(store.read("demo")) == 6


def test_renamed_records_are_found(store):
    store.write(make_cell(1), make_rows())
    one, two = make_cell(1), make_cell(2)
    alter(store, one, key=two.key)
    assert_found(store, two)
    with pytest.raises(CorruptRecord, match=f"it holds the cell demo/{one.key}"):
        store.missing([two])
    alter(store, two, study="other")
    with pytest.raises(CorruptRecord, match="demo/"):
        store.read("other")


def copied(store):
    """A closed database of 40 cells in two studies, and its table."""
    rows = [{"risk": k / 7, "note": "x" * 40} for k in range(3)]
    store.write_many((make_cell(n, study=s), rows) for n in range(20) for s in ("demo", "more"))
    return store.database.read_bytes(), {s: store.read(s) for s in ("demo", "more")}


@pytest.mark.parametrize("keep", [0, 1, 15, 100, 0.25, 0.5, 0.9, -4096, -8, -1])
def test_truncated_databases_are_found(store, keep):
    data, tables = copied(store)
    store.database.write_bytes(data[: int(keep * len(data)) if type(keep) is float else keep])
    for use in (
        lambda: store.read("demo"),
        lambda: store.missing([make_cell(n) for n in range(20)]),
        lambda: store.write(make_cell(30), make_rows()),
        store.check_writable,
        store.verify,
    ):
        with pytest.raises(CorruptRecord, match="rename it, take over what is intact") as caught:
            use()
        assert caught.value.path == store.database
    # What is intact can be taken over into a store of its own.
    fresh = RecordStore(store.root / "fresh")
    count, problems = fresh.import_folder(store.database)
    assert problems
    assert count < 40 if keep != -1 else count <= 40
    for study, table in tables.items():
        there = fresh.read(study, missing_ok=True)
        if len(there):
            expected = table[table["cell"].isin(there["cell"])].reset_index(drop=True)
            pd.testing.assert_frame_equal(there, expected)


def test_flipped_bytes_never_give_other_values(store):
    data, tables = copied(store)
    silent = 0
    for position in range(0, len(data), 211):
        altered = bytearray(data)
        altered[position] ^= 1 << (position % 8)
        store.database.write_bytes(altered)
        try:
            for study, table in tables.items():
                pd.testing.assert_frame_equal(store.read(study), table, check_exact=True)
            silent += not store.verify()
        except (CorruptRecord, InputError):
            pass
        for left in store.root.glob("records.sqlite-*"):
            left.unlink()
    assert silent < len(range(0, len(data), 211)) * 0.6  # bytes that hold nothing


def test_foreign_files_are_found(store, tmp_path):
    store.root.mkdir()
    for make in (
        lambda path: path.write_text("a text, long enough to be a header of a database" * 9),
        lambda path: pd.DataFrame({"a": [1]}).to_parquet(path),
        lambda path: sqlite3.connect(path).executescript("CREATE TABLE t (a); PRAGMA x;").close(),
    ):
        make(store.database)
        before = store.database.read_bytes()
        for use in (store.status, store.check_writable, lambda: store.read("demo")):
            with pytest.raises(CorruptRecord, match="database") as caught:
                use()
            assert caught.value.path == store.database
            assert "\n" not in str(caught.value)
        assert store.database.read_bytes() == before
        store.database.unlink()
    store.write(make_cell(), make_rows())
    with contextlib.closing(sqlite3.connect(store.database)) as connection:
        connection.execute("PRAGMA user_version = 9")
    with pytest.raises(InputError, match="later fusiontheory"):
        store.read("demo")


def test_verify_needs_records(store):
    with pytest.raises(InputError, match="records"):
        store.verify()
    store.write(make_cell(), make_rows())
    with pytest.raises(InputError, match="absent"):
        store.verify("absent")


def test_status_counts(store):
    with pytest.raises(InputError, match="records"):
        store.status()
    store.write_many((make_cell(n, code=c), make_rows()) for n in range(3) for c in "ab")
    store.write(make_cell(study="other"), make_rows())
    assert [(s.study, s.code, s.cells, s.rows) for s in store.status()] == [
        ("demo", "a", 3, 9),
        ("demo", "b", 3, 9),
        ("other", "v1", 1, 3),
    ]


def test_corrupt_record_crosses_processes():
    error = pickle.loads(pickle.dumps(CorruptRecord(Path("a/b"), "short")))
    assert (error.path, error.reason) == (Path("a/b"), "short")


# Taken over


def earlier_file(root, cell, rows, seal=True):
    """A record in the earlier form, one Parquet file."""

    def digest(value):
        text = json.dumps(value, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    table = pa.Table.from_pylist(rows)
    described = json.loads(cell.json)
    columns = [(f.name, str(f.type), table[f.name].to_pylist()) for f in table.schema]
    about = {
        "cell": described,
        "content": digest([described, columns]),
        "created": "2026-01-02T03:04:05+00:00",
        "environment": {"numpy": "1.26", "seconds": 2.5},
    }
    about["seal"] = digest(about) if seal else "0"
    path = root / cell.study / f"{cell.key}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {b"fusiontheory.record": json.dumps(about).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


def test_records_of_the_earlier_form_are_taken_over(store, tmp_path):
    old = tmp_path / "old"
    rows = [{"risk": 0.1, "won": True, "note": "ü", "seed": 2**60, "seconds": s} for s in (1.0, 2)]
    cells = [make_cell(n, dims=[2, 3], cap=None) for n in range(4)]
    paths = [earlier_file(old, cell, rows, seal=n != 3) for n, cell in enumerate(cells)]
    paths[2].write_bytes(paths[2].read_bytes()[:-9])
    foreign = old / "demo" / "table.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(foreign)
    renamed = paths[0].with_stem(make_cell(7).key)
    renamed.write_bytes(paths[0].read_bytes())
    other = earlier_file(old, make_cell(9), rows)
    store.write(make_cell(9), make_rows())
    count, problems = store.import_folder(old)
    assert count == 2
    assert {p.path for p in problems if isinstance(p, CorruptRecord)} == {
        *paths[2:],
        foreign,
        renamed,
    }
    [differs] = [str(p) for p in problems if not isinstance(p, CorruptRecord)]
    assert "rows differ" in differs
    assert other.stem in differs
    assert store.missing(cells) == cells[2:]
    about = store.metadata(cells[0])
    assert (about["created"], about["environment"]) == (
        "2026-01-02T03:04:05+00:00",
        {"numpy": "1.26", "seconds": 2.5},
    )
    table = store.read("demo", cells[:2])
    assert table[list(rows[0])].to_dict("records") == rows * 2
    assert store.import_folder(old)[0] == 0
    # A store of another machine is taken over alike.
    joined = RecordStore(tmp_path / "joined")
    assert joined.import_folder(store.root) == (3, [])
    pd.testing.assert_frame_equal(joined.read("demo", cells[:2]), table)
    with pytest.raises(InputError, match="source must be"):
        store.import_folder(tmp_path / "nowhere")
