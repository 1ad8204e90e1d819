"""The record store keeps what was measured, finds what was damaged, and resumes."""

from __future__ import annotations

import doctest
import json
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
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
from fusiontheory.store import Cell, CorruptRecord, RecordStore
from fusiontheory.store import cells as cells_module
from fusiontheory.store import records as records_module


def make_cell(n=16, study="demo", code="v1", **config):
    return Cell(study, {"n": n, **config}, features="f00", code=code)


def make_rows(n=16):
    return [{"seed": s, "risk": 0.1 * s + 1 / n, "head": f"h{s}", "won": s > 0} for s in range(3)]


@pytest.fixture
def store(tmp_path):
    return RecordStore(tmp_path / "records")


@pytest.mark.parametrize("module", [records_module, cells_module])
def test_examples_run(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


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
    written = store.path(make_cell()).read_bytes()
    store.write(make_cell(), pd.DataFrame(make_rows()))
    assert store.path(make_cell()).read_bytes() == written


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
    before = (store.path(cell).read_bytes(), store.path(cell).stat().st_mtime_ns)
    store.write(cell, make_rows(), {"device": "another"})
    for other in (make_rows()[:2], make_rows(17), [{"seed": 1}]):
        with pytest.raises(InputError, match="differ"):
            store.write(cell, other)
    assert (store.path(cell).read_bytes(), store.path(cell).stat().st_mtime_ns) == before


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
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(3), context.Queue()
    processes = [
        context.Process(target=write_together, args=(store.root, barrier, answers, number))
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
    assert [path.name for path in store.path(make_cell()).parent.iterdir()] == [
        store.path(make_cell()).name
    ]


# Interrupted

RUN = """
import sys
from fusiontheory.store import Cell, RecordStore
store = RecordStore(sys.argv[1])
cells = [Cell("run", {"n": n}, "f", "v") for n in range(200)]
todo = store.missing(cells)
print("ready", len(todo), flush=True)
for cell in todo:
    n = cell.config["n"]
    store.write(cell, [{"seed": s, "risk": (s + 0.1) / (n + 1), "note": "x" * 500} for s in (0, 1)])
    print("wrote", n, flush=True)
"""


def start_run(root):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(root)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    word, todo = process.stdout.readline().split()
    assert word == "ready"
    return process, int(todo)


def test_killed_runs_resume_to_the_same_table(tmp_path):
    undisturbed = RecordStore(tmp_path / "undisturbed")
    whole_run, _ = start_run(undisturbed.root)
    store = RecordStore(tmp_path / "killed")
    left = []
    for least in (1, 7, 20):
        process, todo = start_run(store.root)
        left.append(todo)
        for _ in range(least):
            assert process.stdout.readline().startswith("wrote")
        time.sleep(random.uniform(0, 0.01))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert store.verify() == []
    whole_run.communicate(timeout=60)
    assert whole_run.returncode == 0
    # What killed writes leave: parts of a file under a temporary name.
    whole = next(undisturbed.root.rglob("*.parquet")).read_bytes()
    (store.root / "run" / ".part.tmp").write_bytes(whole[: len(whole) // 2])
    (store.root / "run" / ".whole.tmp").write_bytes(whole)
    process, todo = start_run(store.root)
    left.append(todo)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert 200 == left[0] > left[1] > left[2] > left[3] > 0
    pd.testing.assert_frame_equal(store.read("run"), undisturbed.read("run"), check_exact=True)
    assert len(store.read("run")) == 400


def test_death_at_each_step_of_a_write_leaves_all_or_nothing(store, monkeypatch):
    class DiedError(BaseException):
        pass

    def die(*_, **__):
        raise DiedError

    cell = make_cell()
    store.check_writable()
    for name in ("fsync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, die)
            with pytest.raises(DiedError):
                store.write(cell, make_rows())
        assert store.missing([cell]) == [cell]
    store.write(cell, make_rows())
    assert len(store.read("demo")) == 3


def test_only_stale_temporary_files_are_removed(store):
    store.write(make_cell(), make_rows())
    stale, live = (store.root / "demo" / f".{name}.tmp" for name in ("stale", "live"))
    for path in (stale, live):
        path.write_bytes(b"part")
    day_ago = time.time() - 2 * 24 * 3600
    os.utime(stale, (day_ago, day_ago))
    os.utime(store.path(make_cell()), (day_ago, day_ago))
    store.check_writable()
    assert not stale.exists()
    assert live.exists()
    assert len(store.read("demo")) == 3


# Damaged


def assert_found(store, cell, path=None):
    path = path or store.path(cell)
    for use in (
        lambda: store.read("demo"),
        lambda: store.missing([cell]),
        lambda: store.write(cell, make_rows()),
    ):
        with pytest.raises(CorruptRecord, match="delete it and run") as caught:
            use()
        assert caught.value.path == path
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert [problem.path for problem in store.verify()] == [path]
    assert [problem.path for problem in store.verify("demo")] == [path]


@pytest.mark.parametrize("keep", [0, 1, 4, 100, 0.5, 0.9, -8, -4, -1])
def test_truncated_files_are_found(store, keep):
    cell = make_cell()
    store.write(make_cell(1), make_rows())
    store.write(cell, make_rows())
    data = store.path(cell).read_bytes()
    store.path(cell).write_bytes(data[: int(keep * len(data)) if type(keep) is float else keep])
    assert_found(store, cell)
    store.path(cell).unlink()
    store.write(cell, make_rows())
    assert store.verify() == []


def test_flipped_bytes_never_give_other_values(store):
    cell = make_cell(alpha=0.5)
    path = store.write(cell, make_rows())
    data = path.read_bytes()
    table, about = store.read("demo"), store.metadata(cell)
    found = 0
    flipped = range(0, len(data), 5)
    for position in flipped:
        altered = bytearray(data)
        altered[position] ^= 1 << (position % 8)
        path.write_bytes(altered)
        problems = store.verify("demo")
        found += len(problems)
        if not problems:  # a byte that holds nothing, such as the name of the writer
            pd.testing.assert_frame_equal(store.read("demo"), table, check_exact=True)
            assert store.metadata(cell) == about
    assert found > len(flipped) / 2


def rewrite(path, change_rows=None, change_about=None):
    """Alter a record as an editor of parquet files would, with good checksums."""
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"fusiontheory.record"])
    if change_rows:
        table = pa.Table.from_pandas(change_rows(table.to_pandas()), preserve_index=False)
    if change_about:
        change_about(about)
    pq.write_table(
        table.replace_schema_metadata({b"fusiontheory.record": json.dumps(about).encode()}), path
    )


@pytest.mark.parametrize(
    "change",
    [
        {"change_rows": lambda rows: rows.assign(risk=rows["risk"] * (1 + 2**-52))},
        {"change_rows": lambda rows: rows.assign(seed=rows["seed"].astype(float))},
        {"change_rows": lambda rows: rows.iloc[::-1]},
        {"change_rows": lambda rows: rows.iloc[:2]},
        {"change_rows": lambda rows: rows.drop(columns="won")},
        {"change_rows": lambda rows: rows.rename(columns={"won": "lost"})},
        {"change_rows": lambda rows: rows.assign(risk=[None, 1.0, 2.0])},
        {"change_about": lambda about: about["cell"]["config"].update(n=17)},
        {"change_about": lambda about: about["cell"].update(code="v2")},
        {"change_about": lambda about: about["environment"].update(numpy="9")},
        {"change_about": lambda about: about.update(created="2000-01-01")},
        {"change_about": lambda about: about.pop("seal")},
    ],
)
def test_well_formed_changes_are_found(store, change):
    path = store.write(make_cell(), make_rows())
    rewrite(path)
    assert store.verify() == []
    rewrite(path, **change)
    assert_found(store, make_cell())


def test_renamed_files_are_found(store):
    store.write(make_cell(1), make_rows())
    path = store.path(make_cell(2))
    store.path(make_cell(1)).rename(path)
    assert_found(store, make_cell(2))
    moved = store.path(make_cell(1, study="other"))
    moved.parent.mkdir()
    path.rename(moved.with_name(store.path(make_cell(1)).name))
    with pytest.raises(CorruptRecord, match="demo/"):
        store.read("other")


def test_foreign_files_are_found(store):
    store.write(make_cell(), make_rows())
    foreign = store.root / "demo" / "table.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(foreign)
    assert [problem.path for problem in store.verify()] == [foreign]


def test_verify_needs_records(store):
    with pytest.raises(InputError, match="records"):
        store.verify()
    store.write(make_cell(), make_rows())
    with pytest.raises(InputError, match="absent"):
        store.verify("absent")


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


def test_check_writable_leaves_nothing(store):
    store.check_writable()
    store.check_writable()
    assert list(store.root.iterdir()) == []


# Code versions
