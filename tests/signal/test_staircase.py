"""Products on a staircase against whole matrices."""

import numpy as np
import pytest

from fusiontheory.signal import Staircase

N = 30


def flat(size):
    return np.ones(size)


def steep(size):
    return np.arange(1.0, size + 1) ** -2


def whole(stairs, entries, shape):
    """The matrix with these entries, and 0 elsewhere."""
    matrix, end = np.zeros(shape), 0
    for start, stop, width in stairs.steps:
        begin, end = end, end + (stop - start) * width
        matrix[start:stop, :width] = entries[begin:end].reshape(stop - start, width)
    return matrix


@pytest.mark.parametrize("values", [flat, steep])
@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (5, 3), (8, 8), (1, 1)])
@pytest.mark.parametrize("least", [1e-9, 1e-3, 0.3])
def test_sums_are_those_of_the_whole_matrices(values, shape, least):
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((N, size)) for size in shape)
    stairs = Staircase.above(values(shape[0]), values(shape[1]), least)
    product = np.outer(values(shape[0]), values(shape[1]))
    inside = whole(stairs, np.ones(stairs.size), shape)
    assert inside[product >= least].all()
    np.testing.assert_array_equal(whole(stairs, stairs.entries(product), shape), inside * product)
    np.testing.assert_allclose(
        stairs.outer(values(shape[0]), values(shape[1])), stairs.entries(product)
    )
    np.testing.assert_allclose(
        whole(stairs, stairs.gram(left, right), shape), inside * (left.T @ right), atol=1e-12
    )
    matrices = rng.standard_normal((3, stairs.size))
    found = stairs.forms(left, matrices, right, neighbours=True)
    for row, entries in enumerate(matrices):
        turned = left @ whole(stairs, entries, shape)
        np.testing.assert_allclose(found[0, row], (turned * right).sum(axis=1), atol=1e-10)
        following = np.roll(right, 1, axis=0)
        np.testing.assert_allclose(found[1, row], (turned * following).sum(axis=1), atol=1e-10)


@pytest.mark.parametrize("values", [flat, steep])
@pytest.mark.parametrize("size", [1, 8, 9, 70])
def test_weights_stand_for_the_mirror_image(values, size):
    rng = np.random.default_rng(0)
    rows, matrix = rng.standard_normal((N, size)), rng.standard_normal((size, size))
    matrix += matrix.T
    stairs, weights = Staircase.symmetric(values(size), 1e-12)
    found = stairs.forms(rows, (weights * stairs.entries(matrix))[None], rows)[0, 0]
    np.testing.assert_allclose(found, ((rows @ matrix) * rows).sum(axis=1), atol=1e-9)


def test_a_steep_spectrum_has_few_entries():
    assert Staircase.above(steep(512), steep(512), 1e-4).size < 512**2 / 100


def test_zeros_have_no_entries():
    stairs = Staircase.above(np.zeros(5), np.ones(4), 0.1)
    assert stairs.size == 0
    np.testing.assert_array_equal(
        stairs.forms(np.ones((2, 5)), np.ones((1, 0)), np.ones((2, 4))), 0
    )
