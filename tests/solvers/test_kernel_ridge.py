"""Kernel ridge regression on pairs against plain solutions."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import SeedSequence
from sklearn.linear_model import Ridge

from fusiontheory.checks import InputError
from fusiontheory.data import draw_pairs
from fusiontheory.heads import HEADS, find_head
from fusiontheory.solvers import (
    Measured,
    NormalEquations,
    PairFeatures,
    dual_ridge,
    gather,
    kernel_ridge,
    measure_curve,
    measure_ridges,
    primal_ridge,
)


def draw(seed, n, d_v=3, d_t=3, offset=0.0):
    rng = np.random.default_rng(seed)
    label = np.tile([1.0, -1.0], n)[:n]
    image, text = rng.standard_normal((n, d_v)), rng.standard_normal((n, d_t))
    k = min(d_v, d_t)
    text[:, :k] += (label > 0)[:, None] * image[:, :k]
    return PairFeatures(image + offset, text + offset, label)


def take(pairs, index):
    return PairFeatures(pairs.image[index], pairs.text[index], pairs.label[index])


def outer(pairs):
    return np.einsum("ni,nj->nij", pairs.image, pairs.text).reshape(len(pairs.label), -1)


def plain(head, train, test, n, ridge):
    """Solve for the coefficients and the intercept together, and score by counting."""
    v, t, y = train.image[:n], train.text[:n], train.label[:n]
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = head.gram(v, t, v, t) + ridge * np.eye(n)
    system[n, n] = 0
    solution = np.linalg.solve(system, np.append(y, 0))
    output = head.gram(test.image, test.text, v, t) @ solution[:n] + solution[n]
    right = [
        0.5 if f == 0 else float(f * label > 0) for f, label in zip(output, test.label, strict=True)
    ]
    return np.mean(right), np.mean((output - test.label) ** 2)


def assert_close(measured, expected, rel=1e-7):
    assert [m.accuracy for m in measured] == [m.accuracy for m in expected]
    assert [m.risk for m in measured] == pytest.approx([m.risk for m in expected], rel=rel)


@pytest.mark.parametrize("offset", [0.0, 2.0])
@pytest.mark.parametrize("name", HEADS)
def test_every_size_is_as_if_trained_alone(name, offset):
    head, train, test = find_head(name), draw(0, 60, offset=offset), draw(1, 101, offset=offset)
    sizes = [2, 3, 10, 59, 60]
    for measured in measure_curve(head, train, test, sizes, 0.3):
        accuracy, risk = plain(head, train, test, measured.n, 0.3)
        assert measured.accuracy == pytest.approx(accuracy, abs=1e-12)
        assert measured.risk == pytest.approx(risk, rel=1e-8)


def test_sizes_come_back_in_their_own_order():
    head, train, test = find_head("bilinear"), draw(0, 40), draw(1, 50)
    measured = measure_curve(head, train, test, [40, 10, 20, 10], 0.3)
    assert [m.n for m in measured] == [40, 10, 20, 10]
    alone = [measure_curve(head, train, test, [n], 0.3)[0] for n in (40, 10, 20, 10)]
    assert_close(measured, alone)


@pytest.mark.parametrize("name", [name for name, head in HEADS.items() if head.features])
def test_dual_and_primal_agree(name):
    head, train, test = find_head(name), draw(0, 50), draw(1, 80)
    dual = measure_curve(replace(head, features=None), train, test, [5, 20, 50], 0.1)
    assert_close(measure_curve(head, train, test, [5, 20, 50], 0.1), dual)


def test_bilinear_agrees_with_scikit_learn():
    train, test = draw(0, 50, d_v=4, offset=0.5), draw(1, 90, d_v=4, offset=0.5)
    for measured in measure_curve(find_head("bilinear"), train, test, [8, 50], 0.2):
        n = measured.n
        model = Ridge(alpha=0.2).fit(outer(train)[:n], train.label[:n])
        output = model.predict(outer(test))
        assert measured.accuracy == np.mean(output * test.label > 0)
        assert measured.risk == pytest.approx(np.mean((output - test.label) ** 2), rel=1e-9)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(list(HEADS)))
def test_names_of_the_labels_do_not_matter(seed, name):
    train, test = draw(seed, 30), draw(seed + 1, 31)
    flipped = [replace(pairs, label=-pairs.label) for pairs in (train, test)]
    expected = measure_curve(find_head(name), train, test, [7, 30], 0.1)
    measured = measure_curve(find_head(name), *flipped, [7, 30], 0.1)
    assert [m.risk for m in measured] == pytest.approx([m.risk for m in expected], rel=1e-7)
    for one, other in zip(measured, expected, strict=True):
        assert one.accuracy == pytest.approx(other.accuracy, abs=1e-12)


@pytest.mark.parametrize("name", HEADS)
def test_labels_of_one_class_are_learned_by_the_intercept(name):
    train = replace(draw(0, 12), label=np.ones(12))
    (measured,) = measure_curve(find_head(name), train, train, [12], 0.1)
    assert measured.accuracy == 1
    assert measured.risk == pytest.approx(0, abs=1e-18)


@pytest.mark.parametrize("name", HEADS)
def test_a_huge_ridge_leaves_the_mean_label(name):
    train, test = draw(0, 9), draw(1, 50)
    (measured,) = measure_curve(find_head(name), train, test, [9], 1e12)
    assert measured.risk == pytest.approx(np.mean((1 / 9 - test.label) ** 2), rel=1e-9)


def test_an_output_of_zero_counts_half():
    train = PairFeatures(np.zeros((4, 2)), np.ones((4, 2)), np.tile([1.0, -1.0], 2))
    for name in ("bilinear", "dot-product"):
        (measured,) = measure_curve(find_head(name), train, train, [4], 0.1)
        assert measured == Measured(n=4, accuracy=0.5, risk=1.0, ridge=0.1)


@pytest.mark.parametrize("name", HEADS)
def test_duplicated_pairs(name):
    head, once = find_head(name), draw(0, 20)
    twice = take(once, np.repeat(np.arange(20), 2))
    test = draw(1, 40)
    # Every squared error counts twice: the same as half the ridge.
    (measured,) = measure_curve(head, twice, test, [40], 0.2)
    (expected,) = measure_curve(head, once, test, [20], 0.1)
    assert_close([measured], [expected])


@pytest.mark.parametrize("block", [1, 7, 64])
def test_block_size_does_not_matter(monkeypatch, block):
    head, train, test = find_head("concat-mlp"), draw(0, 30), draw(1, 33)
    expected = measure_curve(head, train, test, [5, 30], 0.1)
    monkeypatch.setattr(kernel_ridge, "_BLOCK", block)
    assert_close(measure_curve(head, train, test, [5, 30], 0.1), expected)


@pytest.mark.parametrize("name", HEADS)
def test_single_precision_features(name):
    train, test = draw(0, 60), draw(1, 200)
    expected = measure_curve(find_head(name), train, test, [60], 0.3)[0]
    single = [
        PairFeatures(p.image.astype(np.float32), p.text.astype(np.float32), p.label)
        for p in (train, test)
    ]
    measured = measure_curve(find_head(name), *single, [60], 0.3)[0]
    assert measured.risk == pytest.approx(expected.risk, rel=5e-3)


def test_gather_takes_the_rows_of_the_pairs():
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((6, 2)), rng.standard_normal((6, 3, 4))
    pairs = draw_pairs([1, 3, 4, 5], captions=3, n=12, seed=SeedSequence(0))
    features = gather(image, text, pairs)
    for i in range(12):
        np.testing.assert_array_equal(features.image[i], image[pairs.image[i]])
        np.testing.assert_array_equal(features.text[i], text[pairs.text[i], pairs.caption[i]])
    np.testing.assert_array_equal(features.label, pairs.label)


@pytest.mark.parametrize(
    ("sizes", "ridge", "message"),
    [
        ([], 0.1, "sizes must have at least one sample size"),
        ([1], 0.1, "sizes must be at least 2, got 1"),
        ([2.5], 0.1, "sizes must be an integer"),
        ([4, 11], 0.1, "sizes must be at most the 10 training pairs, got 11"),
        ([4], 0.0, "ridge must be above 0 to measure"),
        ([4], -1.0, "ridge must be a finite number of at least 0, got -1.0"),
        ([4], np.nan, "ridge must be a finite number"),
    ],
)
@pytest.mark.parametrize("name", ["bilinear", "dot-product"])
def test_bad_input(name, sizes, ridge, message):
    train = draw(0, 10)
    with pytest.raises(InputError, match=message):
        measure_curve(find_head(name), train, train, sizes, ridge)


@pytest.mark.parametrize("name", HEADS)
def test_many_ridges_are_each_ridge_alone(name):
    head, train, test = find_head(name), draw(0, 40), draw(1, 50)
    sizes, ridges = [12, 40], [0.01, 0.3, 5.0]
    found = measure_ridges(head, train, test, sizes, ridges)
    assert [(m.n, m.ridge) for m in found] == [(n, ridge) for n in sizes for ridge in ridges]
    for ridge in ridges:
        alone = measure_curve(head, train, test, sizes, ridge)
        together = [m for m in found if m.ridge == ridge]
        np.testing.assert_allclose([m.risk for m in together], [m.risk for m in alone], rtol=1e-9)
        assert [m.accuracy for m in together] == [m.accuracy for m in alone]


def test_a_ridge_for_each_size():
    head, train, test = find_head("bilinear"), draw(0, 40), draw(1, 50)
    found = measure_curve(head, train, test, [12, 40], [0.01, 5.0])
    for one, ridge in zip(found, (0.01, 5.0), strict=True):
        (alone,) = measure_curve(head, train, test, [one.n], ridge)
        assert one.ridge == ridge
        assert one.risk == pytest.approx(alone.risk, rel=1e-9)
    with pytest.raises(InputError, match="ridge must be one number or one for each of 2 sizes"):
        measure_curve(head, train, test, [12, 40], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("ridges", [[0.3], [0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]])
def test_primal_fits_leave_the_training_error_that_they_say(ridges, intercept):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((12, 4)) + 0.5, rng.standard_normal((12, 2)) + 1.0
    sums = NormalEquations(12, x.T @ x, x.sum(axis=0), x.T @ y)
    for fit in primal_ridge(sums, y, ridges, intercept):
        left = y - x @ fit.weights - fit.constant
        np.testing.assert_allclose(fit.training, np.mean(left**2, axis=0), rtol=1e-9)
        # The gradient of the penalised error is zero.
        np.testing.assert_allclose(x.T @ left, fit.ridge * fit.weights, atol=1e-9)


@pytest.mark.parametrize("intercept", [True, False])
def test_many_ridges_give_what_each_gives_alone(intercept):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 4)), rng.standard_normal((30, 2))
    ridges = list(np.geomspace(1e-2, 1e2, 12))

    def fits(own):
        gram = np.asfortranarray(x @ x.T)
        return list(dual_ridge(gram, y, [10, 30], own, intercept))

    alone = {(fit.n, fit.ridge): fit for ridge in ridges for fit in fits([ridge])}
    together = fits(ridges)
    assert len(together) == len(alone)
    for fit in together:
        np.testing.assert_allclose(fit.alpha, alone[fit.n, fit.ridge].alpha, rtol=1e-9, atol=1e-12)
