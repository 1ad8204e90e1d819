"""What a cell is, and its key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stored import make_cell

from fusiontheory.checks import InputError
from fusiontheory.store import Cell


def test_key_never_changes():
    config = {"n": 16, "alpha": 0.5, "head": "early", "dims": [2, 3], "tied": True, "cap": None}
    assert Cell("demo", config, "f00", "v1").key == "fca5b0379e6a9439a723"


def test_key_ignores_order_and_numpy_but_not_type_or_field():
    cell = Cell("demo", {"n": 1, "dims": [2, 3]}, "f", "v")
    same = Cell("demo", {"dims": (np.int64(2), np.int32(3)), "n": np.int64(1)}, "f", "v")
    assert same.key == cell.key
    assert same == cell
    assert len({cell, same}) == 1
    assert type(same.config["n"]) is int
    others = [
        Cell("demo", {"n": 1.0, "dims": [2, 3]}, "f", "v"),
        Cell("demo", {"n": True, "dims": [2, 3]}, "f", "v"),
        Cell("demo", {"n": 1, "dims": [3, 2]}, "f", "v"),
        Cell("other", cell.config, "f", "v"),
        Cell("demo", cell.config, "g", "v"),
        Cell("demo", cell.config, "f", "w"),
    ]
    assert len({cell, *others}) == 7
    assert all(other != cell for other in others)


def test_cell_does_not_change_with_the_mapping_it_was_made_from():
    config = {"n": 1, "dims": [2, 3]}
    cell = Cell("demo", config, "f", "v")
    key = cell.key
    config["n"] = 2
    config["dims"].append(4)
    assert cell.key == key


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        np.float64("nan"),
        {"a": 1},
        {1, 2},
        object(),
        1j,
        b"bytes",
        np.arange(2),
        Path("x"),
        np.longdouble(1),
        2**63,
        "\ud800",
        [1, [float("nan")]],
    ],
)
def test_values_that_are_not_json_are_named(value):
    with pytest.raises(InputError, match=r"config\['alpha'\]"):
        make_cell(alpha=value)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"study": "Upper"}, "study"),
        ({"study": "../up"}, "study"),
        ({"study": ""}, "study"),
        ({"config": [1]}, "config"),
        ({"config": {1: 2}}, "config"),
        ({"config": {"": 2}}, "config"),
        ({"config": {"cell": 2}}, "config"),
        ({"features": ""}, "features"),
        ({"features": 3}, "features"),
        ({"code": None}, "code"),
    ],
)
def test_bad_fields_are_named(change, name):
    with pytest.raises(InputError, match=name):
        Cell(**{"study": "demo", "config": {"n": 1}, "features": "f", "code": "v", **change})
