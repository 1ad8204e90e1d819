"""What a person sees first: names, version, pictures, words where PyTorch is missing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import is_dataclass
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import fusiontheory as ft
from fusiontheory.cli import app
from fusiontheory.plotting import save_figure
from validation.__main__ import app as validation_app


def test_dir_lists_public_names_and_nothing_else() -> None:
    assert sorted(dir(ft)) == sorted(ft.__all__)
    assert not [name for name in dir(ft) if name.startswith("_")]


@pytest.mark.parametrize("room", ["matching", "risk", "signal", "solvers", "store"])
def test_what_a_room_describes_cannot_change(room: str) -> None:
    module = importlib.import_module(f"fusiontheory.{room}")
    described = [one for one in vars(module).values() if is_dataclass(one)]
    assert described
    for one in described:
        assert one.__dataclass_params__.frozen, one


def test_version() -> None:
    assert ft.__version__ == version("fusiontheory")
    assert CliRunner().invoke(app, ["--version"]).stdout == f"fusiontheory {ft.__version__}\n"
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(ft, "no_such_name")  # noqa: B009


def helps() -> dict[str, str]:
    """Return the help of every command of both command lines, by its whole name."""
    found = {}
    for line, tree in (("fusiontheory", app), ("python -m validation", validation_app)):
        waiting = [(line, typer.main.get_command(tree))]
        while waiting:
            name, command = waiting.pop()
            parts = getattr(command, "commands", {})
            # Those of other packages have a line of their own.
            waiting += [(f"{name} {n}", one) for n, one in parts.items() if n != "validate"]
            if not parts:
                found[name] = str(command.help)
    return found


def test_every_help_has_an_example_that_starts_as_it_is_called() -> None:
    found = helps()
    assert {"fusiontheory predict", "fusiontheory store verify"} <= set(found)
    assert "python -m validation arrays" in found
    without = [
        name
        for name, text in found.items()
        if f"        {name}" not in text.partition("Example")[2].replace("\n    ", "\n        ")
    ]
    assert not without


def test_without_torch_the_import_says_what_to_install() -> None:
    code = (
        "import sys, importlib.abc\n"
        "class Gone(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'torch': raise ModuleNotFoundError('no torch', name='torch')\n"
        "sys.meta_path.insert(0, Gone())\n"
        "import fusiontheory.training\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "pip install 'fusiontheory[torch]'; predictions and kernel heads do without it"
    )


def test_moments_are_a_line() -> None:
    x = np.random.default_rng(0).standard_normal((60, 8))
    said = repr(ft.Moments.from_features(x, np.stack([x, -x], axis=1)))
    assert said.startswith("Moments(8 x 8 dimensions, 60 images x 2 texts, tr M_v = ")
    assert len(said) < 100


HEADS = ("concat-mlp", "bilinear", "dot-product", "concat-linear")
CURVE = pd.DataFrame(
    [(h, n, 0.6, 0.59, 0.61) for h in HEADS for n in 2 ** np.arange(8, 18)],
    columns=["head", "n", "accuracy", "accuracy_low", "accuracy_high"],
)


def test_a_figure_is_a_picture_and_pyplot_does_not_show_it_again(tmp_path) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_fignums()
    figure = ft.plot(CURVE)
    png, size = figure._repr_png_()
    assert png[:4] == b"\x89PNG"
    assert size["width"] == 540
    assert pyplot.get_fignums() == before
    save_figure(figure, tmp_path / "figure", ["svg"])
    assert (tmp_path / "figure.svg").is_file()


@pytest.mark.parametrize("draw", [lambda: ft.plot(CURVE), ft.figure6], ids=["curve", "figure6"])
def test_labels_of_ticks_do_not_touch(draw) -> None:
    figure = draw()
    figure.draw_without_rendering()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [t for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
            labels = [t.label1 for t in ticks if t.label1.get_text()]
            # Of panels with one scale the labels of y stand beside the first alone.
            boxes = [label.get_window_extent() for label in labels if label.get_visible()]
            assert len(boxes) > 2 or axis is not figure.axes[0].yaxis
            for one, other in pairwise(boxes):
                assert not one.overlaps(other)


def test_a_sharp_risk_curve_is_drawn_as_it_is_computed() -> None:
    values, power, n = np.ones(8), np.full(8, 0.1), [8, 16, 64]
    (line,) = ft.plot_risk(values, power, n, 0.1, 0.2).axes[0].lines
    assert line.get_ydata() == pytest.approx(ft.ridge_risk(values, power, np.array(n), 0.1, 0.2))


def test_figure_6_has_the_claimed_risks() -> None:
    aligned, unaligned = ft.figure6(n=[1024.0, 4096.0]).axes
    concat, attention = (line.get_ydata() for line in aligned.lines)
    assert concat == pytest.approx([0.25 + 64 / 1024, 0.25 + 64 / 4096])
    assert attention == pytest.approx([0.25 + 1.0, 0.25 + 0.25])
    assert unaligned.lines[0].get_ydata() == pytest.approx(concat + 0.8)
