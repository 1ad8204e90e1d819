"""Moments of 3000 images, a predicted curve of 100 sizes, and nested training, d_v = d_t = 512.

Run with: pytest tests/benchmarks/bench_curve.py --benchmark-only -s
"""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest

from fusiontheory.curves import predict_curve
from fusiontheory.heads import HEADS, find_head
from fusiontheory.matching import scores as score_curve
from fusiontheory.moments import Moments
from fusiontheory.signal import ritz_functions
from fusiontheory.solvers import PairFeatures, measure_curve

D, IMAGES = 512, 3000
SIZES = np.geomspace(10, 2 * D**2, 100)
NESTED = list(range(100, 1601, 100))


def draw(n):
    """Draw unit-norm features with power-law spectra that share half of their power."""
    rng = np.random.default_rng(0)
    scale = np.arange(1.0, D + 1) ** -0.5
    shared = rng.standard_normal((n, D))
    features = [(shared + rng.standard_normal((n, D))) * scale for _ in range(2)]
    return [x / np.linalg.norm(x, axis=1, keepdims=True) for x in features]


@pytest.fixture(scope="module")
def moments():
    return Moments.from_features(*draw(IMAGES))


@pytest.mark.benchmark(min_rounds=2)
def test_moments(benchmark):
    image, text = draw(IMAGES)
    result = benchmark.pedantic(Moments.from_features, (image, text), rounds=2)
    assert result.dimensions == (D, D)


@pytest.mark.parametrize("head", HEADS)
def test_predicted_curve(benchmark, moments, head):
    curve = benchmark(predict_curve, head, moments, SIZES, ridge=0.01)
    assert curve["accuracy"].between(0.5, 1).all()


@pytest.mark.parametrize("head", ["bilinear", "concat-mlp"])
def test_first_curve_with_the_law_of_scores(benchmark, monkeypatch, moments, head):
    """The first call of a head, against all products of features and the law at every n."""

    def fresh():
        return (head, replace(moments), SIZES), {"ridge": 0.01}

    curve = benchmark.pedantic(predict_curve, setup=fresh, rounds=5, warmup_rounds=1)

    monkeypatch.setattr(ritz_functions, "_NEGLIGIBLE", 0.0)
    monkeypatch.setattr(score_curve, "_knots", lambda n: n)
    arguments, options = fresh()
    start = perf_counter()
    plain = predict_curve(*arguments, **options)
    seconds = perf_counter() - start

    error = (plain["accuracy_high"] - plain["accuracy_low"]) / 3.92
    missed = float(((curve["accuracy"] - plain["accuracy"]).abs() / error).max())
    assert missed < 1
    benchmark.extra_info["plain_seconds"] = seconds
    benchmark.extra_info["largest_miss_in_standard_errors"] = missed
    if benchmark.stats:
        least = benchmark.stats.stats.min
        benchmark.extra_info["ratio"] = seconds / least
        print(
            f"\n{head}: first curve {least:.2f} s, plain way {seconds:.2f} s, ratio"
            f" {seconds / least:.1f}, apart by at most {missed:.2f} standard errors"
        )


def test_nested_training(benchmark):
    image, text = draw(max(NESTED) + 500)
    label = np.tile([1.0, -1.0], len(image) // 2)
    text[label < 0] = np.roll(text[label < 0], 1, axis=0)
    parts = slice(0, max(NESTED)), slice(max(NESTED), None)
    train, test = (PairFeatures(image[p], text[p], label[p]) for p in parts)
    head = find_head("bilinear")
    nested = benchmark.pedantic(measure_curve, (head, train, test, NESTED, 0.01), rounds=3)

    start = perf_counter()
    alone = [measure_curve(head, train, test, [n], 0.01)[0] for n in NESTED]
    refit_seconds = perf_counter() - start

    assert [m.risk for m in nested] == pytest.approx([m.risk for m in alone], rel=1e-6)
    # Statistics are absent when timing is switched off (--benchmark-disable).
    if benchmark.stats:
        median = benchmark.stats.stats.median
        benchmark.extra_info["refit_seconds"] = refit_seconds
        benchmark.extra_info["ratio"] = refit_seconds / median
        print(
            f"\nnested {median:.2f} s, refitting each of {len(NESTED)} sizes"
            f" {refit_seconds:.2f} s, ratio {refit_seconds / median:.1f}"
        )
