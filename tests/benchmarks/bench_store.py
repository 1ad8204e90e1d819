"""Speed of the record store against what it must reach, with 10,000 cells (and 100,000 to read).

Run with: pytest -o addopts="" --benchmark-only tests/benchmarks/bench_store.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import store_speed

CELLS = 10_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    store_speed.write(folder, CELLS)
    return folder


def once(benchmark, function, *arguments):
    return benchmark.pedantic(function, arguments, rounds=1)


def test_write_in_batches(benchmark, tmp_path):
    once(benchmark, store_speed.write, tmp_path, CELLS)
    assert benchmark.stats.stats.mean / CELLS < 2e-3


@pytest.mark.parametrize(
    ("name", "most"), [("status", 0.1), ("resume", 0.6), ("verify", 2), ("read", 0.5)]
)
def test_look(benchmark, folder, name, most):
    """The bounds are those of 10^5 or 10^6 cells, in proportion."""
    once(benchmark, getattr(store_speed, name), folder, CELLS)
    assert benchmark.stats.stats.mean < most


def test_read_of_many_cells(tmp_path):
    store_speed.write(tmp_path, 100_000)
    found = store_speed.measure("read", tmp_path, 100_000)
    assert found["wall"] < 5
    assert found["peak"] < 500


def test_cost_is_linear(tmp_path):
    counts = (5_000, 10_000, 20_000, 40_000)
    costs = [store_speed.measure("write", tmp_path / str(n), n)["cpu"] for n in counts]
    import numpy as np

    assert 0.9 < np.polyfit(np.log(counts), np.log(costs), 1)[0] < 1.1
