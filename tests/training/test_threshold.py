"""The threshold from the training scores, initial weights, and convex heads at their optimum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

torch = pytest.importorskip("torch")

from fusiontheory.checks import InputError
from fusiontheory.networks import NETWORKS, FusionNetwork
from fusiontheory.training import (
    Architecture,
    IndexedPairs,
    LoopedNetwork,
    Member,
    MemberGroup,
    PairDataset,
    StackedNetworks,
    TrainingSettings,
    train_members,
    unit_logit_scale,
)

D = 8
CPU = torch.device("cpu")
N = 300


def pairs_of_twins(d: int = D, noise: float = 0.3) -> PairDataset:
    """Matched pairs are nearly equal unit vectors, so that their scores lie on one side of 0."""
    rng = np.random.default_rng(0)
    image = rng.standard_normal((N, d))
    text = image + noise * rng.standard_normal((N, d))
    image, text = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text))
    rows = np.arange(N)
    label = np.where(rows % 2, 1.0, -1.0)
    # Blocks of 100 images share none: a mismatched text is of the same block.
    other = np.where(label > 0, rows, rows // 100 * 100 + (rows + 2) % 100)
    blocks = [IndexedPairs(rows[k : k + 100], other[k : k + 100], label[k : k + 100]) for k in
              (0, 100, 200)]  # fmt: skip
    return PairDataset("twins", image, text, rows, *blocks)


@pytest.mark.parametrize("head", NETWORKS)
def test_a_shift_moves_every_logit_by_the_same_and_is_in_the_last_bias(head: str) -> None:
    networks = [Architecture(head).build(D, D, seed) for seed in (0, 1)]
    settings = TrainingSettings()
    image, text = torch.randn(2, 5, D), torch.randn(2, 5, D)
    stacked = StackedNetworks(networks, [0.1, 0.1], [0.0, 0.0], [0, 1], settings, CPU)
    before = stacked.logits(stacked.weights, image, text)
    by = torch.tensor([0.5, -2.0])
    stacked.shift(by)
    after = stacked.logits(stacked.weights, image, text)
    torch.testing.assert_close(after - before, by[:, None].expand(2, 5), rtol=1e-4, atol=1e-4)
    looped = LoopedNetwork(networks[0], 0.1, 0.0, 0, settings, CPU)
    looped.shift(by[:1])
    torch.testing.assert_close(
        looped.logits(looped.weights, image[:1], text[:1]), after[:1], rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("head", ["bilinear", "concat-mlp"])
def test_mean_training_scores_of_both_labels_are_as_far_from_zero(head: str) -> None:
    data = pairs_of_twins()
    x = np.concatenate([data.image[data.train.image], data.text[data.train.text]], axis=1)
    settings = TrainingSettings(learning_rate=0.01, batch_size=50, epochs=2, threshold="scores")
    alone = PairDataset("alone", data.image, data.text, data.owner, data.train)
    group = train_members(head, [Member(alone, 0), Member(alone, 1)], settings)
    assert (group["train_accuracy"] >= 0.5).all()
    [trained] = MemberGroup(Architecture(head), (Member(alone, 0),), settings).train()
    network = Architecture(head).build(D, D)
    torch.nn.utils.vector_to_parameters(trained.progress.weights, network.parameters())
    with torch.no_grad():
        logits = network(*(torch.tensor(side).float() for side in (x[:, :D], x[:, D:]))).numpy()
    label = data.train.label
    assert logits[label > 0].mean() == pytest.approx(-logits[label < 0].mean(), abs=1e-5)
    assert logits[label > 0].mean() > 0


@pytest.mark.parametrize("method", ["stacked", "looped"])
def test_a_lagging_intercept_costs_accuracy_and_the_threshold_mends_it(method: str) -> None:
    data = pairs_of_twins(64)
    plain = {"learning_rate": 1e-3, "batch_size": 50, "epochs": 20, "patience": None}
    found = {
        threshold: train_members(
            "bilinear",
            [Member(data, seed) for seed in range(4)],
            TrainingSettings(**plain, threshold=threshold),  # type: ignore[arg-type]
            method=method,
        )["test_accuracy"].mean()
        for threshold in ("learned", "scores")
    }
    assert found["scores"] > found["learned"] + 0.03


# Heads linear in their parameters, as features of a pair; their loss is convex.
CONVEX = {
    "image-only": lambda v, t: v,
    "text-only": lambda v, t: t,
    "concat-linear": lambda v, t: np.concatenate([v, t], axis=1),
    "dot-product": lambda v, t: (v * t).sum(axis=1, keepdims=True),
    "hadamard": lambda v, t: v * t,
    "bilinear": lambda v, t: (v[:, :, None] * t[:, None, :]).reshape(len(v), -1),
}


@pytest.mark.parametrize("head", CONVEX)
def test_a_head_linear_in_its_parameters_reaches_its_convex_optimum(head: str) -> None:
    """The loss with weight decay that training ends at, against L-BFGS on the same features.

    A training that is 1 % above the least loss fails.
    """
    data, decay = pairs_of_twins(), 1e-2
    v, t = data.image[data.train.image], data.text[data.train.text]
    x = np.concatenate([CONVEX[head](v, t), np.ones((100, 1))], axis=1)
    y = data.train.label.astype(float)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = y * (x @ w)
        slope = -(y / (1 + np.exp(margin))) @ x / len(y)
        return np.logaddexp(0, -margin).mean() + decay / 2 * w @ w, slope + decay * w

    least = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").fun
    settings = TrainingSettings(
        learning_rate=0.03, weight_decay=decay, batch_size=100, epochs=600, patience=None
    )
    alone = PairDataset("alone", data.image, data.text, data.owner, data.train)
    [trained] = MemberGroup(Architecture(head), (Member(alone, 0),), settings).train()
    assert trained.train is not None
    reached = trained.train.loss + decay / 2 * float((trained.progress.weights**2).sum())
    assert least <= reached + 1e-6
    assert reached < 1.01 * least


@pytest.mark.parametrize("head", NETWORKS)
def test_unit_scale_gives_logits_of_order_one(head: str) -> None:
    scale = unit_logit_scale(Architecture(head), D, D)
    torch.manual_seed(5)
    sides = [torch.nn.functional.normalize(torch.randn(2000, D), dim=1) for _ in range(2)]
    spreads = [Architecture(head).build(D, D, seed, scale)(*sides).std() for seed in range(10)]
    assert 0.3 < float(torch.stack(spreads).mean().detach()) < 3


def test_one_label_alone_is_refused_where_the_threshold_needs_both() -> None:
    data = pairs_of_twins()
    rows = np.arange(50)
    one = IndexedPairs(rows, rows, np.ones(50))
    lonely = PairDataset("lonely", data.image, data.text, data.owner, one)
    settings = TrainingSettings(batch_size=10, epochs=1, threshold="scores")
    with pytest.raises(InputError, match=r"both labels, got \+1 alone in lonely, n = 50"):
        train_members("bilinear", [Member(lonely)], settings)
    with pytest.raises(InputError, match="threshold must be one of learned, scores, got 'mid'"):
        TrainingSettings(threshold="mid")


class Root(FusionNetwork):
    """A square root at 0: its value is finite, its slope is not."""

    name = "root"

    def __init__(self, d_v: int, d_t: int) -> None:
        super().__init__(d_v, d_t)
        self.weight = torch.nn.Parameter(torch.zeros(d_v, 1))
        self.bias = torch.nn.Parameter(torch.zeros(1))

    def logits(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        return (image @ self.weight).abs().sqrt() + self.bias


def test_a_head_without_a_finite_gradient_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "root", Root)
    monkeypatch.setattr("fusiontheory.networks.registry._ALL", {**NETWORKS, "root": Root})
    settings = TrainingSettings(batch_size=10, epochs=1)
    data = pairs_of_twins()
    with pytest.raises(InputError, match=r"gradient .* one of root .* in its parameter weight"):
        train_members("root", [Member(data)], settings)
    wild = Member(data, init_scale=1e30)
    with pytest.raises(InputError, match=r"finite logits .* of concat-mlp on twins"):
        train_members("concat-mlp", [wild], settings)
