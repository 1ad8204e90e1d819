"""The page loads nothing, and no text of the data becomes markup."""

import re

import pytest

from fusiontheory import InputError
from fusiontheory.advice import Advice


def test_the_page_is_self_contained(labelled, matching):
    for found in (labelled, matching):
        page = found.page()
        assert "default-src 'none'" in page
        assert "<script" not in page
        links = re.findall(r'(?:src|srcset|href)="([^"]*)"', page)
        assert links
        assert all(link.startswith("data:") for link in links)
        assert "prefers-color-scheme: dark" in page
        assert "url(" not in page


def test_text_is_escaped(labelled):
    record = labelled.to_json().replace("interaction", "<script>alert(1)</script>&")
    found = Advice.from_json(record)
    for html in (found.page(), found._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_a_page_is_written_or_refused(labelled, tmp_path):
    assert labelled.write_page(tmp_path / "page.html").read_text().startswith("<!doctype html>")
    with pytest.raises(InputError, match=r"\.html"):
        labelled.write_page(tmp_path / "page.txt")
