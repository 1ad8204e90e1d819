"""No check of before the rooms is lost: where its message went, the table names what stands now."""

import doctest
from importlib import import_module
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).parents[2] / "docs"


def test_what_stands_in_place_of_a_message_is_raised(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    refusals = import_module("refusals")
    assert doctest.testmod(refusals).failed == 0
    table = pd.read_csv(refusals.TABLE, keep_default_na=False)
    now = refusals.messages(refusals.here())
    assert [text for text in table["before"] if text in now] == []
    assert [text for text in table["now"] if text and text not in now] == []
    assert (table["why"] != "").all()
