"""Runs that are killed, that run at once, or that cannot write."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import pandas as pd
import pyarrow as pa
import pytest
from stored import make_cell, make_rows, stored

from fusiontheory.checks import InputError
from fusiontheory.store import Cell, RecordStore

# Processes that import the library once, all together.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["fusiontheory.store.records", "pytest", "hypothesis.extra.numpy"])


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
