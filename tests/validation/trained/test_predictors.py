"""Four predictors of trained cells on made-up studies of known answer, and their error table."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from trained_tables import measured, places

from fusiontheory.checks import InputError
from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.matching import Terms
from fusiontheory.moments import Moments
from fusiontheory.networks import build_network
from fusiontheory.store import Cell, RecordStore
from fusiontheory.training import TrainingSettings
from validation.trained import TrainedSession, write_predictions
from validation.trained.design import TrainedStudy
from validation.trained.predictors import (
    COLUMNS,
    early_stopping_ridge,
    fill_tangent,
    order_predictions,
    power_law_predictions,
    sharp_predictions,
    tangent_curve,
    tangent_predictions,
)

D = 8
SETTINGS = TrainingSettings(batch_size=32, epochs=10, patience=None)


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    """Unit-norm images and one caption each that share most of their power."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((900, D))
    image, text = (
        normalise(shared + 0.7 * rng.standard_normal(shared.shape)).astype(np.float32)
        for _ in range(2)
    )
    split = np.repeat(["align", "train", "dev", "test"], [100, 600, 100, 100])
    return FeatureSet(image, text[:, None], split=split, name="made up")


# Orders.


def test_orders_say_sign_and_decay_where_aligned_and_never_an_accuracy() -> None:
    heads = ["concat-mlp", "bilinear", "low-rank", "dot-product"]
    both = [places(heads, [2048], condition) for condition in ("aligned", "unaligned")]
    told = order_predictions(pd.concat(both), (512, 512), {"aligned"})
    assert told[["predicted", "low", "high"]].isna().all().all()
    table = told.set_index(["condition", "head"])
    for head in ("bilinear", "low-rank"):
        row = table.loc[("aligned", head)]
        assert (row["gap_sign"], row["rises"], row["ratio_high"]) == (1, 1, 2)
        assert row["ratio_low"] == pytest.approx(2**0.5)
        # Unaligned, the sign depends on numbers that nobody has.
        assert np.isnan(table.loc[("unaligned", head), "gap_sign"])
        assert table.loc[("unaligned", head), "rises"] == 1
    other = table.loc[("aligned", "dot-product")]
    assert np.isnan(other["rises"])
    assert other["by"].startswith("not predicted")


def test_orders_turn_where_attention_has_the_smaller_dimension() -> None:
    # Rank at most min(d): 2 + 1 parameters of concatenation against 2 of attention.
    told = order_predictions(places(["bilinear"], [64]), (2, 1), {"aligned"})
    assert told["gap_sign"].tolist() == [-1]


# Sharp.


def test_sharp_is_the_curve_of_the_kernel(features: FeatureSet) -> None:
    rows = features.rows("train")
    moments = Moments.from_features(features.image[rows], features.text[rows])
    cells = places(["bilinear", "cross-attention", "gated"], [64, 256])
    told = sharp_predictions(cells, {"aligned": moments}, True, 100).set_index(["head", "n"])
    curve = predict_curve("bilinear", moments, [64, 256], 0.1, test_images=100)
    found = told.loc["bilinear"]
    np.testing.assert_allclose(found["predicted"], curve["accuracy"])
    np.testing.assert_allclose(found["low"], curve["accuracy_low"])
    chance = told.loc["cross-attention"]
    assert (chance["predicted"] == 0.5).all()
    assert chance["low"].isna().all()
    assert told.loc["gated", "predicted"].isna().all()
    noisy = sharp_predictions(
        places(["bilinear"], [64, 256], sigma=0.5), {"aligned": moments}, True
    )
    assert (noisy["predicted"].to_numpy() < found["predicted"].to_numpy()).all()


# Tangent kernel.


def test_tangent_curve_of_a_bilinear_network_is_that_of_its_kernel(features: FeatureSet) -> None:
    curve = tangent_curve("bilinear", features, [64, 512], SETTINGS, pairs=300)
    rows = features.rows("train")
    moments = Moments.from_features(features.image[rows], features.text[rows])
    for row in curve.to_dict("records"):
        # The kernel (v.v')(t.t') + 1 has the diagonal 2 at unit norm.
        ridge = early_stopping_ridge(row["n"], 2.0, D * D + 1, SETTINGS)
        assert row["ridge"] == pytest.approx(ridge, rel=1e-4)
        # A network's curve has normal scores.
        normal = Terms(score_law=False)
        expected = predict_curve("bilinear", moments, row["n"], ridge, terms=normal)["accuracy"][0]
        assert row["accuracy"] == pytest.approx(expected, abs=1e-3)
    chance = tangent_curve("concat-linear", features, [64], SETTINGS, pairs=300)
    assert chance["accuracy"].tolist() == [0.5]


def test_the_ridge_knows_the_gradient_of_a_batch() -> None:
    rng = np.random.default_rng(1)
    torch.manual_seed(0)
    network = build_network("bilinear", 30, 30)
    count = sum(p.numel() for p in network.parameters())
    batch, squares, diagonal = 64, [], 0.0
    for _ in range(40):
        v, t = (torch.tensor(normalise(rng.standard_normal((batch, 30)))).float() for _ in range(2))
        y = torch.tensor(rng.choice([-1.0, 1.0], batch)).float()
        network.zero_grad()
        torch.nn.functional.softplus(-y * network(v, t)).mean().backward()
        squares.append(sum(float((p.grad**2).sum()) for p in network.parameters()))
        diagonal = 2.0
    settings = TrainingSettings(batch_size=batch, epochs=1)
    root_mean_square = (np.mean(squares) / count) ** 0.5
    expected = 4 * 640 * root_mean_square / (1e-3 * 10)
    found = early_stopping_ridge(640, diagonal, count, settings)
    assert found == pytest.approx(expected, rel=0.1)


def test_ridge_falls_with_time_and_refuses_momentum() -> None:
    longer = TrainingSettings(batch_size=32, epochs=20)
    assert early_stopping_ridge(64, 1.0, 9, longer) == pytest.approx(
        early_stopping_ridge(64, 1.0, 9, SETTINGS) / 2
    )
    with pytest.raises(InputError, match="momentum must be 0"):
        early_stopping_ridge(64, 1.0, 9, TrainingSettings(optimiser="sgd", momentum=0.9))


def test_tangent_curves_are_computed_once(
    features: FeatureSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, named = RecordStore(tmp_path), {"aligned": features}
    cells = pd.concat([places(["bilinear", "concat-linear"], [64], sigma=s) for s in (0.0, 0.3)])
    how = (named, store, SETTINGS, True, 7)
    empty = tangent_predictions(cells, *how)
    assert empty["predicted"].isna().all()
    assert empty["by"].str.startswith("not predicted").all()
    assert fill_tangent(cells, *how) == 4
    told = tangent_predictions(cells, *how, test_images=100).set_index(["head", "sigma"])
    assert told.loc[("bilinear", 0.3), "predicted"] < told.loc[("bilinear", 0.0), "predicted"]
    row = told.loc[("bilinear", 0.0)]
    assert row["low"] < row["predicted"] < row["high"]
    assert told.loc["concat-linear", "low"].isna().all()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    # What it calls, and not the function itself, whose code is part of the record's version.
    module = import_module("validation.trained.predictors.tangent_curve")
    monkeypatch.setattr(module, "expand_network", refuse)
    assert fill_tangent(cells, *how) == 0
    with pytest.raises(AssertionError, match="computed again"):
        fill_tangent(cells, named, store, TrainingSettings(epochs=11), True, 7)


def test_tangent_sees_training_images_alone(features: FeatureSet) -> None:
    image = features.image.copy()
    image[features.rows("dev", "test")] = normalise(
        np.random.default_rng(9).standard_normal((200, D))
    )
    spoilt = FeatureSet(image, features.text, split=features.split)
    curves = [tangent_curve("bilinear", f, [64], SETTINGS, pairs=100) for f in (features, spoilt)]
    pd.testing.assert_frame_equal(*curves)


# Power law.


def draw_series(rng: np.random.Generator, noise: float, sizes: list[int]) -> pd.DataFrame:
    curve = {n: 0.92 - 0.3 * (n / 256) ** -0.6 for n in sizes}
    return measured(
        {
            ("bilinear", n): (mean + noise * rng.standard_normal(5)).tolist()
            for n, mean in curve.items()
        }
    )


def test_power_law_continues_its_own_curve_and_needs_three_sizes() -> None:
    runs = draw_series(np.random.default_rng(0), 0.0, [256, 512, 1024, 2048, 4096])
    told = power_law_predictions(runs).set_index("n")
    assert told["predicted"].isna().tolist() == [True, True, True, False, False]
    assert told.loc[256, "by"] == "not predicted: 0 smaller n of 3 measured"
    assert told.loc[4096, "predicted"] == pytest.approx(0.92 - 0.3 * 16**-0.6, abs=1e-3)


def test_power_law_takes_no_size_of_one_seed() -> None:
    runs = draw_series(np.random.default_rng(0), 0.01, [256, 512, 1024, 2048])
    few = runs[(runs["n"] != 512) | (runs["seed"] == 0)]
    assert power_law_predictions(few)["predicted"].isna().all()


def test_power_law_of_a_flat_head() -> None:
    runs = measured({("cross-attention", n): [0.5] * 5 for n in (256, 512, 1024, 2048)})
    last = power_law_predictions(runs).set_index("n").loc[2048]
    assert last["predicted"] == pytest.approx(0.5, abs=1e-3)
    assert last["low"] <= 0.5 <= last["high"]


@pytest.mark.parametrize("sizes", [[256, 512, 1024, 2048], [256, 512, 1024, 2048, 4096]])
def test_intervals_of_the_power_law_cover(sizes: list[int]) -> None:
    rng = np.random.default_rng(3)
    inside = []
    # 80 draws find intervals that cover 0.8 in place of 0.95 with a probability of 0.97.
    for _ in range(80):
        runs = draw_series(rng, 0.006, sizes)
        row = power_law_predictions(runs).set_index("n").loc[sizes[-1]]
        inside.append(row["low"] <= runs[runs["n"] == sizes[-1]]["accuracy"].mean() <= row["high"])
    assert 0.88 <= np.mean(inside) <= 1.0


# The whole.


def test_files_of_a_session(features: FeatureSet, tmp_path: Path) -> None:
    study = TrainedStudy(
        strengths={"unaligned": 0.0},
        sizes=(64,),
        small=64,
        training=SETTINGS,
        controls=("shuffled",),
    )
    session = TrainedSession(study, features, tmp_path)
    with pytest.raises(InputError, match=r"out must hold runs\.csv"):
        write_predictions(session, tmp_path / "none")
    heads = {("concat-mlp", 64): [0.6, 0.61], ("bilinear", 64): [0.8, 0.81]}
    runs = pd.concat([measured(heads, c) for c in ("unaligned", "unaligned-shuffled")])
    tuned = runs[runs["condition"] == "unaligned"].assign(setting="tuned")
    pd.concat([runs.assign(setting="fixed"), tuned]).to_csv(tmp_path / "runs.csv", index=False)
    write_predictions(session, tmp_path)
    predicted = pd.read_csv(tmp_path / "predicted.csv")
    assert list(predicted.columns) == ["setting", *COLUMNS]
    # Four cells at the fixed setting and two tuned ones, four predictors each.
    assert len(predicted) == (4 + 2) * 4
    sharp = predicted[(predicted["predictor"] == "sharp") & (predicted["setting"] == "fixed")]
    table = sharp.set_index(["condition", "head"])["predicted"]
    assert table["unaligned", "bilinear"] > 0.65
    # Captions of other images say nothing.
    assert table["unaligned-shuffled", "bilinear"] < 0.55
    other = replace(session, folder=tmp_path / "other")
    other.store.write(Cell("tangent", {"n": 64}, "made up", "older"), [{"accuracy": 0.5}])
    with pytest.raises(InputError, match=r"tangent kernels that this version .* --recorded out"):
        write_predictions(other, tmp_path, fill=False)
    errors = pd.read_csv(tmp_path / "predictor_errors.csv")
    assert {*errors["predictor"]} == {"orders", "sharp", "tangent", "power law"}
    assert {*errors["setting"]} == {"fixed", "tuned"}
    runs.assign(condition="elsewhere").to_csv(tmp_path / "runs.csv", index=False)
    with pytest.raises(InputError, match="conditions of the study, got elsewhere"):
        write_predictions(session, tmp_path)
