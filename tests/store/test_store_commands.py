"""``fusiontheory store``: status, verify, export, import."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pandas as pd
import pytest
from typer.testing import CliRunner

from fusiontheory.cli import app
from fusiontheory.store import Cell, RecordStore


def run(*arguments):
    result = CliRunner().invoke(app, ["store", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def store(tmp_path):
    store = RecordStore(tmp_path / "out" / "records")
    cells = [Cell("demo", {"n": n, "dims": [n, 2]}, "f", code) for n in (8, 16) for code in "ab"]
    store.write_many(
        (cell, [{"risk": 0.1, "won": True}, {"risk": 1, "won": False}]) for cell in cells
    )
    return store


def damage(store):
    with contextlib.closing(sqlite3.connect(store.database)) as connection, connection:
        connection.execute("DROP TRIGGER written_once")
        connection.execute("UPDATE records SET rows = replace(rows, '0.1', '0.2') WHERE rowid = 1")


def test_status(store):
    for folder in (store.root, store.root.parent):
        status, said, _ = run("status", folder)
        assert status == 0
        assert "demo, code a: 2 cells, 4 rows" in said
        assert f"4 cells in {store.database}" in said
    told = json.loads(run("status", store.root, "--json")[1])
    assert [one["cells"] for one in told["studies"]] == [2, 2]
    assert told["bytes"] == store.database.stat().st_size


def test_verify_names_and_sets_aside(store):
    assert run("verify", store.root)[:2] == (0, f"all records of {store.database} are intact\n")
    damage(store)
    status, said, named = run("verify", store.root)
    assert status == 1
    assert "1 problems" in said
    assert named.startswith(f"{store.database}/demo/")
    assert named.endswith("does not match its digest\n")
    status, _, stopped = run("export", store.root, "--study", "demo", "--out", store.root / "a.csv")
    assert (status, stopped.count("\n")) == (2, 1)
    assert f"verify --set-aside {store.root}" in stopped
    assert "1 records set aside" in run("verify", store.root, "--set-aside")[1]
    assert run("verify", store.root)[0] == 0
    assert len(store.read("demo")) == 6


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_export_is_the_table(store, tmp_path, suffix):
    out = tmp_path / f"table{suffix}"
    assert run("export", store.root, "--study", "demo", "--out", out)[:2] == (
        0,
        f"8 rows in {out}\n",
    )
    table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    expected = store.read("demo")
    expected["dims"] = [json.dumps(value) for value in expected["dims"]]
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)
    before = out.read_bytes()
    status, _, said = run("export", store.root, "--study", "demo", "--out", out)
    assert (status, "must be a new file" in said, out.read_bytes()) == (2, True, before)


def test_import_joins_stores(store, tmp_path):
    damage(store)
    status, said, named = run("import", tmp_path / "joined", store.root)
    assert (status, named.count("\n")) == (1, 1)
    assert said == f"3 cells taken over from {store.root}, 1 problems\n"
    assert run("import", tmp_path / "again", tmp_path / "joined")[0] == 0
    assert run("status", tmp_path / "again")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "nowhere"], "folder must hold records.sqlite, got none in nowhere"),
        (["verify", "nowhere"], "folder must hold records.sqlite"),
        (["export", "nowhere", "--study", "a", "--out", "b.xls"], "--out must end in .parquet"),
        (["import", "new", "nowhere"], "source must be a folder of records or their database"),
    ],
)
def test_refusals_take_one_line(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, _, stderr = run(*arguments)
    assert (status, stderr.count("\n")) == (2, 1)
    assert stderr.startswith(f"error: {said}")
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_records_is_named_and_no_row_of_it(tmp_path):
    other = tmp_path / "records.sqlite"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE others (x)")
    status, _, named = run("import", tmp_path / "new", other)
    assert status == 1
    assert "no such table" in named
    assert "row" not in named
