"""Attention of a text over tokens: initial logits, masks, one token, and training."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fusiontheory.checks import InputError
from fusiontheory.networks import (
    NETWORKS,
    TOKEN_NETWORKS,
    build_network,
    with_mask,
    with_parameters,
)
from fusiontheory.synthetic import TokenPairs
from fusiontheory.training import (
    Architecture,
    IndexedPairs,
    Member,
    PairDataset,
    TrainingSettings,
    train_members,
)


def make(name, d_v=6, d_t=5, **settings):
    torch.manual_seed(0)
    return build_network(name, d_v, d_t, **settings)


def draw(n=4, m=3, d_v=6, d_t=5):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, m, d_v, generator=generator), torch.randn(n, d_t, generator=generator)


def test_names_are_their_own():
    assert set(TOKEN_NETWORKS) == {"token-bilinear", "token-mlp"}
    assert not set(TOKEN_NETWORKS) & set(NETWORKS)


@pytest.mark.parametrize("name", TOKEN_NETWORKS)
def test_first_logits_are_of_order_one(name):
    tokens, text = draw(n=200, m=9, d_v=16, d_t=16)
    logits = make(name, 16, 16).attention_logits(tokens / 4, text / 4)
    # Features of mean squared length 1: a variance of 1, up to that of 4 heads' weights.
    assert 0.6 < float(logits.std()) < 1.6


@pytest.mark.parametrize("name", TOKEN_NETWORKS)
def test_the_order_of_tokens_and_masked_ones_do_not_matter(name):
    tokens, text = draw()
    network = make(name)
    torch.testing.assert_close(network(tokens[:, [2, 0, 1]], text), network(tokens, text))
    masked = make(name, masked=True)
    masked.load_state_dict(network.state_dict())
    mask = torch.tensor([[True, False, True]]).expand(4, -1)
    filled = tokens.clone()
    filled[:, 1] = torch.nan
    torch.testing.assert_close(
        masked(with_mask(filled, mask), text), network(tokens[:, [0, 2]], text)
    )


@pytest.mark.parametrize("name", TOKEN_NETWORKS)
def test_one_token_leaves_attention_without_gradient_but_not_the_network_blind(name):
    tokens, text = draw(m=1)
    network = make(name)
    network(tokens, text).sum().backward()
    assert float(network.query.grad.abs().max()) == 0
    assert not torch.allclose(network(tokens, text), network(tokens, text.flip(0)))


@pytest.mark.parametrize("name", TOKEN_NETWORKS)
def test_refused(name):
    tokens, text = draw()
    network = make(name)
    with pytest.raises(InputError, match=r"image must have shape \(B, tokens, 6\)"):
        network(tokens[:, 0], text)
    with pytest.raises(InputError, match="text must have shape"):
        network(tokens, tokens)
    with pytest.raises(InputError, match="one row per pair"):
        network(tokens, text[:2])
    with pytest.raises(InputError, match="the last coordinate the mask"):
        make(name, masked=True)(tokens, text)
    with pytest.raises(InputError, match="multiple of heads"):
        make(name, width=6)
    with pytest.raises(InputError, match="leave every image a token"):
        with_mask(tokens, torch.zeros(4, 3, dtype=torch.bool))


def test_sizes():
    assert (
        sum(p.numel() for p in with_parameters("token-bilinear", 16, 16, about=4097).parameters())
        == 4097
    )


# 1500 test pairs, a standard error of 1.3 points; what attends is above 70, what does not at 50.
@pytest.mark.parametrize("name", TOKEN_NETWORKS)
def test_they_leave_chance_where_attention_is_needed(name):
    n, rest = 3000, 1500
    tokens, text = TokenPairs(d=4, correlation=0.95, balance=1.0).draw(n + rest, seed=0)
    rows = np.arange(n + rest)
    label = np.where(rows % 2 == 0, 1.0, -1.0)
    # A mismatched pair has the text of the second image after it, whose own pair is another one.
    other = np.where(label > 0, rows, rows + 2)
    other[other >= n + rest] = n + 1
    other[(rows < n) & (other >= n)] = 1
    pairs = [
        IndexedPairs(rows[part], other[part], label[part]) for part in (slice(n), slice(n, None))
    ]
    data = PairDataset("tokens", tokens, text, rows, pairs[0], test=pairs[1])
    settings = TrainingSettings(learning_rate=0.01, batch_size=100, epochs=20)
    frame = train_members(Architecture(name, {"width": 32}), [Member(data)], settings)
    assert frame["test_accuracy"][0] > 0.65
