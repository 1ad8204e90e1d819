"""The split of what can be learned, and the test of no interaction."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.pilot import interaction_split, interaction_test, kernel_test


def views(n, seed, d=6):
    return np.random.default_rng(seed).standard_normal((2, n, d))


def test_a_quadratic_effect_of_one_view_is_no_interaction():
    values = []
    for seed in range(20):
        v, t = views(120, seed)
        y = v[:, 0] ** 2 + t[:, 0] + 0.3 * np.random.default_rng(seed).standard_normal(120)
        values.append(interaction_test(v, t, y, permutations=99).p_value)
    assert np.mean(np.array(values) <= 0.05) <= 0.2


def test_an_interaction_is_found():
    v, t = views(200, 1)
    y = v[:, 0] + t[:, 0] + (v * t).sum(1) / 2
    assert interaction_test(v, t, y, permutations=99).p_value <= 0.02


def test_of_two_kernels_what_the_first_has_is_taken_out_of_the_second():
    v, t = views(120, 6, d=3)
    y = v[:, 0] + 0.5 * t[:, 0] + 0.2 * np.random.default_rng(6).standard_normal(120)
    linear, both = v @ v.T, v @ v.T + t @ t.T / 2
    assert kernel_test(linear, both, y, permutations=39).p_value <= 0.05
    assert kernel_test(both, linear, y, permutations=39).p_value > 0.05


def test_of_two_copies_of_one_modality_no_interaction_is_seen():
    v, _ = views(80, 7, d=3)
    assert interaction_test(v, v, v[:, 0] * v[:, 1], permutations=19).p_value > 0.05
    kernel = v @ v.T
    assert kernel_test(kernel, 2 * kernel, v[:, 0] ** 2, permutations=19).p_value == 1


def test_kernels_of_other_items_are_refused():
    v, _ = views(60, 0)
    kernel = v @ v.T
    with pytest.raises(InputError, match="product must be of as many items as base, 60, got 59"):
        kernel_test(kernel, kernel[:-1, :-1], v[:, 0])


def test_split_sums_and_sees_the_parts():
    v, t = views(300, 2)
    y = v[:, 0] + v[:, 1] * t[:, 1]
    table = interaction_split(v, t, y).table.set_index("part")
    assert table.loc["additive", "share"] == pytest.approx(
        table.loc["v", "share"] + table.loc["t", "share"]
    )
    assert table.loc["all", "share"] == pytest.approx(
        table.loc["additive", "share"] + table.loc["interaction", "share"]
    )
    assert table.loc["v", "share"] > 0.3
    assert table.loc["interaction", "share"] > 0.2
    assert table.loc["t", "low"] < 0.05
    assert (table["low"] <= table["share"]).all()


def test_leave_one_out_parts_are_refits():
    """The share of all parts is that of predictions made without the item."""
    v, t = views(60, 3, d=2)
    y = v[:, 0] + v[:, 1] * t[:, 1]
    table = interaction_split(v, t, y).table.set_index("part")
    from fusiontheory.pilot import kernel_parts  # the kernels themselves

    kernel = sum(kernel_parts(v, t))
    centred = y - y.mean()
    best = max(
        (centred * predictions_without(kernel, y, ridge)).mean() / y.var()
        for ridge in np.geomspace(1e-6, 10, 30)
    )
    assert table.loc["all", "share"] == pytest.approx(best, abs=0.1)


def predictions_without(kernel, y, ridge):
    out = np.empty(len(y))
    for i in range(len(y)):
        keep = np.arange(len(y)) != i
        mean = y[keep].mean()
        alpha = np.linalg.solve(
            kernel[np.ix_(keep, keep)] + ridge * np.eye(len(y) - 1), y[keep] - mean
        )
        out[i] = kernel[i, keep] @ alpha
    return out


def test_groups_of_one_size_are_permuted_as_wholes():
    v, t = views(120, 4)
    y = v[:, 0] + t[:, 0]
    groups = np.arange(120) // 2
    assert 0 < interaction_test(v, t, y, groups=groups, permutations=19).p_value <= 1


def test_the_largest_of_additive_scores_is_no_interaction():
    """Indicators of such classes are no additive functions, nor are the labels that are drawn."""
    values = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        v, t = views(200, seed, d=4)
        scores = v @ rng.standard_normal((4, 4)) + t @ rng.standard_normal((4, 4))
        values.append(interaction_test(v, t, scores.argmax(1), permutations=39).p_value)
    assert np.median(values) > 0.05


@pytest.mark.parametrize("steps", [[0], [-1, 0, 1]], ids=["two classes", "four"])
def test_an_interaction_of_classes_is_found(steps):
    v, t = views(200, 1)
    y = np.digitize(v[:, 0] + t[:, 0] + (v * t).sum(1) / 2, steps)
    assert interaction_test(v, t, y, permutations=99).p_value <= 0.05


def test_labels_of_a_group_are_drawn_together():
    """Copies count once: of pairs of copies the test sees no more than of the pairs."""
    v, t = views(100, 5)
    y = (v[:, 0] + t[:, 0] > 0).astype(int)
    twice = np.repeat(np.arange(100), 2)
    values = [
        interaction_test(v[twice], t[twice], y[twice], groups=groups, permutations=39).score
        for groups in (twice, None)
    ]
    assert values[0] < values[1]


def test_a_quadratic_effect_seen_through_a_correlated_modality_is_no_interaction():
    """Products of correlated modalities hold squares of each, which the base must have too."""
    values = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        v = rng.standard_normal((200, 24))
        t = 0.8 * v + 0.6 * rng.standard_normal((200, 24))
        y = (v[:, :4] ** 2).sum(1) + (t[:, :4] ** 2).sum(1)
        values.append(interaction_test(v, t, y > np.median(y), permutations=39).p_value)
    assert np.sum(np.array(values) <= 0.05) <= 1


def test_errors_that_grow_with_the_rows_are_no_interaction():
    """Long rows have large errors: put in another order, these give 3 of 6 false alarms."""
    values = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        v, t = rng.standard_normal((2, 200, 6))
        length = np.sqrt(4 / rng.chisquare(4, (200, 1)))
        y = v[:, 0] + t[:, 0]
        values.append(interaction_test(v * length, t * length, y, permutations=39).p_value)
    assert np.sum(np.array(values) <= 0.05) <= 1
