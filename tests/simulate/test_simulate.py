"""Simulation: its table, its figure, its command."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_grids import TOML, small
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.cli import app
from fusiontheory.simulate import (
    SimulationGrid,
    fit_head,
    plot_simulation,
    read_grid,
    read_table,
    run_unit,
    simulate,
    units_of,
)


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
