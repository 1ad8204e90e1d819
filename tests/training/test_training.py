"""Training: stacked against looped against bare PyTorch; early stopping, resuming, bad input."""

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from twins import FAST, D, architecture, assert_close, draw

from fusiontheory.checks import InputError
from fusiontheory.networks import NETWORKS
from fusiontheory.training import (
    Architecture,
    DropoutMasks,
    IndexedPairs,
    Member,
    MemberGroup,
    PairDataset,
    TrainingSettings,
    all_members,
    chosen_method,
    train_members,
    unpack_right,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("head", NETWORKS)
def test_stacked_and_looped_agree_member_by_member(members, head):
    runs = [
        train_members(architecture(head), members, FAST, method=method)
        for method in ("stacked", "looped")
    ]
    assert_close(*runs, rtol=1e-4, atol=1e-5)
    assert runs[0]["n"].tolist() == [64, 64, 75, 75]


@pytest.mark.parametrize(
    "changes",
    [
        {"optimiser": "adamw"},
        {"optimiser": "sgd", "momentum": 0.5},
        {"optimiser": "sgd", "learning_rate": 0.5},
        {"dropout": 0.3},
        {"patience": 1, "epochs": 8},
        {"updates": 4, "criterion": "loss"},
        {"dtype": "bfloat16", "epochs": 1},
    ],
    ids=str,
)
def test_stacked_and_looped_agree_under_all_settings(members, changes):
    settings = TrainingSettings(
        **({"learning_rate": 0.02, "batch_size": 32, "epochs": 3} | changes)
    )
    runs = [
        train_members(architecture("concat-mlp"), members, settings, method=method)
        for method in ("stacked", "looped")
    ]
    if settings.dtype == "bfloat16":  # rounding differs, and may turn a pair near the boundary
        for column in ("train_loss", "test_loss", "gradient_start"):
            np.testing.assert_allclose(runs[0][column], runs[1][column], rtol=0.02)
    else:
        assert_close(*runs, rtol=1e-4, atol=1e-5)
    if settings.dropout:
        plain = train_members(architecture("concat-mlp"), members, FAST)
        assert (plain["train_loss"] - runs[0]["train_loss"]).abs().min() > 1e-3


@pytest.mark.parametrize("method", ["stacked", "looped"])
def test_equals_a_bare_loop(features, method):
    """The loop that PyTorch's tutorials have, on the same order of pairs."""
    data, seed = draw(features, 75), 3
    settings = TrainingSettings(
        learning_rate=0.01, weight_decay=0.02, batch_size=32, epochs=5, patience=None
    )
    found = train_members(
        architecture("concat-mlp"), [Member(data, seed), Member(data, 4)], settings, method=method
    ).iloc[0]

    def tensors(pairs):
        return [
            torch.tensor(x) for x in (data.image[pairs.image], data.text[pairs.text], pairs.label)
        ]

    image, text, label = tensors(data.train)
    network = architecture("concat-mlp").build(D, D, seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01, weight_decay=0.02)
    loss_of = torch.nn.SoftMarginLoss()
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    best, scores = -1.0, {}
    for epoch in range(1, 6):
        for own in torch.from_numpy(rng.permutation(75)).split(32):
            optimiser.zero_grad()
            loss_of(network(image[own], text[own]), label[own]).backward()
            optimiser.step()
        with torch.no_grad():
            accuracy, loss = {}, {}
            for name, pairs in data.splits().items():
                v, t, y = tensors(pairs)
                logits = network(v, t)
                accuracy[name] = float(((logits * y) > 0).double().mean())
                loss[name] = float(loss_of(logits, y))
        if accuracy["dev"] > best:
            best, scores = accuracy["dev"], {"epoch": epoch, "accuracy": accuracy, "loss": loss}
    assert found["epoch"] == scores["epoch"]
    assert found["updates"] == 15
    for name in ("train", "dev", "test"):
        assert found[f"{name}_accuracy"] == pytest.approx(scores["accuracy"][name], abs=1e-9)
        assert found[f"{name}_loss"] == pytest.approx(scores["loss"][name], rel=1e-4)


def test_the_task_is_learned_by_heads_that_can(features):
    settings = TrainingSettings(learning_rate=0.03, batch_size=50, epochs=40, patience=None)
    data = draw(features, 150)
    accuracy = {
        head: train_members(head, [Member(data, 0)], settings)["test_accuracy"].item()
        for head in ("bilinear", "dot-product", "concat-linear")
    }
    # Three standard errors of 100 pairs above chance, and not.
    assert accuracy["bilinear"] > 0.65
    assert accuracy["dot-product"] > 0.65
    assert accuracy["concat-linear"] < 0.65


@pytest.mark.parametrize("method", ["stacked", "looped"])
def test_a_diverged_member_stops_and_the_others_do_not_notice(features, method):
    data = draw(features)
    settings = TrainingSettings(optimiser="sgd", learning_rate=0.1, batch_size=50, epochs=4)
    sound = [Member(data, 0), Member(data, 1)]
    wild = Member(data, 2, learning_rate=1e30)
    head = architecture("concat-mlp")
    alone = train_members(head, sound, settings, method=method)
    both = train_members(head, [sound[0], wild, sound[1]], settings, method=method)
    assert both["diverged"].tolist() == [False, True, False]
    assert np.isnan(both.loc[1, "test_accuracy"])
    assert both.loc[1, "test_right"] == ""
    assert both.loc[1, "updates"] == 1
    assert_close(both.drop(index=1).reset_index(drop=True), alone, rtol=1e-5)


def test_two_runs_are_identical_and_seeds_differ(members):
    for method in ("stacked", "looped"):
        runs = [
            train_members(architecture("concat-mlp"), members, FAST, method=method).drop(
                columns="seconds"
            )
            for _ in range(2)
        ]
        pd.testing.assert_frame_equal(*runs, check_exact=True)
        assert runs[0]["test_loss"].nunique() == len(members)


def test_order_seed_and_initial_scale(features):
    data = draw(features)
    given = [Member(data, 0), Member(data, 0, order_seed=7), Member(data, 0, init_scale=2.0)]
    frame = train_members("bilinear", given, FAST)
    assert frame["train_loss"].nunique() == 3
    # A bilinear logit is linear in the weights: only the order, not the weights, were the same.
    assert frame["order_seed"].tolist() == [0, 7, 0]
    networks = [Architecture("bilinear").build(D, D, 0, scale) for scale in (1.0, 2.0)]
    torch.testing.assert_close(2 * networks[0].weight, networks[1].weight)


@pytest.mark.parametrize("criterion", ["accuracy", "loss"])
def test_patience_stops_and_the_best_epoch_is_kept(features, criterion):
    settings = TrainingSettings(
        learning_rate=0.05, batch_size=50, epochs=60, patience=3, criterion=criterion
    )
    data = draw(features)
    found = train_members("concat-mlp", [Member(data, 0)], settings).iloc[0]
    assert found["epochs"] == found["epoch"] + 3 < 60
    assert found["updates"] == 3 * found["epochs"]
    # Training only as long as the chosen epoch ends at the same weights.
    short = TrainingSettings(
        learning_rate=0.05, batch_size=50, epochs=int(found["epoch"]), patience=None,
        criterion=criterion,
    )  # fmt: skip
    again = train_members("concat-mlp", [Member(data, 0)], short).iloc[0]
    for column in ("epoch", "test_accuracy", "test_loss", "dev_loss", "gradient_end"):
        assert again[column] == found[column]


def test_right_pairs_make_the_accuracy(features):
    frame = train_members("bilinear", [Member(draw(features))], FAST)
    right = unpack_right(frame["test_right"][0], 100)
    assert right.mean() == pytest.approx(frame["test_accuracy"][0])
    with pytest.raises(InputError, match="hold 50 pairs"):
        unpack_right(frame["test_right"][0], 50)


def test_tokens_and_unknown_dev_and_test():
    rng = np.random.default_rng(0)
    rows = np.arange(40)
    pairs = IndexedPairs(rows, rows, np.tile([1, -1], 20))
    data = PairDataset(
        "tokens", rng.standard_normal((40, 3, 4)), rng.standard_normal((40, 5, 6)), rows, pairs
    )
    tokens = Architecture("token-attention", {"chunks": 1, "width": 8, "hidden": ()})
    settings = TrainingSettings(batch_size=20, epochs=2)
    given = [Member(data, seed) for seed in (0, 1)]
    runs = [train_members(tokens, given, settings, method=m) for m in ("stacked", "looped")]
    assert_close(*runs, rtol=1e-4)
    assert runs[0]["dev_accuracy"].isna().all()
    assert runs[0]["epoch"].tolist() == [2, 2]


def test_small_networks_are_stacked_and_large_ones_looped_on_a_cpu():
    def choose(*arguments, device="cpu"):
        return chosen_method("auto", *arguments, torch.device(device))

    assert choose(10, 1025, 256) == "stacked"
    assert choose(10, 295_554, 256) == "looped"
    assert choose(1, 1025, 256) == "looped"
    assert choose(10, 295_554, 256, device="cuda") == "stacked"
    with pytest.raises(InputError, match="method must be"):
        chosen_method("fast", 1, 1, 1, CPU)


def test_dropout_masks_drop_their_share_and_keep_the_mean():
    masks = DropoutMasks([0, 1], {"a": 500}, 0.2, CPU)
    drawn = masks.draw(100)["a"]
    assert drawn.shape == (2, 100, 500)
    assert (drawn == 0).float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert drawn.mean().item() == pytest.approx(1.0, abs=0.01)
    masks.keep([1])
    other = DropoutMasks([1], {"a": 500}, 0.2, CPU)
    other.draw(100)
    torch.testing.assert_close(masks.draw(100), other.draw(100))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: train_members("nothing", [Member(d)], FAST), "head must be one of concat-"),
        (lambda d: train_members("bilinear", [Member(d)]), "batch_size must be at most the 64"),
        (lambda d: train_members("bilinear", [], FAST), "at least one member"),
        (lambda d: train_members("bilinear", [Member(d)], FAST, device="tpu"), "device must be"),
        (lambda d: train_members("bilinear", [Member(d)], FAST, device="cuda:99"), "device must"),
        (lambda d: train_members("bilinear", [Member(d)], FAST, size=0), "size must be"),
        (
            lambda d: train_members(Architecture("low-rank", {"width": 3}), [Member(d)], FAST),
            "settings must be those of low-rank",
        ),
        (lambda d: Member(d, seed=-1), "seed must be at least 0"),
        (lambda d: Member(d, learning_rate=0), "learning_rate must be above 0"),
        (lambda d: d.first(65), "n must be at most the 64"),
        (lambda d: TrainingSettings(optimiser="lion"), "optimiser must be one of"),
        (lambda d: TrainingSettings(momentum=0.9), "momentum is of sgd"),
        (lambda d: TrainingSettings(dropout=1.0), "dropout must be below 1"),
        (lambda d: TrainingSettings(patience=0), "patience must be at least 1"),
        (lambda d: IndexedPairs([0], [0], [0.5]), "label must be"),
        (lambda d: IndexedPairs([0, 1], [0], [1]), "image must be 1 row numbers"),
    ],
)
def test_bad_input_is_refused_before_any_work(features, monkeypatch, call, message):
    data = draw(features, 64)
    monkeypatch.setattr(MemberGroup, "train", lambda own: pytest.fail("work was done"))
    with pytest.raises(InputError, match=message):
        call(data)


def test_members_of_different_shapes_are_refused(features):
    wide = PairDataset("wide", np.eye(4), np.eye(4), np.arange(4), IndexedPairs([0], [0], [1]))
    with pytest.raises(InputError, match="features of one shape"):
        train_members("bilinear", [Member(wide), Member(draw(features, 64))], FAST)


def test_all_members_has_every_combination(features):
    data = [draw(features, n) for n in (64, 66)]
    found = all_members(data, range(3), learning_rates=[0.1, 0.2], weight_decays=[0.0])
    told = {(m.dataset, m.seed, m.learning_rate, m.weight_decay) for m in found}
    assert len(told) == len(found) == 12


def test_updates_are_the_fewer_of_the_epochs_and_the_limit():
    def updates(limit):
        return TrainingSettings(epochs=3, batch_size=4, updates=limit).updates_of(10)

    assert [updates(None), updates(5), updates(100)] == [9, 5, 9]
