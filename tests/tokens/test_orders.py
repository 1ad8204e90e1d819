"""Orders of token attention: against softmax, with masks, in blocks, and what is refused."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.data import tokens as read
from fusiontheory.tokens import first_order_answer, query_pair, token_covariance, token_mean
from fusiontheory.tokens import orders as module


def softmax_answer(tokens, u):
    logits = np.einsum("nmd,nd->nm", tokens, u)
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    return np.einsum("nm,nmd->nd", share, tokens)


def draw(n=6, m=5, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, m, d)), rng.standard_normal((n, d))


def test_the_answer_is_that_of_softmax_to_first_order():
    tokens, u = draw()
    errors = [
        np.abs(softmax_answer(tokens, s * u) - first_order_answer(tokens, s * u)).max()
        for s in (1e-2, 1e-3)
    ]
    # Second order: a tenth of the logits leaves a hundredth. First order alone would leave a tenth.
    assert 80 < errors[0] / errors[1] < 120


def test_covariance_acts_on_a_direction_as_in_the_answer():
    tokens, u = draw()
    found = token_covariance(tokens)
    answer = first_order_answer(tokens, u) - token_mean(tokens)
    quadratic = np.einsum("nd,nd->n", u, answer)
    np.testing.assert_allclose((found * query_pair(u)).sum(axis=1), quadratic, rtol=1e-12)


@pytest.mark.parametrize("order", [token_mean, token_covariance])
def test_a_masked_token_does_not_count(order):
    tokens, _ = draw()
    mask = np.ones(tokens.shape[:2], dtype=bool)
    mask[:, 3:] = False
    filled = tokens.copy()
    filled[:, 3:] = np.nan
    np.testing.assert_allclose(order(filled, mask), order(tokens[:, :3]), rtol=1e-12)


def test_blocks_give_the_same(monkeypatch):
    tokens, _ = draw(n=11)
    whole = token_covariance(tokens)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 1000)
    np.testing.assert_array_equal(token_covariance(tokens), whole)


@pytest.mark.parametrize("order", [token_mean, token_covariance])
def test_memory_of_many_tokens_is_that_of_a_block(order, monkeypatch):
    import tracemalloc

    monkeypatch.setattr(module, "_BLOCK_BYTES", 2**20)
    monkeypatch.setattr(read, "_BLOCK_VALUES", 2**17)
    tokens = np.zeros((100, 1000, 64), dtype=np.float16)
    tokens[:, 0] = 1.0
    tracemalloc.start()
    order(tokens)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Whether all tokens are finite would be 6 MB, and all of them in double precision 51 MB.
    assert peak < 4 * module._BLOCK_BYTES


@pytest.mark.parametrize(
    ("tokens", "mask", "words"),
    [
        ([np.ones((2, 3)), np.ones((1, 3))], None, "got 1 to 2; fill up the shorter ones"),
        (np.ones((2, 3)), None, "tokens must have 3 dimensions"),
        (np.full((1, 2, 2), np.nan), None, "tokens must be finite.* give a mask"),
        (np.arange(8.0)[::-1].reshape(2, 2, 2) // 2, None, "last token of 1 of 2 images is all"),
        (np.arange(8.0).reshape(2, 2, 2) // 2, None, "first token of 1 of 2 images is all"),
        (np.ones((1, 2, 2)), [[1, 0]], "mask must hold booleans"),
        (np.ones((1, 2, 2)), [[False, False]], "leave every image a token"),
    ],
)
def test_refused(tokens, mask, words):
    with pytest.raises(InputError, match=words):
        token_covariance(tokens, mask)
