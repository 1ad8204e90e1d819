"""Simulations that are killed, extended, run twice at once or by a cluster: the same table."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from small_grids import FORK, TOML, cells, same, small
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.cli import app
from fusiontheory.parallel import scatter
from fusiontheory.simulate import (
    read_grid,
    read_table,
    run_unit,
    simulate,
    units_of,
)
from fusiontheory.store import RecordStore


def test_processes_and_threads_change_no_bit(tmp_path):
    # Wide enough that two threads of a matrix product would add up in another order.
    wide = TOML.replace("d_v = 12", "d_v = 24").replace("d_t = 12", "d_t = 24").replace("30", "2")
    few = wide.replace("[0.0, 0.5, 1.0]", "[0.5]")
    (tmp_path / "grid.toml").write_text(few)
    script = (
        "import sys; from threadpoolctl import threadpool_limits; threadpool_limits(2);"
        "from fusiontheory.simulate import read_grid, simulate;"
        "[simulate(read_grid(sys.argv[1]), sys.argv[2] + jobs, int(jobs)) for jobs in '12']"
    )
    variables = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", script, tmp_path / "grid.toml", f"{tmp_path}{os.sep}"]
    subprocess.run(command, check=True, env=variables)
    same(*(read_table(tmp_path / jobs / "table.parquet") for jobs in ("1", "2")))


def test_two_simulations_at_once_in_one_folder_end_with_the_same_table(tmp_path):
    (tmp_path / "grid.toml").write_text(TOML.replace("30", "4"))
    grid = read_grid(tmp_path / "grid.toml")
    runs = [FORK.Process(target=simulate, args=(grid, tmp_path / "out")) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
    assert [run.exitcode for run in runs] == [0, 0]
    same(read_table(tmp_path / "out" / "table.parquet", grid), simulate(grid, tmp_path / "alone"))


def test_a_finished_grid_is_extended(tmp_path, monkeypatch):
    before = simulate(small(), tmp_path)
    ran = []
    monkeypatch.setattr(
        "fusiontheory.simulate.engine.run_unit", lambda unit: ran.append(unit) or run_unit(unit)
    )
    wide = simulate(small(seeds=3), tmp_path)
    assert {unit.seed for unit in ran} == {2}
    pd.testing.assert_frame_equal(
        wide[wide["seed"] < 2].reset_index(drop=True), before, check_exact=True
    )
    ran.clear()
    more = small(seeds=3, heads=["bilinear", "additive", "low-rank"], rank=1)
    assert set(simulate(more, tmp_path)["head"]) == set(more.heads)
    assert {unit.head for unit in ran} == {"low-rank"}
    same(simulate(more, tmp_path), simulate(more, tmp_path / "whole"))
    for less in (small(), small(seeds=4), small(seeds=3, n=[8])):
        with pytest.raises(InputError, match="another configuration"):
            simulate(less, tmp_path)
    read_table(tmp_path / "table.parquet", more)
    for text in ("[]", "3", "{}", '{"seeds": 3}', '{"configs": [3]}', "null", '{"heads": null}'):
        (tmp_path / "grid.json").write_text(text)
        with pytest.raises(InputError):
            simulate(more, tmp_path)


def dying_unit(unit):
    if unit.seed == 1 and unit.head == "bilinear" and unit.configs[0].pairs.correlation:
        os.kill(os.getpid(), signal.SIGKILL)
    return run_unit(unit)


def test_a_unit_that_kills_its_workers_is_named_and_left_out(tmp_path, monkeypatch):
    (tmp_path / "grid.toml").write_text(TOML.replace("256, 512", "32").replace("30", "2"))
    command = ["simulate", str(tmp_path / "grid.toml"), "--out", str(tmp_path), "--jobs", "2"]
    with monkeypatch.context() as patch:
        patch.setattr("fusiontheory.simulate.engine.run_unit", dying_unit)
        patch.setattr("fusiontheory.parallel.pool.TIMES_ALONE", 1)
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: 1 of 12 units of work was left out")
        assert "bilinear head, seed 1, settings" in result.stderr
        assert result.stderr.count("\n") == 1
        assert not (tmp_path / "table.parquet").exists()
        result = CliRunner().invoke(app, [*command, "--partial"])
        assert result.exit_code == 1
    command[-1] = "1"
    grid = read_grid(tmp_path / "grid.toml")
    rest = read_table(tmp_path / "partial.parquet", grid)
    assert f"{len(rest)} of {grid.runs} runs in" in result.stdout
    assert CliRunner().invoke(app, command).exit_code == 0
    assert not (tmp_path / "partial.parquet").exists()
    whole = read_table(tmp_path / "table.parquet")
    lost = (whole["seed"] == 1) & (whole["head"] == "bilinear") & (whole["pairs.correlation"] > 0)
    same(whole[~lost].reset_index(drop=True), rest)


@pytest.mark.parametrize(
    ("jobs", "number", "status", "how"),
    [
        ("1", signal.SIGINT, 130, "interrupted"),
        ("2", signal.SIGTERM, 143, "ended by SIGTERM"),
    ],
)
def test_an_interrupt_says_how_to_go_on(tmp_path, jobs, number, status, how):
    (tmp_path / "grid.toml").write_text(TOML.replace("seeds = 30", "seeds = 300"))
    command = [sys.executable, "-m", "fusiontheory", "simulate", str(tmp_path / "grid.toml")]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--jobs", jobs],
        stderr=subprocess.PIPE,
        # Also where the tests run in the background of a shell, which ignores interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while cells(tmp_path / "out") < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert said.decode() == (
        f"error: {how}; what is done is kept: run the same command again to resume\n"
    )
    assert process.returncode == status
    assert RecordStore(tmp_path / "out" / "records").verify() == []


def test_killed_work_resumes_with_the_same_table(tmp_path, monkeypatch):
    (tmp_path / "grid.toml").write_text(TOML.replace("seeds = 30", "seeds = 40"))
    grid = read_grid(tmp_path / "grid.toml")
    out, total = tmp_path / "killed", len(units_of(grid))

    def slow(unit):
        time.sleep(0.02)
        return run_unit(unit)

    with monkeypatch.context() as patch:
        patch.setattr("fusiontheory.simulate.engine.run_unit", slow)
        process = FORK.Process(target=simulate, args=(grid, out))
        process.start()
    deadline = time.monotonic() + 60
    while cells(out) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert 5 <= cells(out) < total
    assert not (out / "table.parquet").exists()
    before = RecordStore(out / "records").read("killed")
    resumed = simulate(grid, out)
    after = RecordStore(out / "records").read("killed")
    kept = after[after["cell"].isin(before["cell"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before, check_dtype=False)  # times and all
    same(resumed, simulate(grid, tmp_path / "whole"))
    assert len(resumed) == grid.runs


def test_a_killed_worker_of_a_cluster_loses_and_doubles_nothing(tmp_path):
    distributed = pytest.importorskip("distributed")
    grid = small(seeds=4)
    units = units_of(grid)
    store = RecordStore(tmp_path / "cluster" / "records")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        pids, seen = client.run(os.getpid), []
        for unit, rows in scatter(run_unit, units, scheduler=cluster.scheduler_address):
            if len(seen) == 3:
                os.kill(next(iter(pids.values())), signal.SIGKILL)
            seen.append(unit)
            store.write(unit.cell(grid.study), rows)
        assert len(seen) == len(units) == len(set(seen))
        # The rest of the work finds everything done, through the same cluster.
        table = simulate(grid, tmp_path / "cluster", scheduler=cluster.scheduler_address)
        again = simulate(grid, tmp_path / "again", scheduler=cluster.scheduler_address)
    same(table, simulate(grid, tmp_path / "here"))
    same(again, table)


def test_results_of_another_configuration_are_refused(tmp_path):
    grid = small()
    simulate(grid, tmp_path)
    with pytest.raises(InputError, match=r"another configuration: n is \[8, 24\] there and \[8\]"):
        simulate(small(n=[8]), tmp_path)
    other = small(vary={"pairs.correlation": [0.0, 0.7], "target.interaction": [0.0, 0.5]})
    message = r"pairs.correlation is \[0.0, 0.6\] there and \[0.0, 0.7\] here"
    with pytest.raises(InputError, match=message):
        simulate(other, tmp_path)
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "table.parquet", other)
    (tmp_path / "other").mkdir()
    (tmp_path / "table.parquet").rename(tmp_path / "other" / "table.parquet")
    with pytest.raises(InputError, match=message):
        simulate(other, tmp_path / "other")
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError, match="truncated or altered"):
        read_table(tmp_path / "bad.parquet")


def test_a_failed_unit_keeps_what_was_done(tmp_path, monkeypatch):
    grid, count = small(), 0

    def failing(unit):
        nonlocal count
        count += 1
        if count == 4:
            raise RuntimeError("interrupted")
        return run_unit(unit)

    monkeypatch.setattr("fusiontheory.simulate.engine.run_unit", failing)
    with pytest.raises(RuntimeError, match="interrupted"):
        simulate(grid, tmp_path)
    assert cells(tmp_path) == 3
    same(simulate(grid, tmp_path), simulate(grid, tmp_path / "whole"))
    assert count == 4 + len(units_of(grid)) - 3 + len(units_of(grid))


def test_a_lost_scheduler_and_lost_workers_end_in_one_line(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("fusiontheory.parallel.cluster._PATIENCE", 1)
    units = units_of(small(seeds=12))
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    )
    with cluster:
        results = scatter(run_unit, units, scheduler=cluster.scheduler_address)
        next(results)
        cluster.scale(0)
        began = time.monotonic()
        with pytest.raises(InputError, match=r"had no worker|is lost"):
            list(results)
        # What is out of reach is waited for once, not once for each result.
        assert time.monotonic() - began < 15


def test_tls_without_certificates_is_refused():
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match=r"scheduler must be .* got 'tls://.* TLS"):
        list(scatter(abs, [-1], scheduler="tls://127.0.0.1:8786"))
