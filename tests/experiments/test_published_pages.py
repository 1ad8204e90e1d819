"""Pages whose tables a study publishes have them as they are stored."""

from __future__ import annotations

import pytest

from experiments.foreign_features import publish as foreign_features
from experiments.own_trials import publish as own_trials


@pytest.mark.parametrize("study", [own_trials, foreign_features], ids=lambda m: m.PAGE.name)
def test_a_page_has_the_tables_of_its_study(study):
    text = study.PAGE.read_text(encoding="utf-8")
    assert study.page(text) == text


@pytest.mark.parametrize("study", [own_trials, foreign_features], ids=lambda m: m.PAGE.name)
def test_a_table_that_is_off_is_mended(study):
    text = study.PAGE.read_text(encoding="utf-8")
    begin = text.index("<!-- kinds -->")
    row = text.index("\n| ", text.index("|---", begin))
    assert study.page(text[:row] + "\n| wrong | 99.9 |" + text[row:]) == text
