"""Power laws of experiments.extrapolation."""

import numpy as np
import pytest

from experiments.extrapolation.config import Config
from fusiontheory.stats import FORMS, extrapolate


@pytest.mark.parametrize("form", FORMS)
def test_power_laws_continue_curves_of_their_own_form(form):
    n, at = np.geomspace(16, 256, 9), np.array([512.0, 2048.0])

    def curve(x):
        falling = 1.2 * (x / 16) ** -0.4
        return {
            "accuracy": 0.95 - falling / 4,
            "logit": 1 / (1 + np.exp(falling - 2)),
            "error": 0.4 * (x / 16) ** -0.4 + 0 * x,
        }

    if form == "error":
        known, expected = 1 - curve(n)[form], 1 - curve(at)[form]
    else:
        known, expected = curve(n)[form], curve(at)[form]
    assert extrapolate(form, n, known, np.full(9, 0.003), at) == pytest.approx(expected, abs=2e-3)


def test_subsets_are_even_and_end_at_the_pilot():
    for n0 in Config().pilots:
        sizes = Config().subsets(n0)
        assert sizes[-1] == n0
        assert sizes == sorted(set(sizes))
        assert not any(n % 2 for n in sizes)
