"""Each figure draws stored tables alone, names what is missing, and is the same when redrawn."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from paper_figures import (
    __main__,
    figure1,
    figure2,
    figure3,
    figure4,
    figure5,
    figure6,
    gap_curve,
    predicted_against_measured,
)

FIGURES = {module.__name__.rpartition(".")[2]: module for module in __main__.FIGURES}
TRAINED = "docs/results/trained"
READS = {
    "figure1": (f"{TRAINED}/accuracy.csv", f"{TRAINED}/gaps.csv", f"{TRAINED}/missing.json"),
    "figure2": (f"{TRAINED}/accuracy.csv", f"{TRAINED}/missing.json"),
    "figure3": (f"{TRAINED}/accuracy.csv", f"{TRAINED}/gaps.csv", f"{TRAINED}/missing.json"),
    "figure4": ("docs/results/embedding/points.csv", "docs/results/embedding/facts.json"),
    "figure5": ("docs/results/parameter_counts.csv", f"{TRAINED}/runs.csv"),
    "figure6": (
        "experiments/paper_figure6/predictions.csv",
        "experiments/paper_figure6/results.csv",
    ),
    "predicted_against_measured": ("docs/results/comparison.csv", f"{TRAINED}/accuracy.csv"),
    "gap_curve": (
        *("docs/results/curves.csv", "docs/results/gaps.csv"),
        f"{TRAINED}/gaps.csv",
    ),
}
EACH = [pytest.param(module, id=name) for name, module in FIGURES.items()]


def made_up() -> dict[str, pd.DataFrame]:
    """Small tables by file; n = 64 of the bilinear head was not run."""
    conditions, heads = ("unaligned", "aligned"), ("concat-mlp", "cross-attention", "bilinear")
    rows = [
        (setting, c, head, n, sigma, side, 5, start + n / 1000 - sigma, 0.004, start)
        for setting in ("published", "first-search")
        for c in conditions
        for head, start in zip(heads, (0.7, 0.5, 0.8), strict=True)
        for n in (32, 64)
        for sigma, side in ((0.0, "both"), (0.05, "image"), (0.5, "both"))
        if (head, n) != ("bilinear", 64)
    ]
    columns = ["setting", "condition", "head", "n", "sigma", "side", "seeds"]
    accuracy = pd.DataFrame(rows, columns=[*columns, "accuracy", "se", "predicted"])
    gaps = accuracy[accuracy["head"] != "concat-mlp"].rename(columns={"head": "second"})
    gaps = gaps.assign(gap=0.051, crossed_low=0.04, crossed_high=0.06)
    curve = accuracy[(accuracy["sigma"] == 0) & (accuracy["setting"] == "published")]
    bands = {"accuracy_low": curve["accuracy"] - 0.01, "accuracy_high": curve["accuracy"] + 0.01}
    compared = curve.rename(columns={"accuracy": "measured", "se": "measured_se"})
    kernel_gaps = {"condition": ["aligned"], "n": [32], "measured_gap": [0.1]}
    points = [
        (c, modality, image, image + shift, image % 3)
        for c in conditions
        for modality, shift in (("image", 0.0), ("text", 0.5))
        for image in range(6)
    ]
    risk = [
        ("matching", "aligned", theory, "additive", n, 1 + 10 / n, 0.01)
        for theory in ("orders", "sharp")
        for n in (32, 64)
    ]
    risks = pd.DataFrame(
        risk, columns=["target", "condition", "theory", "head", "n", "risk", "risk_se"]
    )
    counts = pd.DataFrame({"head": heads, "parameters": [500, 700, 257], "d_v": 16, "d_t": 16})
    runs = counts[["head", "parameters"]].replace(257, 258).assign(condition="aligned")
    # Of a condition with other dimensions, which the counts are not about.
    other = runs.assign(condition="unaligned", parameters=1)
    return {
        f"{TRAINED}/accuracy.csv": accuracy,
        f"{TRAINED}/gaps.csv": gaps,
        f"{TRAINED}/runs.csv": pd.concat([runs, other]),
        "docs/results/parameter_counts.csv": counts.assign(identifiable=[None, None, 257]),
        "docs/results/curves.csv": curve.assign(**bands),
        "docs/results/gaps.csv": pd.DataFrame(kernel_gaps).assign(measured_gap_se=0.01),
        "docs/results/comparison.csv": compared.assign(predicted_low=0.4, predicted_high=0.9),
        "docs/results/embedding/points.csv": pd.DataFrame(
            points, columns=["condition", "modality", "image", "x", "y"]
        ),
        "experiments/paper_figure6/predictions.csv": risks,
        "experiments/paper_figure6/results.csv": risks[risks["theory"] == "sharp"],
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with made-up tables, and what else is read beside them."""
    root = tmp_path_factory.mktemp("project")
    for name, table in made_up().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(root / name, index=False)
    missing = ["aligned, bilinear, n = 64 (0 of 5 seeds)"]
    missing += ["aligned, bilinear, n = 32, sigma = 0.1 on text (1 of 5 seeds)"]
    (root / TRAINED / "missing.json").write_text(json.dumps(missing))
    facts = {
        "features": "made up",
        "settings": {"images": 6, "perplexity": 2.0, "seed": 4},
        "conditions": {"aligned": {"nearest_is_own": 0.8333}},
    }
    (root / "docs/results/embedding/facts.json").write_text(json.dumps(facts))
    return root


def drawn(
    module: ModuleType, root: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Figure, str]:
    """Draw without the files of the figure, and return the figure and its caption."""
    caught: list[Figure] = []

    def catch(figure: Figure, *_: object) -> list[Path]:
        caught.append(figure)
        return []

    monkeypatch.setattr("paper_figures.tables.save_figure", catch)
    (caption,) = module.draw(root, out)
    return caught[0], caption.read_text(encoding="utf-8")


@pytest.mark.parametrize("module", EACH)
def test_small_tables_give_the_same_files_twice(
    module: ModuleType, small: Path, tmp_path: Path
) -> None:
    first, again = (module.draw(small, tmp_path / name) for name in ("one", "two"))
    name = module.__name__.rpartition(".")[2]
    assert [path.name for path in first] == [f"{name}.{e}" for e in ("png", "svg", "pdf", "txt")]
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
    caption = first[-1].read_text(encoding="utf-8")
    for file in READS[name]:
        assert re.search(rf"{file} \(SHA-256 [0-9a-f]{{12}}\)", caption), caption


@pytest.mark.parametrize("module", EACH)
def test_shipped_tables_are_drawn_within_the_page(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure, caption = drawn(module, Path(), tmp_path, monkeypatch)
    assert figure.get_figwidth() in (3.5, 7.2)
    assert "nan" not in caption.lower().split()
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    # Nothing is clipped: all that is drawn lies within the figure.
    assert box.x0 > -0.02
    assert box.x1 < figure.get_figwidth() + 0.02
    assert box.y0 > -0.02
    assert box.y1 < figure.get_figheight() + 0.02


@pytest.mark.parametrize(
    ("module", "file"), [(FIGURES[name], file) for name, files in READS.items() for file in files]
)
@pytest.mark.parametrize("spoil", ["remove", "bytes", "other"])
def test_missing_and_corrupt_tables_say_what_to_run(
    module: ModuleType, file: str, spoil: str, small: Path, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    shutil.copytree(small, root)
    if spoil == "remove":
        (root / file).unlink()
    else:
        (root / file).write_bytes(b"\xff\x00\xfe" if spoil == "bytes" else b'{"a": 1}')
    with pytest.raises(InputError, match=rf"results: .*{file}.*; run python -m ") as caught:
        module.draw(root, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_what_was_not_run_is_drawn_as_such_and_named(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(module: ModuleType) -> tuple[Figure, str]:
        return drawn(module, small, tmp_path, monkeypatch)

    figure, caption = draw(figure1)
    assert texts(figure).count("64\nnot run") == 2
    assert "- aligned, bilinear, n = 64 (0 of 5 seeds)" in caption
    assert "sigma = 0.1" not in caption
    figure, caption = draw(figure2)
    assert texts(figure).count("not run") == 3
    assert "- strength-0.25: no record of this condition" in caption
    figure, caption = draw(figure3)
    # No noise on the text: accuracy and lead, aligned and unaligned.
    assert texts(figure).count("not run") == 4
    assert "- aligned, bilinear, n = 32, sigma = 0.1 on text (1 of 5 seeds)" in caption
    assert "Runs with noise at n = 64 are not drawn" in caption
    figure, caption = draw(figure4)
    assert texts(figure).count("not run") == 3
    assert "aligned 83.3 %" in caption
    caption = draw(figure5)[1]
    assert "for 2 of 3 heads; they differ for bilinear" in caption
    assert "- gated: no count" in caption
    figure, caption = draw(figure6)
    assert texts(figure).count("not run") == 3
    assert "- story, aligned: no measured point" in caption
    assert "- unaligned: no measured gap of kernel heads" in draw(gap_curve)[1]


def test_points_are_the_numbers_of_the_tables(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure, _ = drawn(figure2, small, tmp_path, monkeypatch)
    aligned = next(axes for axes in figure.axes if axes.get_title(loc="left") == "aligned")
    heights = [container[0].get_ydata().tolist() for container in aligned.containers]
    # Fixed setting alone: 100 (start + n / 1000).
    expected = [[73.2, 76.4], [53.2, 56.4], [83.2]]
    assert sorted(heights) == [pytest.approx(y) for y in sorted(expected)]
    bars = [container[2][0].get_segments()[0] for container in aligned.containers]
    assert all(top[1] - bottom[1] == pytest.approx(2 * 1.96 * 0.4) for bottom, top in bars)
    figure, _ = drawn(predicted_against_measured, small, tmp_path, monkeypatch)
    places = {
        tuple(round(float(v), 6) for v in xy)
        for container in figure.axes[1].containers
        for xy in container[0].get_xydata()
    }
    assert (83.2, 80.0) in places  # measured, predicted
    figure, _ = drawn(gap_curve, small, tmp_path, monkeypatch)
    band = figure.axes[3].collections[0].get_paths()[0].get_extents()
    # concat-mlp less bilinear at n = 32: -10 points, the bands of both 1 point to either side.
    assert (band.y0, band.y1) == pytest.approx((-12, -8))


def test_both_settings_stand_in_the_main_comparison(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure, _ = drawn(figure1, small, tmp_path, monkeypatch)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "open: searched" in legend
    assert sum("quoted" in text for text in legend) == 1
    faces = {container[0].get_markerfacecolor() for container in figure.axes[0].containers}
    assert "white" in faces
    assert len(faces) > 1


@pytest.mark.parametrize("draw", [figure1.app, __main__.app])
def test_command_refuses_in_one_line(draw: Callable[..., object], tmp_path: Path) -> None:
    found = CliRunner().invoke(draw, ["--root", str(tmp_path), "--out", str(tmp_path)])  # type: ignore[arg-type]
    assert found.exit_code == 2
    assert "run" in found.stderr or "write the report first" in found.stderr
