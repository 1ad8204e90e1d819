"""A compiled update is the update: attention over tokens and members above all."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fusiontheory.checks import InputError
from fusiontheory.training import (
    Architecture,
    Batches,
    CompiledNetworks,
    FeatureBank,
    IndexedPairs,
    Member,
    PairDataset,
    StackedNetworks,
    TrainingSettings,
)

UPDATES = 3
PLACES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def networks(kind: type[StackedNetworks], head: str, device: str, **settings: float):
    used = TrainingSettings(batch_size=16, **settings)
    built = [Architecture(head).build(16, 16, seed) for seed in range(3)]
    return kind(built, [1e-2] * 3, [0.0] * 3, [0, 1, 2], used, torch.device(device))


def batches(device: str):
    x = np.random.default_rng(0).standard_normal((48, 16)).astype(np.float32)
    train = IndexedPairs(np.arange(48), np.arange(48), np.tile([1.0, -1.0], 24))
    data = PairDataset("made up", x, x[::-1].copy(), np.arange(48), train)
    members = [Member(data, seed) for seed in range(3)]
    made = Batches(FeatureBank([data], torch.device(device)), members, 16)
    return [made.at(step) for step in range(UPDATES)]


def held_against_eager(head: str, device: str) -> None:
    eager = networks(StackedNetworks, head, device)
    compiled = networks(CompiledNetworks, head, device)
    before = eager.weights.clone()
    for batch in batches(device):
        torch.testing.assert_close(compiled.update(batch), eager.update(batch))
        torch.testing.assert_close(compiled.gradient_norms(), eager.gradient_norms())
    torch.testing.assert_close(compiled.weights, eager.weights, rtol=1e-3, atol=1e-4)
    assert (eager.weights - before).abs().max() > 1e-2


# Eight tokens, four heads, three members: five dimensions, which PyTorch 2.13 may get wrong.
@pytest.mark.parametrize("device", PLACES)
def test_attention_compiled_is_attention(device: str) -> None:
    if device == "cpu" and shutil.which(os.environ.get("CXX", "g++")) is None:
        pytest.skip("PyTorch compiles for a processor with a C++ compiler, which is not here")
    held_against_eager("token-attention", device)


@pytest.mark.parametrize("head", ["concat-mlp", "cross-attention", "bilinear", "dot-product"])
def test_what_is_compiled_is_the_update(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    held_against_eager(head, "cpu")


def test_dropout_is_not_compiled() -> None:
    with pytest.raises(InputError, match="dropout must be 0 to compile an update"):
        networks(CompiledNetworks, "concat-mlp", "cpu", dropout=0.5)
