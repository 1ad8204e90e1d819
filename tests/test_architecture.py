"""docs/architecture.md says what the imports and the profile say."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("tomllib", reason="the contracts are read with Python 3.11 or newer")

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    return import_module("architecture"), import_module("walk")


def test_the_page_is_up_to_date(scripts):
    architecture, walk = scripts
    page = architecture.PAGE.read_text(encoding="utf-8")
    told = "docs/architecture.md is behind the code: make map"
    assert architecture.inserted(page, "rooms", architecture.counted()) == page, told
    assert architecture.inserted(page, "holdings", architecture.holdings()) == page, told
    for name, block in zip(("walk", "joined", "apart"), walk.walks(), strict=True):
        assert architecture.inserted(page, name, block) == page, told


def test_no_room_imports_its_own_floor_or_a_higher_one(scripts):
    architecture, _ = scripts
    for package in architecture.CONTRACTS:
        rows = architecture.floors(package)
        level = {name: k for k, row in enumerate(rows) for name in row}
        assert len(level) > 10
        wrong = [(a, b) for a, b in architecture.arrows(package, rows) if level[a] >= level[b]]
        assert not wrong


def test_examples_run(scripts):
    for script in scripts:
        done = doctest.testmod(script)
        assert done.attempted > 0
        assert done.failed == 0
