"""Synthetic tokens: closed forms against drawn pairs, and the dial."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.monte_carlo import simulate_token_signal
from fusiontheory.synthetic import TokenPairs


# Entries are within 5 standard errors each, at most 441 of them: false alarms 1 in 4000. A factor
# of 1.2 on the largest entry would be 10 standard errors off.
@pytest.mark.parametrize("image", ["mean", "covariance"])
@pytest.mark.parametrize("text", ["query", "pair"])
@pytest.mark.parametrize("balance", [0.0, 0.4, 1.0])
def test_closed_forms_are_those_of_drawn_pairs(image, text, balance):
    pairs = TokenPairs(d=3, tokens=5, balance=balance)
    known = pairs.cross_covariance(image, text)
    found, error = simulate_token_signal(pairs, image, text, images=60_000, seed=1)
    assert found.shape == known.shape
    assert np.abs((found - known) / error).max() < 5
    if (image, text) == ("covariance", "pair"):
        assert (np.abs(known) / error).max() > 30


def test_every_token_has_the_law_of_the_text():
    pairs = TokenPairs(d=4, tokens=3, balance=0.5)
    tokens, text = pairs.draw(40_000, seed=2)
    np.testing.assert_allclose(text.T @ text / len(text), np.diag(pairs.eigenvalues), atol=0.01)
    second = pairs.turn * pairs.eigenvalues @ pairs.turn.T
    for a in range(3):
        np.testing.assert_allclose(tokens[:, a].T @ tokens[:, a] / len(text), second, atol=0.01)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tokens": 1}, "tokens must be at least 2"),
        ({"balance": 1.5}, r"balance must be a number in \[0, 1\]"),
        ({"correlation": -0.1}, "correlation"),
        ({"exponent": -1}, "exponent"),
    ],
)
def test_refused(settings, words):
    with pytest.raises(InputError, match=words):
        TokenPairs(**settings)


def test_no_other_order():
    with pytest.raises(InputError, match="text must be query or pair, got 'answer'"):
        TokenPairs().cross_covariance("mean", "answer")
