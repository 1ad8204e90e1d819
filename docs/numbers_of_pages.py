"""The numbers in README and pages, from stored tables.

``python docs/numbers_of_pages.py`` writes them. A number that is followed by a comment such as
``<!-- bilinear_error -->`` is that of the function of this name below; a comment with semicolons
names table, rows, value and format itself (`numbers_of_tables`). Between ``<!-- rows of x -->`` and
``<!-- end of x -->`` stand the lines of the function x of `numbers_of_blocks`, and below
``<!-- cells: ... -->`` those of a table that is described there (`numbers_of_cells`). A test fails
where text and table differ, and another one where a number that looks measured has no mark
(`numbers_unmarked`).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from numbers_of_blocks import BLOCKS
from numbers_of_cells import cells
from numbers_of_choices import numbers as numbers_of_choices
from numbers_of_pilots import numbers as numbers_of_pilots
from numbers_of_studies import NUMBERS as NUMBERS_OF_STUDIES
from numbers_of_tables import shown
from numbers_of_trained import numbers as numbers_of_trained
from numbers_unmarked import pages

ROOT = Path(__file__).resolve().parents[1]
NUMBERS: dict[str, Callable[[], str]] = {}

_MARKED = re.compile(
    r"([^\s(\[]+)(<!-- (?!settings? -->|derived -->)"
    r"([a-z0-9_]+|[\w./:-]+;(?:(?!-->).)+) -->)",
    re.DOTALL,
)
_CELLS = re.compile(r"(<!-- cells: (.*?) -->\n)(.*?)(<!-- end of cells -->)", re.DOTALL)
_BLOCK = re.compile(r"(<!-- rows of (\w+) -->\n)(.*?)(<!-- end of \2 -->)", re.DOTALL)


def number(function: Callable[[], str]) -> Callable[[], str]:
    """Register a function under its name."""
    NUMBERS[function.__name__] = function
    return function


def table(name: str) -> pd.DataFrame:
    """Return a table of the main job."""
    return pd.read_csv(ROOT / "docs" / "results" / f"{name}.csv")


def with_numbers(text: str, folder: str = "") -> str:
    """Return a page of a folder with its numbers as the tables have them.

    >>> NUMBERS["two"] = lambda: "2"
    >>> with_numbers("It is 3<!-- two --> here.")
    'It is 2<!-- two --> here.'
    >>> del NUMBERS["two"]
    """
    text = _BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[4]}", text)
    text = _CELLS.sub(lambda found: f"{found[1]}{cells(found[2], folder)}\n{found[4]}", text)
    return _MARKED.sub(lambda found: f"{_written(found[3], folder)}{found[2]}", text)


def folder_of(page: Path) -> str:
    """Return the folder of a page, from the root of the clone."""
    return page.parent.relative_to(ROOT).as_posix()


def _written(mark: str, folder: str) -> str:
    return shown(" ".join(mark.split()), folder) if ";" in mark else NUMBERS[mark]()


def _errors(head: str) -> pd.Series[float]:
    rows = table("comparison")
    rows = rows[rows["head"] == head]
    return 100 * (rows["predicted"] - rows["measured"]).abs()


@number
def bilinear_error() -> str:
    """Mean absolute error of the predicted accuracy of the bilinear head, in points."""
    return f"{_errors('bilinear').mean():.1f}"


@number
def mlp_error() -> str:
    """The same of the concatenation MLP."""
    return f"{_errors('concat-mlp').mean():.1f}"


@number
def dot_error() -> str:
    """The same of the dot product."""
    return f"{_errors('dot-product').mean():.1f}"


@number
def mlp_low_at_8192() -> str:
    """By how much the concatenation MLP is low at 8192 pairs, in points, the worse condition."""
    rows = table("comparison")
    rows = rows[(rows["head"] == "concat-mlp") & (rows["n"] == 8192)]
    return f"{100 * (rows['measured'] - rows['predicted']).max():.1f}"


@number
def least_risk_loses() -> str:
    """Accuracy that trained heads lose at the ridge of least risk, in points: the largest loss.

    Both ridges are chosen on dev pairs; no prediction has part in it.
    """
    rows = table("ridges")
    rows = rows[rows["head"].isin(("bilinear", "concat-mlp"))]
    cell = ["condition", "head", "n"]
    place = rows.groupby([*cell, "seed"])["at_ridge"].rank()
    mean = rows.assign(place=place).groupby([*cell, "place"])[["accuracy", "risk"]].mean()
    best = mean.groupby(cell)["accuracy"].max()
    least = mean.loc[mean.groupby(cell)["risk"].idxmin(), "accuracy"].droplevel("place")
    return f"{100 * (best - least).max():.1f}"


@number
def gap_error() -> str:
    """Mean absolute error of the predicted gap, in points."""
    return _gap_error(table("gaps"))


def _clear() -> pd.DataFrame:
    rows = table("gaps")
    return rows[rows["measured_gap"].abs() > 2 * rows["measured_gap_se"]]


@number
def clear_cells() -> str:
    """Cells in which the data show a leader."""
    return str(len(_clear()))


@number
def right_cells() -> str:
    """Those in which the predicted leader is the measured one."""
    rows = _clear()
    return str(int((rows["measured_gap"] * rows["predicted_gap"] > 0).sum()))


def _lead(condition: str, n: int, gap: str = "measured_gap") -> str:
    rows = table("gaps").set_index(["condition", "n"])
    return f"{-100 * rows.loc[(condition, n), gap]:+.1f}"


@number
def lead_aligned_256() -> str:
    """Lead of the bilinear head on aligned features at 256 pairs, in points."""
    return _lead("aligned", 256)


@number
def lead_aligned_2048() -> str:
    """The same at 2048 pairs."""
    return _lead("aligned", 2048)


@number
def lead_aligned_8192() -> str:
    """The same at 8192 pairs."""
    return _lead("aligned", 8192)


@number
def predicted_lead_aligned_8192() -> str:
    """What was predicted there."""
    return _lead("aligned", 8192, "predicted_gap")


@number
def lead_unaligned_2048() -> str:
    """Lead of the bilinear head on unaligned features at 2048 pairs, in points."""
    return _lead("unaligned", 2048)


@number
def lead_unaligned_8192() -> str:
    """The same at 8192 pairs."""
    return _lead("unaligned", 8192)


def _crossover(column: str) -> str:
    return f"{table('crossovers').set_index('condition').loc['aligned', column]:.0f}"


@number
def best_crossover() -> str:
    """Pairs from which concatenation leads, aligned, with each head at its best ridge."""
    return _crossover("measured")


@number
def best_crossover_low() -> str:
    """Lower end of its interval."""
    return _crossover("measured_low")


@number
def best_crossover_high() -> str:
    """Upper end of its interval."""
    return _crossover("measured_high")


@number
def fixed_crossover() -> str:
    """Pairs from which concatenation leads, aligned, with both heads at ridge 0.1."""
    rows = pd.read_csv(ROOT / "docs" / "results" / "ridge_0.1" / "crossovers.csv")
    return f"{rows.set_index('condition').loc['aligned', 'measured']:.0f}"


def _networks(head: str, column: str) -> float:
    rows = pd.read_csv(ROOT / "docs" / "results" / "trained" / "predictor_errors.csv")
    rows = rows[(rows["setting"] == "published") & (rows["predictor"] == "sharp")]
    rows = rows[rows["scope"] == "head"].set_index("of")
    return float(abs(rows.loc[head, column]))


@number
def network_mlp() -> str:
    """Mean distance of trained concatenation networks from the kernel's prediction, in points."""
    return f"{_networks('concat-mlp', 'mean_abs_points'):.1f}"


@number
def network_bilinear() -> str:
    """The same of trained bilinear networks."""
    return f"{_networks('bilinear', 'mean_abs_points'):.1f}"


@number
def network_largest() -> str:
    """The largest of these distances."""
    heads = ("concat-mlp", "bilinear")
    return f"{max(_networks(head, 'largest_points') for head in heads):.1f}"


def _blind(name: str) -> pd.DataFrame:
    return table(f"blind/{name}-8091/gaps")


def _gap_error(rows: pd.DataFrame) -> str:
    return f"{100 * (rows['predicted_gap'] - rows['measured_gap']).abs().mean():.1f}"


@number
def blind_gap_layer3() -> str:
    """Mean error of the gap on features of ResNet18's third layer, in points."""
    return _gap_error(_blind("layer3"))


@number
def blind_gap_mobilenet() -> str:
    """The same on features of MobileNetV2."""
    return _gap_error(_blind("mobilenet"))


def _both_blind() -> pd.DataFrame:
    return pd.concat([_blind("layer3"), _blind("mobilenet")])


@number
def blind_signs_right() -> str:
    """Cells of both in which the predicted leader is the measured one."""
    rows = _both_blind()
    return str(int((rows["measured_gap"] * rows["predicted_gap"] > 0).sum()))


@number
def blind_cells() -> str:
    """All cells of both."""
    return str(len(_both_blind()))


def _rehearsal() -> dict[str, Any]:
    path = ROOT / "docs" / "results" / "clip" / "rehearsal.json"
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


@number
def rehearsal_plain() -> str:
    """Processor seconds of the rehearsal of make clip without interruption."""
    return f"{_rehearsal()['plain']['processor seconds']:.0f}"


@number
def rehearsal_killed() -> str:
    """The same of the one that was killed twice, without what the kills cut off."""
    return f"{_rehearsal()['killed']['processor seconds']:.0f}"


@number
def rehearsal_tables() -> str:
    """Tables of a rehearsal that were compared."""
    return str(_rehearsal()["tables"])


@number
def rehearsal_pictures() -> str:
    """Other files that were compared."""
    facts = _rehearsal()
    return str(facts["files"] - facts["tables"])


@number
def rehearsal_different() -> str:
    """Files that differed in more than measured seconds."""
    return str(len(_rehearsal()["different"]))


NUMBERS.update(numbers_of_choices())
NUMBERS.update(numbers_of_pilots())
NUMBERS.update(numbers_of_trained())
NUMBERS.update(NUMBERS_OF_STUDIES)

if __name__ == "__main__":
    sys.path.append(str(ROOT))  # the summaries of studies
    for path in pages():
        text = with_numbers(path.read_text(encoding="utf-8"), folder_of(path))
        path.write_text(text, encoding="utf-8")
