"""Grids of small simulations, and what holds two of their tables against each other."""

import multiprocessing

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.simulate import (
    SimulationGrid,
)
from fusiontheory.store import RecordStore

FORK = multiprocessing.get_context("fork")
"""Processes that need not import everything again."""

TOML = """
study = "killed"
heads = ["additive", "bilinear"]
n = [16, 256, 512]
seeds = 30
ridge = [0.01, 0.1]
predict = "gaussian"
[pairs]
d_v = 12
d_t = 12
[target]
noise = 0.1
[vary]
"pairs.correlation" = [0.0, 0.5]
"target.interaction" = [0.0, 0.5, 1.0]
"""


def small(**changes):
    given = {"heads": ["additive", "bilinear"], "n": [8, 24], "seeds": 2, "ridges": [0.1, 0.01]}
    base = {"pairs.d_v": 3, "pairs.d_t": 3, "target.noise": 0.1}
    vary = {"pairs.correlation": [0.0, 0.6], "target.interaction": [0.0, 0.5]}
    return SimulationGrid.of(base, changes.pop("vary", vary), **(given | changes))


def same(first, second):
    first, second = (table.drop(columns="seconds") for table in (first, second))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def cells(folder):
    """The number of records in the store of a simulation."""
    try:
        return sum(one.cells for one in RecordStore(folder / "records").status())
    except InputError:
        return 0
