"""Figures hold the numbers of their tables, and the same table gives the same file."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from fusiontheory.checks import InputError
from fusiontheory.plotting import (
    head_styles,
    plot_calibration,
    plot_comparison,
    plot_curve,
    plot_gap,
    render_figure,
    save_figure,
)
from fusiontheory.store import write_atomically

SIZES = [256, 512, 1024]


def table(*conditions: str, heads: tuple[str, ...] = ("concat-mlp", "bilinear")) -> pd.DataFrame:
    rows = [
        (c, h, n, 0.6 + 0.1 * i + 0.05 * k + 0.01 * j, 0.004)
        for j, c in enumerate(conditions)
        for k, h in enumerate(heads)
        for i, n in enumerate(SIZES)
    ]
    points = pd.DataFrame(rows, columns=["condition", "head", "n", "measured", "measured_se"])
    predicted = points["measured"] - 0.02
    return points.assign(
        predicted=predicted,
        predicted_low=predicted - 0.01,
        predicted_high=predicted + 0.01,
        seeds=3,
    )


def lines(points: pd.DataFrame) -> pd.DataFrame:
    curves = points[["condition", "head", "n"]].assign(
        accuracy=points["predicted"],
        accuracy_low=points["predicted_low"],
        accuracy_high=points["predicted_high"],
    )
    return curves.assign(risk=1 - curves["accuracy"])


def gap_table(condition: str = "aligned") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "condition": condition,
            "n": SIZES,
            "seeds": 3,
            "measured_gap": [-0.2, -0.05, 0.03],
            "measured_gap_se": [0.01, 0.02, 0.005],
            "predicted_gap": [-0.25, -0.1, 0.01],
        }
    )


def crossings(measured: float = 800.0, predicted: float = 900.0) -> pd.DataFrame:
    low, high = 0.9 * measured, 1.1 * measured
    return pd.DataFrame(
        [("aligned", measured, low, high, predicted)],
        columns=["condition", "measured", "measured_low", "measured_high", "predicted"],
    )


def bars(axes: Axes) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each set of points: x, y, and the half-heights of the bars."""
    found = []
    for container in axes.containers:
        line, _, (segments, *_) = container.lines
        ends = np.array(segments.get_segments())
        found.append((line.get_xdata(), line.get_ydata(), np.ptp(ends[:, :, 1], axis=1) / 2))
    return found


@pytest.mark.parametrize("width", [7.2, 3.5])
def test_comparison_shows_the_data(width: float) -> None:
    points = table("unaligned", "aligned")
    figure = plot_comparison(points, lines(points), width)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["unaligned", "aligned"]
    for condition, axes in zip(["unaligned", "aligned"], figure.axes, strict=True):
        rows = points[points["condition"] == condition]
        for head, (x, y, half) in zip(["bilinear", "concat-mlp"], bars(axes), strict=True):
            expected = rows[rows["head"] == head]
            np.testing.assert_allclose(x, SIZES)
            np.testing.assert_allclose(y, 100 * expected["measured"])
            np.testing.assert_allclose(half, 196 * expected["measured_se"])
            drawn = [line.get_ydata() for line in axes.lines]
            assert any(np.array_equal(100 * expected["predicted"], y) for y in drawn)
        assert [label.get_text() for label in axes.get_xticklabels()] == ["256", "512", "1024"]
        assert any(list(line.get_ydata()) == [50, 50] for line in axes.lines)
    tops = {axes.get_position().y1 for axes in figure.axes}
    assert len(tops) == (1 if width > 5 else 2)
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_names_stand_apart_at_the_ends_of_lines() -> None:
    points = table("aligned", heads=("a", "b", "c", "d", "e")).assign(measured=0.7)
    figure = plot_comparison(points, lines(points.assign(predicted=0.7)))
    (axes,) = figure.axes
    names = sorted(
        (t.get_position()[1], t.get_text()) for t in axes.texts if len(t.get_text()) == 1
    )
    figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in axes.texts if len(t.get_text()) == 1]
    boxes.sort(key=lambda box: box.y0)
    assert len(names) == 5
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))


@pytest.mark.parametrize("dense", [True, False])
def test_gap_shows_line_points_and_crossovers(dense: bool) -> None:
    gaps, points = gap_table(), table("aligned")
    curves = lines(points) if dense else lines(points)[:0]
    (axes,) = plot_gap(gaps, curves, crossings()).axes
    ((x, y, half),) = bars(axes)
    np.testing.assert_allclose(x, SIZES)
    np.testing.assert_allclose(y, 100 * gaps["measured_gap"])
    np.testing.assert_allclose(half, 196 * gaps["measured_gap_se"])
    line = [-5.0] * 3 if dense else 100 * gaps["predicted_gap"]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), line)
    on_zero = [list(line.get_xdata()) for line in axes.lines if set(line.get_ydata()) == {0}]
    assert [720.0, pytest.approx(880.0)] in on_zero
    assert [800.0] in on_zero
    assert [900.0] in on_zero
    assert "lead changes at: 800 measured, 900 predicted" in [t.get_text() for t in axes.texts]


def test_gap_without_crossover_says_so() -> None:
    gaps, curves = gap_table(), lines(table("aligned"))
    nan = float("nan")
    for changes in (crossings(nan, nan), crossings()[:0]):
        (axes,) = plot_gap(gaps, curves, changes).axes
        texts = [t.get_text() for t in axes.texts]
        assert "lead changes at: none measured, none predicted" in texts


def test_sides_of_the_gap_have_the_colours_of_their_heads() -> None:
    (axes,) = plot_gap(gap_table(), lines(table("aligned")), crossings()).axes
    looks = head_styles(["concat-mlp", "bilinear"])
    for patch, head in zip(axes.patches, ["concat-mlp", "bilinear"], strict=True):
        assert to_hex(patch.get_facecolor()) == looks[head].colour.lower()
    above, below = (patch.get_extents() for patch in axes.patches)
    assert above.y0 >= below.y1 - 1e-6


@pytest.mark.parametrize(("quantity", "scale"), [("accuracy", 100), ("risk", 1)])
def test_curve(quantity: str, scale: float) -> None:
    curve = lines(table("aligned", heads=("bilinear",)))
    (axes,) = plot_curve(curve, quantity).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), scale * curve[quantity])
    assert "bilinear" in [t.get_text() for t in axes.texts]
    assert len(axes.collections) == (quantity == "accuracy")  # the band


def test_calibration_has_every_cell_and_the_diagonal() -> None:
    points = table("unaligned", "aligned")
    (axes,) = plot_calibration(points).axes
    drawn = np.concatenate([np.transpose(c.lines[0].get_data()) for c in axes.containers])
    assert {tuple(row) for row in drawn} == {
        tuple(row) for row in 100 * points[["measured", "predicted"]].to_numpy()
    }
    (diagonal,) = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())


def test_styles_are_fixed_by_name() -> None:
    assert head_styles(["x", "bilinear"])["bilinear"] == head_styles(["bilinear"])["bilinear"]
    many = head_styles([f"head {i}" for i in range(9)])
    assert len(many) == 9
    known = head_styles(["bilinear", "concat-mlp", "dot-product", "concat-linear", "a", "b", "c"])
    assert len({look.colour for look in known.values()}) == len(known)


def test_extreme_values_are_drawn() -> None:
    points = table("aligned").replace({"n": {512: 10**6, 1024: 10**9}})
    points.loc[0, ["measured_se", "predicted_low"]] = np.nan
    points["measured"] = [0.0, 1.0, 0.5] * 2
    odd = points.assign(head=r"$\frac{", condition="<&>$")
    for figure in (plot_comparison(odd, lines(odd)), plot_calibration(odd)):
        assert render_figure(figure, "svg").startswith(b"<?xml")
    one = points[:1]
    assert render_figure(plot_comparison(one, lines(one)), "png")


def test_same_table_same_bytes_whatever_the_users_settings(tmp_path: Path) -> None:
    points = table("aligned")
    written = []
    for i in range(2):
        with mpl.rc_context({"font.size": 30.0} if i else {}):
            figure = plot_comparison(points, lines(points))
            written.append(save_figure(figure, tmp_path / str(i) / "a.b", ("png", "svg", "pdf")))
    assert [path.name for path in written[0]] == ["a.b.png", "a.b.svg", "a.b.pdf"]
    for first, second in zip(*written, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert not list(tmp_path.rglob("*.tmp"))


def test_refusals(tmp_path: Path) -> None:
    points = table("aligned")
    with pytest.raises(InputError, match="comparison must have the columns measured_se"):
        plot_comparison(points.drop(columns="measured_se"), lines(points))
    with pytest.raises(InputError, match="at least one row"):
        plot_calibration(points[:0])
    with pytest.raises(InputError, match="must be one of png, svg, pdf, got 'bmp'"):
        save_figure(plot_calibration(points), tmp_path / "a", ["png", "bmp"])
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write to"):
        write_atomically(tmp_path / "file" / "a", b"")


def test_global_state_is_left_alone() -> None:
    # The backend is not looked at: reading it is what makes matplotlib choose one.
    code = """
import sys, pandas as pd, fusiontheory.plotting as plotting
assert "matplotlib" not in sys.modules
import matplotlib
settings = lambda: {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != "backend"}
before = settings()
plotting.plot_curve(pd.DataFrame({"n": [1, 2], "risk": [1.0, 0.5]}), "risk")
assert settings() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_a_line_is_dashed_where_it_is_not_trusted() -> None:
    curve = pd.DataFrame({"n": [100, 200, 400], "accuracy": [0.6, 0.7, 0.8]})
    curve = curve.assign(accuracy_low=0.5, accuracy_high=0.9, trusted=[True, False, False])
    axes = plot_curve(curve).axes[0]
    dashed, solid = axes.lines[:2]
    assert dashed.get_linestyle() == "--"
    np.testing.assert_array_equal(np.isnan(solid.get_ydata()), [False, True, True])
    pale = [band.get_alpha() for band in axes.collections]
    assert pale == [0.18, 0.08]
