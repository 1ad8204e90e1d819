"""Simulation: fast heads against plain ones, tables, resuming, other configurations, clusters."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.cli import app
from fusiontheory.heads import find_head
from fusiontheory.parallel import scatter
from fusiontheory.simulate import (
    SimulationGrid,
    differences,
    fit_head,
    head_features,
    plot_simulation,
    read_grid,
    read_table,
    run_unit,
    simulate,
    units_of,
)
from fusiontheory.solvers import fit_bilinear_ridge, fit_linear_ridge, fit_low_rank
from fusiontheory.store import RecordStore

FORK = multiprocessing.get_context("fork")
"""Processes that need not import everything again."""

TOML = """
study = "killed"
heads = ["additive", "bilinear"]
n = [16, 256, 512]
seeds = 30
ridge = [0.01, 0.1]
predict = "gaussian"
[pairs]
d_v = 12
d_t = 12
[target]
noise = 0.1
[vary]
"pairs.correlation" = [0.0, 0.5]
"target.interaction" = [0.0, 0.5, 1.0]
"""


def data(n=60, d_v=4, d_t=3, labels=3, seed=0):
    rng = np.random.default_rng(seed)
    v, t = rng.standard_normal((n, d_v)) + 0.3, rng.standard_normal((n, d_t))
    t[:, 0] += v[:, 0]
    y = rng.standard_normal((n, labels)) + (v[:, :1] * t[:, :1]) + 0.5
    return v, t, y


def small(**changes):
    given = {"heads": ["additive", "bilinear"], "n": [8, 24], "seeds": 2, "ridges": [0.1, 0.01]}
    base = {"pairs.d_v": 3, "pairs.d_t": 3, "target.noise": 0.1}
    vary = {"pairs.correlation": [0.0, 0.6], "target.interaction": [0.0, 0.5]}
    return SimulationGrid.of(base, changes.pop("vary", vary), **(given | changes))


def same(first, second):
    first, second = (table.drop(columns="seconds") for table in (first, second))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def cells(folder):
    """The number of records in the store of a simulation."""
    try:
        return sum(one.cells for one in RecordStore(folder / "records").status())
    except InputError:
        return 0


def test_the_figure_shows_the_table(tmp_path):
    table = simulate(small(ridges=[0.1]), tmp_path)
    figure = plot_simulation(table)
    assert len(figure.axes) == 4
    line, points = figure.axes[0].lines[:2]  # of the first head in the first configuration
    rows = table[(table["config_index"] == 0) & (table["head"] == "bilinear")].groupby("n")
    for drawn, name in ((line, "predicted_test"), (points, "test")):
        np.testing.assert_allclose(np.asarray(drawn.get_ydata(), float), rows[name].mean())
    named = plot_simulation(table.assign(head="additive"))  # drawn as concat-linear
    assert all(len(line.get_xdata()) for axes in named.axes for line in axes.lines)
    many = pd.concat([table.assign(ridge=ridge) for ridge in (0.1, 1.0, 2.0, 3.0)])
    with pytest.raises(InputError, match=r"at most 12, got 16; choose some by .*ridge"):
        plot_simulation(many)
    with pytest.raises(InputError, match="must have rows"):
        plot_simulation(table[:0])


def test_the_command_draws(tmp_path):
    (tmp_path / "grid.toml").write_text(TOML.replace("256, 512", "32").replace("30", "2"))
    command = ["simulate", str(tmp_path / "grid.toml"), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, [*command, "--figure", str(tmp_path / "a.pdf")]).exit_code == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    result = CliRunner().invoke(app, [*command, "--figure", str(tmp_path / "a.gif")])
    assert (result.exit_code, "--figure must end in" in result.stderr) == (2, True)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("many", [False, True], ids=["few ridges", "many ridges"])
@pytest.mark.parametrize("head", ["additive", "bilinear", "sum", "dot-product"])
def test_fits_agree_with_plain_ridge_on_explicit_features(head, many, intercept):
    v, t, y = data(d_t=4 if head == "dot-product" else 3)
    ridges = [0.01, 1.0, *(np.geomspace(1e-3, 10, 20) if many else [])]
    sizes = [5, 12, 13, 60]  # on both sides of the 12 products
    x, points = head_features(head, v, t), data(9, d_t=t.shape[1], seed=1)[:2]
    seen = set()
    for fit in fit_head(head, v, t, y, sizes, ridges, intercept):
        plain = Ridge(alpha=fit.ridge, fit_intercept=intercept).fit(x[: fit.n], y[: fit.n])
        expected = plain.predict(head_features(head, *points)).reshape(9, -1)
        np.testing.assert_allclose(fit.predictor(*points), expected, rtol=1e-6, atol=1e-8)
        missed = y[: fit.n] - plain.predict(x[: fit.n]).reshape(fit.n, -1)
        np.testing.assert_allclose(fit.training, np.mean(missed**2, axis=0), rtol=1e-6, atol=1e-9)
        seen.add((fit.n, fit.ridge))
    assert len(seen) == len(sizes) * len(ridges)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("head", ["additive", "bilinear"])
def test_without_ridge_fits_have_least_norm(head, intercept):
    v, t, y = data()
    for fit in fit_head(head, v, t, y, [5, 30], [0.0, 0.5], intercept):
        for k, column in enumerate(y.T):
            arguments = column[: fit.n], fit.ridge, intercept
            if head == "bilinear":
                w = fit_bilinear_ridge(v[: fit.n], t[: fit.n], *arguments)
                found = fit.predictor.product[k]
            else:
                w = fit_linear_ridge(np.hstack([v, t])[: fit.n], *arguments)
                found = np.concatenate([fit.predictor.image[k], fit.predictor.text[k]])
            np.testing.assert_allclose(found, w, rtol=1e-6, atol=1e-8)


def test_tangent_kernel_agrees_with_plain_kernel_ridge():
    v, t, y = data()
    test, kernel = data(9, seed=1)[:2], find_head("concat-mlp").gram
    for fit in fit_head("concat-mlp", v, t, y, [20, 60], [0.1], False, test=test):
        plain = KernelRidge(alpha=fit.ridge, kernel="precomputed")
        plain.fit(kernel(v[: fit.n], t[: fit.n], v[: fit.n], t[: fit.n]), y[: fit.n])
        expected = plain.predict(kernel(*test, v[: fit.n], t[: fit.n]))
        np.testing.assert_allclose(fit.outputs, expected, rtol=1e-6, atol=1e-8)


def test_low_rank_head_is_that_of_the_library():
    v, t, y = data()
    [fit] = fit_head("low-rank", v, t, y[:, :1], [60], [0.1], rank=1)
    expected = fit_low_rank(v, t, y[:, 0], 1, np.random.default_rng([60, 0]))
    np.testing.assert_allclose(fit.predictor.product[0], expected)
    assert np.linalg.matrix_rank(fit.predictor.product[0]) == 1
    with pytest.raises(InputError, match="rank must be given"):
        next(fit_head("low-rank", v, t, y, [60], [0.1]))


def test_table_has_a_row_for_every_run(tmp_path):
    tangent = ["concat-mlp", "concat-mlp-aligned"]
    heads = ["additive", "bilinear", "sum", "low-rank", "dot-product", *tangent]
    grid = small(heads=heads, rank=1, test_rows=64)
    table = simulate(grid, tmp_path)
    assert len(table) == grid.runs == 4 * (6 * 2 + 1) * 2 * 2
    keys = ["pairs.correlation", "target.interaction", "head", "n", "ridge", "seed"]
    assert not table.duplicated(keys).any()
    assert table["test"].notna().all()
    assert table["training"].notna().all()
    assert (table["exact"] == ~table["head"].isin(tangent)).all()
    predicted = table["head"].isin(["additive", "bilinear", "sum"])
    assert table.loc[predicted, "predicted_test"].notna().all()
    bounded = table["floor"].notna()
    assert (table["test"] >= table["floor"] - 1e-9)[bounded].all()
    assert (table["floor"] >= table["bayes"] - 1e-9)[bounded].all()
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.parquet", grid), table)


def test_exact_test_error_is_that_on_many_test_rows():
    grid = small(heads=["sum"], n=[24], ridges=[0.1], seeds=1, vary={"pairs.correlation": [0.6]})
    config = grid.configs[0]
    [row] = run_unit(units_of(grid)[1])
    draw = config.unlabelled(24, [0, 0])
    [fit] = fit_head("sum", draw.v, draw.t, config.labels(draw)[:, None], [24], [0.1])
    test = config.draw(100_000, seed=5)
    squares = (test.label - fit.predictor(test.v, test.t)[:, 0]) ** 2
    assert abs(squares.mean() - row["test"]) < 4.5 * squares.std() / np.sqrt(squares.size)


@pytest.mark.parametrize("kind", ["xor", "matching", "mix"])
def test_classification_has_an_accuracy(tmp_path, kind):
    # Correlated directions would make the classes of an xor unequal.
    rho = 0.0 if kind == "xor" else 0.9
    grid = SimulationGrid.of(
        {"pairs.d_v": 4, "pairs.d_t": 4, "pairs.correlation": rho, "target.kind": kind}
        | {"target.task": "classification"},
        {},
        heads=["additive", "bilinear"],
        n=[1000],
        seeds=3,
        ridges=[0.1],
    )
    table = simulate(grid, tmp_path)
    means = table.groupby("head")["accuracy"].mean()
    assert means["bilinear"] > 0.6
    assert (table["exact"] == (kind != "mix")).all()
    if kind != "mix":
        assert abs(means["additive"] - 0.5) < 0.03
    if kind == "matching":
        rows = table[table["head"] == "bilinear"]
        assert (rows["formula"] == "predict_curve").all()
        assert rows["predicted_accuracy"].iloc[0] == pytest.approx(means["bilinear"], abs=0.03)


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
    with monkeypatch.context() as patch:
        slow = lambda unit: time.sleep(0.02) or run_unit(unit)  # noqa: E731
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


def test_differences_name_what_is_combined_otherwise():
    first = {"configs": [{"a": 1, "b": 1}, {"a": 2, "b": 2}]}
    second = {"configs": [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}]}
    assert "combined in another way" in differences(first, second)[0]


def test_settings_vary_together():
    grid = small(vary={"pairs.d_v, pairs.d_t": [2, 4]})
    assert [(c.pairs.d_v, c.pairs.d_t) for c in grid.configs] == [(2, 2), (4, 4)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": []}, "n must not be empty"),
        ({"heads": []}, "heads must not be empty"),
        ({"seeds": []}, "seeds must not be empty"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"ridges": []}, "ridges must not be empty"),
        ({"ridges": [-1.0]}, "ridge must be a finite number of at least 0"),
        ({"n": [1]}, "n must be at least 2"),
        ({"n": [8, 8]}, "n must be distinct"),
        ({"heads": "additive"}, "heads must be a list, got 'additive'"),
        ({"heads": ["mlp"]}, "heads must be of additive, bilinear, .* got 'mlp'"),
        ({"heads": ["low-rank"]}, "rank must be an integer, got None"),
        ({"heads": ["low-rank"], "rank": 4}, r"rank must be at most min\(d_v, d_t\) = 3, got 4"),
        ({"predict": "exact"}, "predict must be one of sharp, gaussian, none"),
        ({"study": "A b"}, "study must be lowercase"),
        ({"vary": {"pairs.correlation": []}}, "vary 'pairs.correlation' must not be empty"),
        ({"vary": {"pairs.correlation": [0.0, 1.5]}}, r"correlation must be in \[0, 1\], got 1.5"),
        ({"vary": {"target.interaction": [2]}}, r"interaction must be a number in \[0, 1\]"),
        ({"vary": {"target.share": [0.1]}}, "setting 'target.share' is not known"),
        ({"heads": ["dot-product"], "vary": {"pairs.d_v": [4]}}, "of one dimension, got 4 and"),
    ],
)
def test_impossible_grids_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        small(**change)


def test_a_grid_reaches_its_limits():
    assert small(heads=["low-rank"], rank=3).rank == 3
    d_v, d_t = small().configs[0].pairs.d_v, small().configs[0].pairs.d_t
    most = 2**32 // (d_v + d_t)
    assert small(n=[most]).n == (most,)
    with pytest.raises(InputError, match=f"n must be at most {most} for {d_v} and {d_t} dim"):
        small(n=[most + 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n = [", "path must be a TOML file"),
        (TOML.replace("seeds = 30", ""), "seeds must be given"),
        (TOML.replace("study", "studies"), "'studies' is not known"),
        (TOML.replace("d_v = 12", "d_v = 0"), "d_v must be at least 1"),
        ("pairs = 3", "pairs must be a table"),
        (TOML.replace("seeds = 30", "seeds = true"), "seeds must be an integer, got True"),
        (re.sub("ridge = .*", f"ridge = [{10**400}]", TOML), "ridge must be a number of at"),
        ("\ufeffpairs = 3", "pairs must be a table"),  # begins as some editors begin files
    ],
)
def test_bad_files_are_refused(tmp_path, text, message):
    (tmp_path / "grid.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_grid(tmp_path / "grid.toml")


def test_bad_calls_are_refused(tmp_path):
    with pytest.raises(InputError, match="jobs must be at least 1"):
        simulate(small(), tmp_path, jobs=0)
    with pytest.raises(InputError, match=r"nowhere\.toml"):
        read_grid(tmp_path / "nowhere.toml")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        simulate(small(), tmp_path / "file")


def test_command_line_runs_the_example(tmp_path, capsys):
    example = Path(__file__).parents[2] / "experiments" / "simulate_example.toml"
    arguments = ["simulate", str(example), "--out", str(tmp_path)]
    app(arguments, standalone_mode=False)
    assert f"{read_grid(example).runs} runs" in capsys.readouterr().out
    table = read_table(tmp_path / "table.parquet")
    assert set(table["head"]) == {"additive", "bilinear"}
    (tmp_path / "bad.toml").write_text(TOML.replace("0.5]", "1.5]"))
    with pytest.raises(InputError, match="correlation must be"):
        app(["simulate", str(tmp_path / "bad.toml")], standalone_mode=False)


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


def test_the_other_commands_name_of_the_additive_head_is_taken():
    settings = {"pairs.d_v": 2, "pairs.d_t": 2}
    given = {"n": [8], "seeds": 1, "ridges": [0.1]}
    grid = SimulationGrid.of(settings, {}, heads=["concat-linear"], **given)
    assert grid == SimulationGrid.of(settings, {}, heads=["additive"], **given)
    with pytest.raises(InputError, match="heads must be distinct"):
        SimulationGrid.of(settings, {}, heads=["concat-linear", "additive"], **given)


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


def test_the_rank_may_be_the_smaller_dimension():
    assert small(heads=["low-rank"], rank=3).rank == 3
