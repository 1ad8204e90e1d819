"""The record store keeps what was measured, finds what was damaged, and resumes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import pickle
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.store import Cell, CorruptRecord, RecordStore, sealed, tidy

# Processes that import the library once, all together.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["fusiontheory.store.records", "pytest", "hypothesis.extra.numpy"])


def make_cell(n=16, study="demo", code="v1", **config):
    return Cell(study, {"n": n, **config}, features="f00", code=code)


def make_rows(n=16):
    return [{"seed": s, "risk": 0.1 * s + 1 / n, "head": f"h{s}", "won": s > 0} for s in range(3)]


def stored(store):
    """Everything in the database, as it is."""
    with contextlib.closing(sqlite3.connect(store.database)) as connection:
        tables = [connection.execute(f"SELECT * FROM {t}") for t in ("records", "set_aside")]
        return [rows.fetchall() for rows in tables]


@pytest.fixture
def store(tmp_path):
    return RecordStore(tmp_path / "records")


# Cells


def test_key_never_changes():
    config = {"n": 16, "alpha": 0.5, "head": "early", "dims": [2, 3], "tied": True, "cap": None}
    assert Cell("demo", config, "f00", "v1").key == "fca5b0379e6a9439a723"


def test_key_ignores_order_and_numpy_but_not_type_or_field():
    cell = Cell("demo", {"n": 1, "dims": [2, 3]}, "f", "v")
    same = Cell("demo", {"dims": (np.int64(2), np.int32(3)), "n": np.int64(1)}, "f", "v")
    assert same.key == cell.key
    assert same == cell
    assert len({cell, same}) == 1
    assert type(same.config["n"]) is int
    others = [
        Cell("demo", {"n": 1.0, "dims": [2, 3]}, "f", "v"),
        Cell("demo", {"n": True, "dims": [2, 3]}, "f", "v"),
        Cell("demo", {"n": 1, "dims": [3, 2]}, "f", "v"),
        Cell("other", cell.config, "f", "v"),
        Cell("demo", cell.config, "g", "v"),
        Cell("demo", cell.config, "f", "w"),
    ]
    assert len({cell, *others}) == 7
    assert all(other != cell for other in others)


def test_cell_does_not_change_with_the_mapping_it_was_made_from():
    config = {"n": 1, "dims": [2, 3]}
    cell = Cell("demo", config, "f", "v")
    key = cell.key
    config["n"] = 2
    config["dims"].append(4)
    assert cell.key == key


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        np.float64("nan"),
        {"a": 1},
        {1, 2},
        object(),
        1j,
        b"bytes",
        np.arange(2),
        Path("x"),
        np.longdouble(1),
        2**63,
        "\ud800",
        [1, [float("nan")]],
    ],
)
def test_values_that_are_not_json_are_named(value):
    with pytest.raises(InputError, match=r"config\['alpha'\]"):
        make_cell(alpha=value)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"study": "Upper"}, "study"),
        ({"study": "../up"}, "study"),
        ({"study": ""}, "study"),
        ({"config": [1]}, "config"),
        ({"config": {1: 2}}, "config"),
        ({"config": {"": 2}}, "config"),
        ({"config": {"cell": 2}}, "config"),
        ({"features": ""}, "features"),
        ({"features": 3}, "features"),
        ({"code": None}, "code"),
    ],
)
def test_bad_fields_are_named(change, name):
    with pytest.raises(InputError, match=name):
        Cell(**{"study": "demo", "config": {"n": 1}, "features": "f", "code": "v", **change})


# Writing and reading


def test_round_trip_keeps_every_type(store):
    cell = make_cell(n=2**60 + 1, alpha=0.1, tied=False, head="früh", dims=[2, 3], cap=None)
    floats = [0.1, -0.0, 5e-324, 1.7976931348623157e308, float("nan"), float("-inf"), 1 / 3]
    rows = pd.DataFrame(
        {
            "risk": floats,
            "half": np.array([*floats[:3], 1.0, 2, 3, 4]).astype(np.float32),
            "count": 2**53 + 1 + np.arange(7),
            "small": np.arange(7, dtype=np.uint8),
            "won": np.arange(7) % 2 == 0,
            "note": ["", "a\n", "ü", "1", "nan", "True", "\x00"],
        }
    )
    assert store.write(cell, rows) == store.path(cell)
    back = store.read("demo")
    own = ["alpha", "cap", "dims", "head", "n", "tied"]
    assert list(back) == [*own, *rows.columns, "features", "code", "cell"]
    assert back["risk"].to_numpy().tobytes() == np.array(floats).tobytes()
    assert back["half"].tolist()[:4] == rows["half"].tolist()[:4]
    for name, kind in [
        ("risk", float),
        ("count", int),
        ("small", int),
        ("won", bool),
        ("note", str),
    ]:
        assert {type(value) for value in back[name].tolist()} == {kind}
        if kind is not float:
            assert back[name].tolist() == rows[name].tolist()
    first = back.iloc[0]
    assert (first["n"], first["alpha"], first["head"]) == (2**60 + 1, 0.1, "früh")
    assert (first["dims"], first["cap"]) == ((2, 3), None)
    assert back["n"].dtype == np.int64
    assert back["tied"].dtype == bool
    assert back[["features", "code", "cell"]].drop_duplicates().to_numpy().tolist() == [
        ["f00", "v1", cell.key]
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(),
            st.integers(-(2**63), 2**63 - 1),
            st.booleans(),
            st.text(st.characters(exclude_categories=["Cs"])),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_rows_round_trip(tmp_path_factory, rows):
    store = RecordStore(tmp_path_factory.mktemp("any"))
    store.write(make_cell(), [dict(zip("abcd", row, strict=True)) for row in rows])
    back = store.read("demo")
    assert json.dumps(back[list("abcd")].to_numpy(object).tolist()) == json.dumps(
        [list(row) for row in rows]
    )


def test_sequences_and_frames_give_the_same_record(store):
    store.write(make_cell(), make_rows())
    written = stored(store)
    store.write(make_cell(), pd.DataFrame(make_rows()))
    assert stored(store) == written


def test_table_does_not_depend_on_the_order_of_writing(tmp_path):
    cells = [
        make_cell(n, code=code, alpha=a) for n in (8, 16, 128) for a in (0.5, 2) for code in "ab"
    ]
    tables = []
    for seed in range(3):
        store = RecordStore(tmp_path / str(seed))
        for cell in random.Random(seed).sample(cells, len(cells)):
            store.write(cell, make_rows(cell.config["n"]))
        tables.append(store.read("demo"))
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    pd.testing.assert_frame_equal(tables[0], tables[2], check_exact=True)
    # By value, not as text, where 128 would come before 16; rows of a cell in their own order.
    order = tables[0][["alpha", "n", "code", "seed"]].to_numpy(object).tolist()
    expected = [
        [a, n, c, s] for a in (0.5, 2) for n in (8, 16, 128) for c in "ab" for s in range(3)
    ]
    assert order == expected
    assert tables[0]["alpha"].dtype == float


def rank(value):
    """Numbers before texts before lists, and nothing first."""
    if isinstance(value, tuple):
        return (3, *map(rank, value))
    return (2, value) if isinstance(value, str) else (0,) if value is None else (1, value)


VALUES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, "1", "b"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abc"), VALUES | st.lists(VALUES, max_size=2)),
            st.sampled_from(["f", "g"]),
            st.sampled_from(["v", "w"]),
            st.integers(1, 3),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda drawn: json.dumps(drawn[:3], sort_keys=True),
    )
)
def test_cells_are_sorted_by_their_settings_and_rows_stay_theirs(drawn):
    given = {Cell("demo", config, f, code): length for config, f, code, length in drawn}
    records = (
        sealed(cell, [{"of": cell.key, "at": k} for k in range(length)])
        if length % 2
        else sealed(cell, [{"at": k, "of": cell.key, "more": k > 0} for k in range(length)])
        for cell, length in given.items()
    )
    table = tidy(records)

    def order(cell):
        config = tuple((name, rank(value)) for name, value in sorted(cell.config.items()))
        return config, cell.features, cell.code, cell.key

    expected = [(cell, k) for cell in sorted(given, key=order) for k in range(given[cell])]
    assert table["cell"].tolist() == [cell.key for cell, _ in expected]
    assert table["of"].tolist() == table["cell"].tolist()
    assert table["at"].tolist() == [k for _, k in expected]
    for name in "abc":
        held = [cell.config.get(name) for cell, _ in expected]
        if any(value is not None for value in held):
            own = [None if value is pd.NA else value for value in table[name].astype(object)]
            assert [v if v == v else None for v in own] == held


def test_columns_that_only_some_cells_have_stay_exact(store):
    store.write(
        make_cell(1, big=2**60 + 1, tied=True, name="x"), [{"risk": 0.5, "count": 2**60 + 1}]
    )
    store.write(make_cell(2), [{"risk": 1, "won": False}])
    store.write(make_cell(3, dims=[1, 2], mixed=1), [{"risk": 0.25}])
    store.write(make_cell(4, mixed="one"), [{"risk": 0.25}])
    table = store.read("demo").sort_values("n").set_index("n")
    assert table.loc[1, "big"] == 2**60 + 1
    assert table.loc[1, "count"] == 2**60 + 1
    assert table.loc[1, "tied"] is np.True_ or table.loc[1, "tied"] is True
    assert table["won"].isna().tolist() == [True, False, True, True]
    assert table.loc[3, "dims"] == (1, 2)
    assert table.loc[[3, 4], "mixed"].tolist() == [1, "one"]
    assert table.loc[2, "risk"] == 1.0


def test_columns_that_do_not_mix_are_named(store):
    store.write(make_cell(1), [{"risk": 0.5}])
    store.write(make_cell(2), [{"risk": "high"}])
    with pytest.raises(InputError, match="risk"):
        store.read("demo")


def test_name_used_for_config_and_rows_of_different_cells_is_named(store):
    store.write(make_cell(1, alpha=1), [{"risk": 0.5}])
    store.write(make_cell(2), [{"alpha": 0.5}])
    with pytest.raises(InputError, match="alpha"):
        store.read("demo")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "at least one row"),
        (pd.DataFrame({"risk": []}), "at least one row"),
        ([{}], "at least one row"),
        ([{"n": 1}], r"\['n'\]"),
        ([{"code": "x"}], "code"),
        ([{3: 1}], "3"),
        ([{"a": 1}, {"b": 1}], r"rows\[1\]"),
        ([{"a": None}], "'a'"),
        ([{"a": 1}, {"a": None}], "'a'"),
        ([{"a": 1}, {"a": True}], "'a'"),
        ([{"a": 1}, {"a": "1"}], "'a'"),
        ([{"a": [1]}], "'a'"),
        ([{"a": 2**63}], "'a'"),
        ([{"a": 2**53 + 1}, {"a": 0.5}], "'a'"),
        ([{"a": "\ud800"}], "'a'"),
        (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), "'a'"),
        (pd.DataFrame({"a": pd.to_datetime(["2020-01-01"])}), "'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "distinct"),
    ],
)
def test_rows_that_cannot_be_stored_are_named(store, rows, message):
    with pytest.raises(InputError, match=message):
        store.write(make_cell(), rows)
    assert make_cell() not in store
    assert not list(store.root.rglob("*.*"))


def test_reading_some_cells(store):
    cells = [make_cell(n) for n in (4, 2, 1)]
    for cell in cells[:2]:
        store.write(cell, make_rows())
    assert store.missing([*cells, cells[2]]) == [cells[2]]
    assert store.read("demo", cells[:1])["n"].unique().tolist() == [4]
    assert store.read("demo", cells[:1] * 2)["n"].tolist() == [4, 4, 4]
    with pytest.raises(InputError, match=r"missing.*'n': 1\b"):
        store.read("demo", cells)
    assert store.read("demo", cells, missing_ok=True)["n"].unique().tolist() == [2, 4]
    assert store.read("demo", cells[2:], missing_ok=True).empty
    with pytest.raises(InputError, match="absent"):
        store.read("absent")
    with pytest.raises(InputError, match="study 'demo'"):
        store.read("demo", [make_cell(study="other")])


def test_metadata_holds_the_environment(store):
    store.write(make_cell(), make_rows(), {"device": "cpu", "threads": np.int64(2)})
    about = store.metadata(make_cell())
    assert about["environment"]["numpy"] == np.__version__
    assert about["environment"]["device"] == "cpu"
    assert about["environment"]["threads"] == 2
    assert {"python", "machine"} < set(about["environment"])
    assert about["created"].endswith("+00:00")
    with pytest.raises(InputError, match="missing"):
        store.metadata(make_cell(5))
    with pytest.raises(InputError, match="device"):
        store.write(make_cell(5), make_rows(), {"device": object()})


# Written once


def test_nothing_that_exists_is_overwritten(store):
    cell = make_cell()
    store.write(cell, make_rows())
    before = stored(store)
    store.write(cell, make_rows(), {"device": "another"})
    differing = [
        (make_rows()[:2], "there are 3 rows there and 2 here"),
        (make_rows(17), r"risk of row 0 is 0.0625 there and 0.0588\d+ here"),
        ([{"seed": 1}], r"columns are \['seed', 'risk', 'head', 'won'\] there"),
        ([{**row, "seed": float(row["seed"])} for row in make_rows()], "seed is int64 there"),
    ]
    for other, said in differing:
        with pytest.raises(InputError, match=f"rows differ from .*{said}.*which are kept"):
            store.write(cell, other)
    assert stored(store) == before


def test_measured_times_are_kept_but_not_compared(store):
    cell = make_cell()
    rows = [{"seconds": 0.5, **row, "wall_seconds": 2} for row in make_rows()]
    store.write(cell, rows)
    table = store.read("demo")
    assert list(table)[1:7] == ["seconds", "seed", "risk", "head", "won", "wall_seconds"]
    store.write(cell, [{**row, "seconds": 0.75} for row in rows])
    pd.testing.assert_frame_equal(store.read("demo"), table)
    with pytest.raises(InputError, match="differ"):
        store.write(cell, [{**row, "seconds": 0.5} for row in make_rows(17)])
    alter(store, cell, times=b'[[0,"seconds","double",[0.25,0.5,0.5]]]')
    assert_found(store, cell)


def write_together(root, barrier, answers, number):
    store = RecordStore(root)
    for n in range(30):
        barrier.wait(timeout=60)
        try:
            store.write(make_cell(n), make_rows(2 + number * (n % 2)))
            answers.put((n, "written"))
        except InputError as error:
            answers.put((n, "refused" if "differ" in str(error) else repr(error)))


def test_processes_that_write_the_same_cell_at_once(store):
    barrier, answers = PROCESSES.Barrier(3), PROCESSES.Queue()
    processes = [
        PROCESSES.Process(target=write_together, args=(store.root, barrier, answers, number))
        for number in range(3)
    ]
    for process in processes:
        process.start()
    got = [answers.get(timeout=60) for _ in range(90)]
    for process in processes:
        process.join(timeout=60)
    for n in range(30):
        # Odd cells get other rows from each process: one of them wins, the others are told.
        expected = ["refused", "refused", "written"] if n % 2 else ["written"] * 3
        assert sorted(answer for m, answer in got if m == n) == expected
    assert store.verify() == []
    assert store.missing([make_cell(n) for n in range(30)]) == []
    assert not list(store.root.rglob("*.tmp"))


def test_file_systems_without_hard_links(store, monkeypatch):
    def no_link(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    store.write(make_cell(), make_rows())
    assert len(store.read("demo")) == 3
    assert list(store.root.iterdir()) == [store.database]


def test_a_batch_commits_within_its_seconds_and_at_its_end(store):
    with store.batch(seconds=0.05) as batch:
        batch.write(make_cell(1), make_rows())
        deadline = time.monotonic() + 30
        while store.missing([make_cell(1)]) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert make_cell(1) in store

    def interrupted():
        yield make_cell(2), make_rows()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write_many(interrupted())
    assert make_cell(2) in store
    with pytest.raises(InputError, match="differ"), store.batch() as batch:
        batch.write(make_cell(2), make_rows(17))
    with pytest.raises(InputError, match="'a'"):
        store.write_many([(make_cell(3), make_rows()), (make_cell(4), [{"a": None}])])
    assert [make_cell(n) in store for n in (3, 4)] == [True, False]
    # Two refused cells: the one between them is written.
    with pytest.raises(InputError, match="differ"):
        store.write_many((make_cell(n), make_rows(17)) for n in (2, 5, 1))
    assert make_cell(5) in store


# Interrupted


def run(root, how, pipe, barrier):
    """What an experiment does: find what is missing, measure it, write it."""
    store = RecordStore(root)
    cells = [Cell("run", {"n": n}, "f", "v") for n in range(100)]
    todo = store.missing(cells)
    pipe.send(len(todo))
    if barrier is not None:
        barrier.wait(timeout=60)
    with store.batch(0.002) if how == "batch" else contextlib.nullcontext(store) as out:
        for cell in todo:
            n, note = cell.config["n"], "x" * 500
            rows = [{"seed": s, "risk": (s + 0.1) / (n + 1), "note": note} for s in (0, 1)]
            out.write(cell, [{**row, "seconds": time.monotonic()} for row in rows])
            pipe.send(n)
            time.sleep(0.002)


def start_run(root, how="one", barrier=None):
    """Start a run in a process; return it, the number of cells it misses, and what it says."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = PROCESSES.Process(target=run, args=(root, how, theirs, barrier))
    process.start()
    theirs.close()
    assert ours.poll(60)
    return process, ours.recv(), ours


def end(process, pipe):
    """Listen until the process ends; return its status."""
    with contextlib.suppress(EOFError):
        while True:
            pipe.recv()
    process.join(60)
    return process.exitcode


@pytest.mark.parametrize("how", ["one", "batch"])
def test_killed_runs_resume_to_the_same_table(tmp_path, how):
    undisturbed = RecordStore(tmp_path / "undisturbed")
    whole_run, _, heard = start_run(undisturbed.root)
    store = RecordStore(tmp_path / "killed")
    left = []
    for least in (1, 7, 20):
        process, todo, pipe = start_run(store.root, how)
        left.append(todo)
        for _ in range(least):
            pipe.recv()
        time.sleep(random.uniform(0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        assert end(process, pipe) == -signal.SIGKILL
        assert not store.database.exists() or store.verify() == []
    assert end(whole_run, heard) == 0
    process, todo, pipe = start_run(store.root, how)
    left.append(todo)
    assert end(process, pipe) == 0
    assert 100 == left[0] >= left[1] >= left[2] >= left[3] > 0
    assert left[3] < 90
    same(store.read("run"), undisturbed.read("run"))
    assert len(store.read("run")) == 200


def same(one, two):
    one, two = (table.drop(columns="seconds") for table in (one, two))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


@pytest.mark.parametrize("runs", [2, 4])
def test_runs_at_once_on_one_store_end_with_the_same_table(tmp_path, runs):
    barrier = PROCESSES.Barrier(runs)
    started = [start_run(tmp_path, ("one", "batch")[k % 2], barrier) for k in range(runs)]
    assert [end(process, pipe) for process, _, pipe in started] == [0] * runs
    assert [todo for _, todo, _ in started] == [100] * runs  # each did all
    store = RecordStore(tmp_path)
    assert store.verify() == []
    assert store.read("run")["risk"].tolist() == [
        (s + 0.1) / (n + 1) for n in range(100) for s in (0, 1)
    ]


@pytest.mark.parametrize("step", ["BEGIN IMMEDIATE", "INSERT", "COMMIT", "link"])
def test_death_at_each_step_of_a_write_leaves_all_or_nothing(store, monkeypatch, step):
    class DiedError(BaseException):
        pass

    class Dying(sqlite3.Connection):
        def execute(self, query, *given):
            if query.startswith(step):
                raise DiedError
            return super().execute(query, *given)

        def executemany(self, query, given):
            super().executemany(query, given)
            if query.startswith(step):
                raise DiedError

    def die(*_):
        raise DiedError

    connect = sqlite3.connect
    cell = make_cell()
    with monkeypatch.context() as patch:
        if step == "link":
            patch.setattr(os, "link", die)
        else:
            patch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Dying, **k))
        with pytest.raises(DiedError):
            store.write(cell, make_rows())
    assert store.missing([cell]) == [cell]
    store.write(cell, make_rows())
    assert len(store.read("demo")) == 3


def test_only_stale_temporary_files_are_removed(store):
    store.write(make_cell(), make_rows())
    stale, live = (store.root / f".{name}.tmp" for name in ("stale", "live"))
    for path in (stale, live):
        path.write_bytes(b"part")
    day_ago = time.time() - 2 * 24 * 3600
    os.utime(stale, (day_ago, day_ago))
    os.utime(store.database, (day_ago, day_ago))
    store.check_writable()
    assert not stale.exists()
    assert live.exists()
    assert len(store.read("demo")) == 3


# Damaged


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


# Unwritable


@pytest.mark.parametrize("below", [".", "below"])
def test_root_that_is_a_file(tmp_path, below):
    (tmp_path / "file").write_text("kept")
    store = RecordStore(tmp_path / "file" / below)
    for use in (
        store.check_writable,
        lambda: store.write(make_cell(), make_rows()),
        lambda: store.missing([make_cell()]),
    ):
        with pytest.raises(InputError, match="root") as caught:
            use()
        assert str(tmp_path / "file") in str(caught.value)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write it")
def test_root_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="writable"):
            RecordStore(tmp_path).check_writable()
    finally:
        tmp_path.chmod(0o700)


def only_read(root, pipe):
    """Use a store as a user who may not write to it; send what is seen and said."""
    pa.array(["a"]).to_pandas()  # imports what only root may read where Python is in its home
    if os.geteuid() == 0:
        os.setuid(65534)
    store = RecordStore(root)
    seen = [store.read("demo")["risk"].tolist(), store.missing([make_cell()]), store.verify()]
    for use in (
        store.check_writable,
        lambda: store.write(make_cell(2), make_rows()),
        lambda: store.verify(set_aside=True),
    ):
        try:
            use()
        except InputError as error:
            seen.append(str(error))
    pipe.send(seen)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions of POSIX")
def test_a_store_that_may_only_be_read_is_read():
    with tempfile.TemporaryDirectory() as folder:
        store = RecordStore(folder)
        store.write(make_cell(), make_rows())
        store.database.chmod(0o444)
        store.root.chmod(0o555)
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = PROCESSES.Process(target=only_read, args=(folder, theirs))
        process.start()
        theirs.close()
        risks, missing, problems, *said = ours.recv()
        process.join(60)
        store.root.chmod(0o755)
        assert (risks, missing, problems) == ([row["risk"] for row in make_rows()], [], [])
        assert len(said) == 3
        assert all("cannot write to" in one and "choose a folder" in one for one in said)
        assert list(store.root.iterdir()) == [store.database]


def test_check_writable_leaves_nothing(store):
    store.check_writable()
    store.check_writable()
    assert list(store.root.iterdir()) == []


def test_a_full_disk_and_a_limit_of_file_sizes_take_one_line(store, monkeypatch):
    store.write(make_cell(), make_rows())
    before = stored(store)

    class Small(sqlite3.Connection):
        def execute(self, query, *given):
            if query == "BEGIN IMMEDIATE":
                super().execute("PRAGMA max_page_count = 1")
            return super().execute(query, *given)

    connect = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Small, **k))
        with pytest.raises(InputError, match=r"is full; choose a folder .* has space") as caught:
            store.write(make_cell(2), [{"note": "x" * 100_000}])
    assert "\n" not in str(caught.value)
    assert stored(store) == before
    resource = pytest.importorskip("resource")
    code = (
        "import resource, sys; from fusiontheory.store.records import *;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, {resource.RLIM_INFINITY}));"
        "RecordStore(sys.argv[1]).write(Cell('demo', {'n': 2}, 'f', 'v'), [{'a': 'x' * 10**6}])"
    )
    done = subprocess.run([sys.executable, "-c", code, store.root], capture_output=True, text=True)
    assert "InputError: root: cannot write to" in done.stderr.splitlines()[-1]
    assert stored(store) == before


def test_a_busy_database_is_named(store, monkeypatch):
    store.write(make_cell(), make_rows())
    monkeypatch.setattr("fusiontheory.store.database.WAIT_SECONDS", 0.05)
    with contextlib.closing(sqlite3.connect(store.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(store.read("demo")) == 3  # readers do not wait
        with pytest.raises(InputError, match=r"kept busy by other processes for .*run again"):
            store.write(make_cell(2), make_rows())
    store.write(make_cell(2), make_rows())


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
