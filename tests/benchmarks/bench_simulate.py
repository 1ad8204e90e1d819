"""Simulation at the sizes it is meant for, against plain code and against its own parts.

Run with: OMP_NUM_THREADS=1 pytest tests/benchmarks/bench_simulate.py --benchmark-only -s
"""

import os
from time import perf_counter

import numpy as np
import pytest
from scipy.linalg import cholesky
from sklearn.linear_model import Ridge

from fusiontheory.simulate import SimulationGrid, fit_head, head_features, simulate
from fusiontheory.synthetic import Predictor, SyntheticConfig, population_risk

SIZES = [32, 64, 128, 256, 512, 1024, 2048, 4096]
BASE = {
    "pairs.d_v": 32,
    "pairs.d_t": 32,
    "pairs.spectrum_v": "power 0.8",
    "pairs.spectrum_t": "power 0.4",
    "target.noise": 0.25,
}


def phase_grid(alignments, seeds=5, **changes):
    given = {"heads": ["additive", "bilinear"], "n": SIZES, "ridges": [1e-3]}
    vary = {
        "pairs.correlation": np.linspace(0.0, 0.95, 20)[:alignments].round(6).tolist(),
        "target.interaction": np.linspace(0.0, 1.0, 20).tolist(),
    }
    return SimulationGrid.of(BASE, vary, seeds=seeds, **(given | changes))


def once(benchmark, function, *arguments):
    return benchmark.pedantic(function, arguments, rounds=1)


def report(benchmark, **numbers):
    numbers["load"] = os.getloadavg()[0]
    benchmark.extra_info.update(numbers)
    print("\n" + ", ".join(f"{name} {value:.4g}" for name, value in numbers.items()))


@pytest.mark.parametrize("predict", ["none", "sharp"])
def test_phase_diagram(benchmark, tmp_path, predict):
    """20 x 20 cells, 2 heads, 8 sizes, 5 seeds at d = 32 on 2 processes."""
    grid, start = phase_grid(20, predict=predict), perf_counter()
    table = once(benchmark, simulate, grid, tmp_path, 2)
    seconds = perf_counter() - start
    assert len(table) == 32_000
    report(benchmark, seconds=seconds)
    assert seconds < 600


@pytest.mark.parametrize("solver", ["auto", "cholesky"])
def test_against_a_plain_ridge_loop(benchmark, tmp_path, solver):
    """One alignment with all its 5 seeds and 20 shares; of seed 0 every 5th share plainly."""
    grid = phase_grid(1, predict="none")
    simulate(phase_grid(1, seeds=1, n=[32], predict="none"), tmp_path / "warm")
    start = perf_counter()
    table = once(benchmark, simulate, grid, tmp_path / "fast")
    fast = perf_counter() - start

    plain, compared = 0.0, 0
    for config in grid.configs[::5]:
        rows = config.unlabelled(max(SIZES), [0, 0])  # what the simulation draws
        y = config.labels(rows)
        for head in grid.heads:
            for n in SIZES:
                start = perf_counter()
                x = head_features(head, rows.v[:n], rows.t[:n])
                found = Ridge(alpha=1e-3, solver=solver).fit(x, y[:n])
                plain += perf_counter() - start
                compared += 1
                expected = exact_risk(config, head, found)
                here = (table["head"] == head) & (table["n"] == n) & (table["seed"] == 0)
                here &= table["target.interaction"] == config.target.interaction
                [measured] = table.loc[here, "test"]
                assert measured == pytest.approx(expected, rel=1e-6)
    # Of the fast one everything counts: draws, floors, records and the table.
    per_plain, per_fast = plain / compared, fast / len(table)
    report(benchmark, plain=per_plain, fast=per_fast, ratio=per_plain / per_fast)
    assert per_plain > 20 * per_fast


def exact_risk(config: SyntheticConfig, head, found):
    w, constant = found.coef_[None], np.array([found.intercept_])
    if head == "additive":
        f = Predictor.of(32, 32, constant=constant, image=w[:, :32], text=w[:, 32:])
    else:
        f = Predictor.of(32, 32, constant=constant, product=w.reshape(1, 32, 32))
    return population_risk(config.features, config.label, f)[0]


def test_product_kernel_ridge_against_its_parts(benchmark):
    """n = 8192, d = 512: two matrix products and a Cholesky factorisation, bare."""
    n, d = 8192, 512
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((n, d)) / np.sqrt(d), rng.standard_normal((n, d)) / np.sqrt(d)
    y = rng.standard_normal((n, 1))

    start = perf_counter()
    gram = v @ v.T
    other = t @ t.T
    products = perf_counter() - start
    gram *= other
    gram[np.diag_indices(n)] += 0.1
    del other
    start = perf_counter()
    cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    factor = perf_counter() - start
    del gram

    start = perf_counter()
    fit = once(benchmark, lambda: next(fit_head("bilinear", v, t, y, [n], [0.1])))
    seconds = perf_counter() - start
    assert fit.n == n
    ratio = seconds / (products + factor)
    report(benchmark, products=products, cholesky=factor, ridge=seconds, ratio=ratio)
    assert ratio < 1.5


def test_two_workers_against_one(benchmark, tmp_path):
    """The same units on pools of 1 and of 2 processes with one thread each, both started before."""
    import joblib

    from fusiontheory.parallel import scatter
    from fusiontheory.simulate import run_unit, units_of

    units = [unit for unit in units_of(phase_grid(8, seeds=4, predict="none")) if unit.seed]

    def on_pool(jobs):
        list(scatter(run_unit, units[:4], jobs))
        start = perf_counter()
        assert len(list(scatter(run_unit, units, jobs))) == len(units)
        return perf_counter() - start

    one = on_pool(1)
    two = once(benchmark, on_pool, 2)
    report(benchmark, one=one, two=two, ratio=one / two, cores=joblib.cpu_count())
    assert one / two > 1.7
