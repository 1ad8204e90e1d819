"""The numbers in README and pages are those of the stored tables."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import numbers_of_cells
import numbers_of_pages as pages
import numbers_of_tables
import numbers_unmarked
from numbers_of_blocks import BLOCKS

PAGES = [path.relative_to(ROOT).as_posix() for path in numbers_unmarked.pages()]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_numbers_of_the_tables(page):
    text = (ROOT / page).read_text()
    assert pages.with_numbers(text, pages.folder_of(ROOT / page)) == text


@pytest.mark.parametrize("page", PAGES)
def test_a_number_that_looks_measured_has_a_mark(page):
    found = list(numbers_unmarked.unmarked((ROOT / page).read_text()))
    assert found == [], "see docs/numbers_unmarked.py"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is 2.3 points off.", ["2.3"]),
        ("About 12 % hold, in 3 minutes.", ["12", "3"]),
        ("Off by +0.4 ± 0.1 on average.", ["+0.4", "0.1"]),
        ("| bilinear | 81.5 |", ["81.5"]),
        ("- a list\n\n  that goes on for 7.5 s", ["7.5"]),
        ("error = 2.3 points", ["2.3"]),
        ("2.3<!-- bilinear_error --> and 5 %<!-- setting -->, 1.69<!-- derived --> times", []),
        ("4.1 to 5.1 points<!-- quoted: arXiv:2606.01207 -->", []),
        ("rho = 0.3, 0.6 and 0.9, n < 0.5 d; ridge 0.1 or 0.25; `0.4`; [a](b0.5); 1.2.3", []),
        ("# Setting\n<!-- settings -->\nnoise 0.25\n\n# Result\n0.5", ["0.5"]),
        ("As follows.\n\n    x = 0.5 y\n\nThen.\n\n```\n0.5\n```\n", []),
    ],
)
def test_what_looks_measured(text, numbers):
    assert [number for _, number in numbers_unmarked.unmarked(text)] == numbers


def test_a_table_is_drawn_from_its_file():
    place = "docs/results/gaps.csv; n < 512; condition; n; {-100*measured_gap:+.1f}; condition=on"
    text = f"<!-- cells: {place} -->\nold\n<!-- end of cells -->"
    lines = pages.with_numbers(text).splitlines()
    assert lines[1:3] == ["| on | 256 |", "| --- | --- |"]
    assert f"| aligned | {pages.NUMBERS['lead_aligned_256']()} |" in lines
    rows = "n < 512 and condition == 'aligned'"
    several = f"docs/results/gaps.csv; {rows}; condition;; a = {{n:d}} | b = x {{n.max():.1f}}"
    assert numbers_of_cells.cells(several).splitlines()[2] == "| aligned | 256 | x 256.0 |"


def test_a_number_that_is_off_is_mended():
    mended = pages.with_numbers("99.9<!-- bilinear_error --> points")
    assert mended == f"{pages.NUMBERS['bilinear_error']()}<!-- bilinear_error --> points"


def test_a_number_that_names_its_table_is_mended():
    rows = "n == 256 and condition == 'aligned'"
    mark = f"<!-- docs/results/gaps.csv; {rows}; -100*measured_gap; +.1f -->"
    mended = pages.with_numbers(f"leads by +1.0{mark} points")
    assert mended == f"leads by {pages.NUMBERS['lead_aligned_256']()}{mark} points"


@pytest.mark.parametrize(
    "place", ["docs/results/gaps.csv; n == 256", "docs/results/gaps.csv;; n; d"]
)
def test_a_place_that_is_not_one_number_is_refused(place):
    with pytest.raises(ValueError, match="gaps"):
        numbers_of_tables.shown(place)


def test_rows_of_a_page_are_mended():
    text = "<!-- rows of shared_pairs -->\nold\n<!-- end of shared_pairs -->"
    mended = pages.with_numbers(text)
    assert "old" not in mended
    assert BLOCKS["shared_pairs"]() in mended
