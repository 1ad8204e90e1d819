"""The record store keeps what was measured, once."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import alter, assert_found, make_cell, make_rows, stored

from fusiontheory.checks import InputError
from fusiontheory.store import Cell, RecordStore, sealed, tidy

# Processes that import the library once, all together.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["fusiontheory.store.records", "pytest", "hypothesis.extra.numpy"])


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
