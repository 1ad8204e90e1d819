"""The numbers in README and pages are those of the stored tables."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import numbers_of_pages as pages
import numbers_of_tables
from numbers_of_blocks import BLOCKS


@pytest.mark.parametrize("page", pages.PAGES)
def test_a_page_has_the_numbers_of_the_tables(page):
    text = (ROOT / page).read_text()
    assert re.search(r"<!-- [a-z0-9_]+ -->|<!-- [^;]+\.csv;", text)
    assert pages.with_numbers(text) == text


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
