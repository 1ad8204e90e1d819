"""Heads measured side by side give what each gives alone."""

import threading

import numpy as np
import pytest

from fusiontheory.advice.inputs import labelled_pilot
from fusiontheory.advice.measured import measured_curves, side_by_side
from fusiontheory.pilot import PilotCurve


def test_several_are_done_at_once_and_come_back_in_order(monkeypatch):
    monkeypatch.setattr("fusiontheory.advice.measured.cpu_count", lambda: 2)
    met = threading.Barrier(2, timeout=5)

    def wait(number):
        met.wait()  # breaks where the other does not come
        return 10 * number

    assert side_by_side(wait, [3, 1]) == [30, 10]


def test_an_error_of_one_is_raised():
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda x: 1 / x, [1, 0])


def test_what_numpy_does_on_an_overflow_is_as_in_the_caller():
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        side_by_side(lambda x: np.float64(x) * 1e300, [1e300])


def test_curves_are_those_of_each_head_alone():
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((2, 80, 3))
    y = (v[:, 0] + t[:, 0] > 0).astype(int)
    pilot = labelled_pilot(v, t, y, None, task="auto", missing="drop", seed=0)
    names = ["late-fusion", "text-only", "interaction"]
    curves, seconds = measured_curves(pilot, names)
    assert [curve.head for curve in curves] == names
    for curve in curves:
        alone = PilotCurve.from_features(v, t, y, curve.head)
        np.testing.assert_allclose(curve.risk([40, 200]), alone.risk([40, 200]), rtol=1e-12)
    # A head that averages others takes at least as long as one of them.
    assert seconds["late-fusion"] >= seconds["text-only"] > 0
