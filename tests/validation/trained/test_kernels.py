"""Kernels that stand for networks, and runs of two versions of the code side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusiontheory.checks import InputError
from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.heads import relu_tangent_kernel
from fusiontheory.moments import Moments
from fusiontheory.tangent import tangent_kernel
from fusiontheory.training import Architecture, TrainingSettings
from validation.trained import (
    TrainedSession,
    TrainedStudy,
    write_best_kernels,
    write_learned_metric,
    write_moving_kernel,
    write_setting_predictions,
    write_tangent_ridges,
)
from validation.trained import write_kernels as write
from validation.trained.earlier import joined_runs, repeated_runs
from validation.trained.predictors import (
    adam_kernel_curves,
    adam_moments,
    adam_ridge,
    feature_learning_curve,
    layered_kernel,
)
from validation.trained.predictors.feature_learning import reweighted


def made(d: int) -> FeatureSet:
    """Return features of d coordinates, of which four are shared, and large."""
    rng = np.random.default_rng(0)
    scale = np.r_[np.ones(4), np.full(d - 4, 0.5)] / np.sqrt(6)
    image, text = rng.standard_normal((2, 1000, d)) * scale
    text[:, :4] = 0.9 * image[:, :4] + np.sqrt(1 - 0.81) * text[:, :4]
    split = ["train"] * 600 + ["dev"] * 150 + ["test"] * 250
    return FeatureSet(image, text, split=split, name="shared")


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    """Few coordinates."""
    return made(12)


def test_linear_head_is_ridge_regression_in_adam_s_metric(features: FeatureSet) -> None:
    settings = TrainingSettings()
    sizes = [512, 2048]
    found = adam_kernel_curves("bilinear", features, sizes, settings)
    derived = found[found["ridge_rule"] == "derived"].set_index("n")
    assert (found["growth"] == 1).all()
    moments = adam_moments(features, features.rows("train"), 0.5)
    for n in sizes:
        assert derived.loc[n, "ridge"] == pytest.approx(adam_ridge(n, settings))
        known = float(predict_curve("bilinear", moments, n, adam_ridge(n, settings))["accuracy"][0])
        assert derived.loc[n, "predicted"] == pytest.approx(known, abs=0.02)
    best = found[found["ridge_rule"] == "best"].set_index("n")["predicted"]
    assert (best >= derived["predicted"] - 0.01).all()


def test_a_head_of_one_modality_is_at_chance_without_a_kernel(features: FeatureSet) -> None:
    found = adam_kernel_curves("cross-attention", features, [512], TrainingSettings())
    assert found["predicted"].tolist() == [0.5, 0.5]
    assert found["ridge"].isna().all()


def test_the_table_of_kernels_is_recorded(features: FeatureSet, tmp_path: Path) -> None:
    study = TrainedStudy(strengths={"as given": None}, sizes=(512,), heads=("hadamard",))
    session = TrainedSession(study, features, tmp_path / "store", heads=("hadamard",))
    first = write(session, tmp_path)
    assert {"head", "condition", "ridge_rule", "growth", "predicted"} <= {*first}
    again = write(session, tmp_path, fill=False)
    pd.testing.assert_frame_equal(first, again)
    assert len(pd.read_csv(tmp_path / "adam_kernel.csv")) == 2


def test_tables_stay_where_no_record_is_of_this_version(
    features: FeatureSet, tmp_path: Path
) -> None:
    study = TrainedStudy(strengths={"as given": None}, sizes=(512,), heads=("cross-attention",))
    session = TrainedSession(study, features, tmp_path / "store")
    whole = write(session, tmp_path)
    before = (tmp_path / "adam_kernel.csv").read_bytes()
    empty = replace(session, folder=tmp_path / "other")
    with pytest.raises(InputError, match=r"store must hold .* leave --recorded out to compute it"):
        write(empty, tmp_path, fill=False, smaller=True)
    assert (tmp_path / "adam_kernel.csv").read_bytes() == before
    larger = replace(session, study=replace(study, sizes=(512, 1024)))
    assert len(write(larger, tmp_path)) == 2 * len(whole)
    with pytest.raises(InputError, match=r"2 of its 4 rows would be lost, and nothing was"):
        write(session, tmp_path, fill=False)
    assert len(write(session, tmp_path, fill=False, smaller=True)) == len(whole)


def test_small_shares_of_the_diagonal_mend_what_the_derived_ridge_spoils(
    features: FeatureSet, tmp_path: Path
) -> None:
    study = TrainedStudy(strengths={"as given": None}, sizes=(512,), heads=("concat-mlp",))
    session = TrainedSession(study, features, tmp_path / "store")
    first = write_tangent_ridges(session, tmp_path)
    told = first[first["metric"] == "plain"].set_index("ridge_rule")
    shares = told["ridge"] / told["diagonal"]
    assert shares.round(6).tolist()[1:] == [1e-2, 1e-4]
    assert told["predicted"].iloc[1] > told["predicted"].iloc[0] + 0.02
    pd.testing.assert_frame_equal(first, write_tangent_ridges(session, tmp_path, fill=False))
    assert len(pd.read_csv(tmp_path / "tangent.csv")) == 6


def test_the_kernel_layer_by_layer_is_the_tangent_kernel() -> None:
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((6, 5)), rng.standard_normal((6, 4))
    few = pairs[0][:3], pairs[1][:3]
    network = Architecture("concat-mlp", {"hidden": [7, 3]}).build(5, 4, seed=1)
    [found] = layered_kernel(network, [pairs], few)
    np.testing.assert_allclose(found, tangent_kernel(network, pairs, few), rtol=1e-5, atol=1e-6)


def test_kernels_before_and_after_training_stand_beside_the_network(
    features: FeatureSet, tmp_path: Path
) -> None:
    study = TrainedStudy(
        strengths={"as given": None}, sizes=(512,), dev_pairs=150, test_pairs=250, search_epochs=8
    )
    session = TrainedSession(study, features, tmp_path / "store")
    with pytest.raises(
        InputError, match=r"out must hold what was chosen for concat-mlp in choices"
    ):
        write_moving_kernel(session, tmp_path)
    chosen = {"condition": "as given", "head": "concat-mlp", "n": 512, "learning_rate": 1e-2}
    still = {"weight_decay": 0.0, "init_scale": 1.0}
    pd.DataFrame([chosen | still]).to_csv(tmp_path / "choices.csv", index=False)
    found = write_moving_kernel(session, tmp_path, (512,), (0,)).set_index("what")
    assert found["accuracy"].between(0.5, 1).all()
    assert 0 < found.loc["end", "moved"] < 1
    again = write_moving_kernel(session, tmp_path, (512,), (0,), fill=False).set_index("what")
    pd.testing.assert_frame_equal(found, again)
    learned = write_learned_metric(session, tmp_path, ((512, 0),), ((512, 0),)).set_index("what")
    assert learned["accuracy"].between(0.5, 1).all()
    assert learned.loc["network", "accuracy"] == found.loc["network", "accuracy"]
    assert learned.loc["first layer", "likeness"] == pytest.approx(1.0)
    # The shared coordinates are learned whatever the initial weights.
    assert learned["likeness"].gt(0.3).all()
    rounds = pd.read_csv(tmp_path / "metric_rounds.csv").set_index("round")["accuracy"]
    assert rounds.index.tolist() == [-1, *range(6)]
    assert rounds[0] > rounds[-1]


def test_a_linear_head_s_best_ridge_is_chosen_on_dev(features: FeatureSet, tmp_path: Path) -> None:
    study = TrainedStudy(strengths={"as given": None}, sizes=(256,), small=256)
    session = TrainedSession(study, features, tmp_path / "store")
    found = write_best_kernels(session, tmp_path, ((256, 0),)).set_index("head")
    assert found.index.tolist() == ["bilinear", "dot-product", "hadamard"]
    given, rows = session.conditions["as given"], features.rows("train")
    moments = Moments.from_features(given.image[rows], given.text[rows])
    told = predict_curve("bilinear", moments, 256, "best").iloc[0]
    assert found.loc["bilinear", "accuracy"] == pytest.approx(told["accuracy"], abs=0.05)
    assert found["accuracy"].between(0.75, 1).all()
    assert found["ridge"].between(1e-2, 10).all()


def test_predictions_are_written_once(features: FeatureSet, tmp_path: Path) -> None:
    strengths = {"unaligned": None}
    heads = ("bilinear", "image-only", "gated")
    study = TrainedStudy(strengths=strengths, sizes=(512,), heads=heads)
    session = TrainedSession(study, features, tmp_path / "store")
    told = write_setting_predictions(session, tmp_path)
    counts = told.groupby(["setting", "predictor"])["head"].apply(list).to_dict()
    assert counts == {
        ("fixed", "optimiser"): ["bilinear"],
        ("fixed and tuned", "best accuracy"): ["image-only", "bilinear"],
        ("fixed and tuned", "best ridge"): ["image-only", "bilinear"],
        ("published", "optimiser"): ["bilinear"],
        ("published", "logit growth"): ["bilinear"],
    }
    assert told["predicted"].between(0.49, 1).all()
    with pytest.raises(InputError, match="out must have no predicted"):
        write_setting_predictions(session, tmp_path)


def test_outer_products_of_gradients_are_those_of_the_kernel_regression() -> None:
    rng = np.random.default_rng(0)
    inputs, weights = rng.standard_normal((30, 4)), rng.standard_normal(30)

    def f(x: np.ndarray) -> float:
        a, b = np.linalg.norm(x), np.linalg.norm(inputs, axis=1)
        return float((relu_tangent_kernel(inputs @ x / (a * b)) * a * b) @ weights)

    def slope(x: np.ndarray) -> np.ndarray:
        steps = 1e-5 * np.eye(4)
        return np.array([(f(x + h) - f(x - h)) / 2e-5 for h in steps])

    gradients = np.array([slope(x) for x in inputs])
    root = reweighted(inputs, weights, 0.25)
    expected = gradients.T @ gradients / 30
    np.testing.assert_allclose(np.linalg.matrix_power(root, 4), expected, rtol=0.02, atol=0.02)


def test_features_of_the_first_gradient_help_where_few_directions_are_shared() -> None:
    study = TrainedStudy(strengths={"as given": None}, sizes=(256,), small=256)
    found = feature_learning_curve(made(24), study, 256, 0).set_index("learned")["accuracy"]
    assert list(found.index) == ["plain", "fitted", "first gradient"]
    assert found["first gradient"] > found["plain"] + 0.03


def _runs(seeds: int, accuracy: float, setting: str = "fixed", n: int = 512) -> pd.DataFrame:
    rows = [(setting, "aligned", n, "bilinear", seed, 0, "both") for seed in range(seeds)]
    columns = ["setting", "condition", "n", "head", "seed", "sigma", "side"]
    same = {"learning_rate": 1e-3, "weight_decay": 0.0, "init_scale": 1.0, "epoch": 3}
    outcome = {"accuracy": accuracy, "dev_accuracy": 0.5, "train_accuracy": 0.5, "epochs": 5}
    return pd.DataFrame(rows, columns=columns).assign(**same, **outcome, gradient_end=0.1)


def test_a_cell_counts_from_where_it_has_most_seeds(tmp_path: Path) -> None:
    out = tmp_path / "settings"
    out.mkdir()
    here = [_runs(3, 0.8), _runs(2, 0.6, n=1024), _runs(1, 0.9, "published")]
    pd.concat(here).to_csv(out / "runs.csv", index=False)
    assert repeated_runs(out).empty
    earlier = [_runs(3, 0.8), _runs(5, 0.7, n=1024), _runs(2, 0.75, n=2048)]
    pd.concat(earlier).to_csv(out / "earlier_runs.csv", index=False)
    _runs(5, 0.95, "published").to_csv(tmp_path / "runs.csv", index=False)
    (out / "later").mkdir()
    later = [_runs(3, 0.6), _runs(2, 0.6, n=4096)]
    pd.concat(later).to_csv(out / "later" / "runs.csv", index=False)
    found = joined_runs(out).groupby(["setting", "n", "from"])["accuracy"].agg(["count", "mean"])
    assert found.index.tolist() == [
        ("fixed", 512, "here"),
        ("fixed", 1024, "earlier version"),
        ("fixed", 2048, "earlier version"),
        ("fixed", 4096, "later version"),
        ("published", 512, "stored study"),
    ]
    assert found["count"].tolist() == [3, 5, 2, 2, 5]
    told = repeated_runs(out).iloc[0]
    assert (told["runs"], told["equal"]) == (5, 3)
    assert told["largest_points"] == pytest.approx(10)
