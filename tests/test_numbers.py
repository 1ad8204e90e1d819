"""The numbers in README and pages are those of the stored tables."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import numbers_of_pages as pages


@pytest.mark.parametrize("page", pages.PAGES)
def test_a_page_has_the_numbers_of_the_tables(page):
    text = (ROOT / page).read_text()
    assert re.search(r"<!-- [a-z0-9_]+ -->", text)
    assert pages.with_numbers(text) == text


def test_a_number_that_is_off_is_mended():
    mended = pages.with_numbers("99.9<!-- bilinear_error --> points")
    assert mended == f"{pages.NUMBERS['bilinear_error']()}<!-- bilinear_error --> points"
