"""Scores of fits on subsets of a pilot."""

import numpy as np

from fusiontheory.estimators import FusionClassifier
from fusiontheory.pilot import (
    Labels,
    PilotCurve,
    PilotSpectrum,
    ScoreLaw,
    WithinReach,
    leave_out_errors,
)
from fusiontheory.pilot import subset_scores as scores_of


def pilot(n=80, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    x = 2 * np.eye(classes, 6)[y] + rng.standard_normal((n, 6))
    labels = Labels.from_labels(y)
    kernel = x @ x.T
    spectrum = PilotSpectrum.from_kernel(kernel)
    errors = leave_out_errors(spectrum, labels.targets, spectrum.ridges)
    return kernel, labels, WithinReach.from_errors(spectrum, errors, labels.variance)


def test_scores_are_those_of_a_refit_on_the_subset():
    kernel, labels, within = pilot()
    part = scores_of(kernel, labels, within)[0]
    assert part.size == 16
    # The first draw scores the 64 items that it left out, in their order.
    rest, found = part.rows[:64], part.scores[:64]
    rows = np.setdiff1d(np.arange(80), rest)
    ridge = within.best(16)[1][0]
    system = np.ones((17, 17))
    system[:16, :16] = kernel[np.ix_(rows, rows)] + ridge * np.eye(16)
    system[16, 16] = 0
    dual = np.linalg.solve(system, np.vstack([labels.targets[rows], np.zeros((1, 4))]))
    expected = kernel[np.ix_(rest, rows)] @ dual[:16] + dual[16]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_sizes_double_up_to_half_the_pilot():
    assert [part.size for part in scores_of(*pilot(80))] == [16, 32]
    assert [part.size for part in scores_of(*pilot(64))] == [16, 32]
    assert [part.size for part in scores_of(*pilot(60))] == [16]


def test_a_regression_has_none():
    kernel, _, within = pilot()
    labels = Labels.from_labels(np.random.default_rng(0).standard_normal(80))
    assert scores_of(kernel, labels, within) == ()


def test_groups_are_not_split():
    kernel, labels, within = pilot()
    blocks = np.arange(80).reshape(16, 5)
    parts = scores_of(kernel, labels, within, list(blocks))
    first = parts[0].rows[: parts[0].rows.size // 12]
    # Sixteen items begin four groups, and none of those is scored.
    assert first.size == 60
    assert np.bincount(first // 5, minlength=16).tolist().count(5) == 12


def test_accuracy_of_many_classes_at_few_items():
    """A set of 32 items has about three of each of ten classes, often none."""
    rng = np.random.default_rng(1)

    def items(n):
        y = rng.permutation(np.arange(n) % 10)
        return 3 * np.eye(10, 20)[y] + rng.standard_normal((n, 20)), y

    said, alone, measured = [], [], []
    test_x, test_y = items(1000)
    for _ in range(4):
        x, y = items(300)
        curve = PilotCurve.from_features(x[:, :10], x[:, 10:], y, "concat-linear")
        said.append(curve.metrics([32])["accuracy"][0])
        law = ScoreLaw.from_errors(curve.errors, curve.labels)
        alone.append(law.at(curve.risk([32]))["accuracy"][0])
        for rows in np.arange(256).reshape(8, 32):
            model = FusionClassifier("concat-linear").fit(x[rows], y[rows])
            measured.append(model.score(test_x, test_y))
    error, without = (abs(np.mean(q) - np.mean(measured)) for q in (said, alone))
    assert error < 0.035
    assert error < without - 0.01
