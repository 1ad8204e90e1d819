"""The study of trained heads on small made-up features, from training to tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.moments import Moments
from fusiontheory.store import RecordStore
from fusiontheory.training import TrainingSettings
from validation.__main__ import app
from validation.conditions import condition_features
from validation.trained import (
    TrainedCell,
    TrainedSession,
    TrainedStudy,
    check_report,
    recorded_runs,
    train_cells,
    write_report,
)
from validation.trained.design import Noise, held_out_pairs, noisy_features, training_pairs
from validation.trained.report import (
    RIDGE,
    draw,
    gap_table,
    predictions,
    scaling_table,
    trend_table,
)
from validation.trained.runs import groups as groups_module

STUDY = TrainedStudy(
    sizes=(32, 64),
    heads=("concat-mlp", "cross-attention", "bilinear"),
    seeds=2,
    sigmas=(0.05, 0.5),
    main_heads=("concat-mlp", "cross-attention"),
    small=32,
    strengths={"unaligned": 0.0, "aligned": 1.0},
    search_rates=(1e-3, 1e-2),
    search_decays=(0.0,),
    dev_pairs=20,
    test_pairs=240,
    training=TrainingSettings(batch_size=16, epochs=2),
)


def single(x: NDArray[np.float64]) -> NDArray[np.float32]:
    return x.astype(np.float32)


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    """Images and two captions each that share a latent."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((260, 6))
    image = latent @ rng.standard_normal((6, 10)) + 0.5 * rng.standard_normal((260, 10))
    text = (latent @ rng.standard_normal((6, 8)))[:, None] + rng.standard_normal((260, 2, 8))
    split = np.repeat(["align", "train", "dev", "test"], [80, 100, 20, 60])
    return FeatureSet(single(image), single(text), split=rng.permutation(split), name="made up")


@pytest.fixture(scope="module")
def conditions(
    features: FeatureSet, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, FeatureSet]:
    return condition_features(features, STUDY.strengths, tmp_path_factory.mktemp("heads"))


@pytest.fixture(scope="module")
def store(
    conditions: dict[str, FeatureSet], tmp_path_factory: pytest.TempPathFactory
) -> RecordStore:
    """The records of the grid, and of noise on the first cells alone."""
    store = RecordStore(tmp_path_factory.mktemp("records"))
    train_cells(STUDY, conditions, store, STUDY.cells("grid"))
    aligned = replace(STUDY, sigmas=(0.05,), strengths={"aligned": 1.0})
    train_cells(aligned, conditions, store, aligned.cells("noise"))
    return store


def test_report_names_what_is_missing_and_fills_nothing_in(
    conditions: dict[str, FeatureSet], store: RecordStore, tmp_path: Path
) -> None:
    cells = STUDY.cells("grid") + STUDY.cells("noise")
    found = write_report(STUDY, conditions, store, cells, tmp_path)
    written = pd.read_csv(tmp_path / "runs.csv")
    # 2 conditions x 2 n x 3 heads x 2 seeds, and 3 sides x 2 heads x 2 seeds of noise.
    assert len(written) == 24 + 12
    assert not (written["sigma"] == 0.5).any()
    missing = json.loads((tmp_path / "missing.json").read_text())
    assert len(missing) == len(found.missing) == 3 * 2 * 3
    assert "aligned, concat-mlp, n = 32, sigma = 0.5 on both (0 of 2 seeds)" in missing
    claims = pd.read_csv(tmp_path / "claims.csv").set_index("claim")
    assert claims.loc["gap-size", "verdict"] == "not testable here"
    assert "n = 16384" in str(claims.loc["gap-size", "missing"])
    assert (tmp_path / "figure.svg").stat().st_size > 0
    # Of this study, not of the default one.
    assert "batch 16, up to 2 epochs" in (tmp_path / "index.html").read_text()


def test_a_report_of_fewer_runs_is_refused(
    features: FeatureSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = replace(STUDY, strengths={"unaligned": None})
    monkeypatch.setattr(TrainedSession, "cells", lambda _: given.cells("grid"))
    session = TrainedSession(given, features, tmp_path / "store")
    check_report(session, tmp_path)  # no tables are there
    runs = pd.DataFrame({"setting": ["published"] * 3, "accuracy": 0.5})
    runs.to_csv(tmp_path / "runs.csv", index=False)
    with pytest.raises(InputError, match=r"runs\.csv holds; 3 of its 3 rows would be lost"):
        check_report(session, tmp_path)
    runs[:0].to_csv(tmp_path / "runs.csv", index=False)
    check_report(session, tmp_path)


def test_tables_hold_what_the_runs_say(
    conditions: dict[str, FeatureSet], store: RecordStore
) -> None:
    runs, _ = recorded_runs(STUDY, conditions, store, STUDY.cells("grid") + STUDY.cells("noise"))
    test = held_out_pairs(STUDY, conditions["aligned"])[1]
    gaps = gap_table(runs, test.image)
    means = runs.groupby(["condition", "n", "sigma", "side", "head"])["accuracy"].mean()
    for row in gaps.to_dict("records"):
        here = means.loc[row["condition"], row["n"], row["sigma"], row["side"]]
        assert row["gap"] == pytest.approx(here["concat-mlp"] - here[row["second"]])
        assert row["crossed_low"] <= row["gap"] <= row["crossed_high"]
        # Corrected over the whole table.
        assert row["p_holm"] >= row["p_value"]
    assert len(scaling_table(runs)) == 4
    assert trend_table(runs).empty  # two sigmas are no trend
    # Every test text is in one matched and one mismatched pair, and this head reads nothing else.
    blind = runs.loc[runs["head"] == "cross-attention", "accuracy"]
    assert (blind == 0.5).all()


def test_second_run_reads_the_records(
    conditions: dict[str, FeatureSet], store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    before = store.database.read_bytes()
    monkeypatch.setattr("fusiontheory.training.groups.MemberGroup.table", refuse)
    assert train_cells(STUDY, conditions, store, STUDY.cells("grid")) > 0
    assert store.database.read_bytes() == before


def test_shards_are_the_whole(
    conditions: dict[str, FeatureSet], store: RecordStore, tmp_path: Path
) -> None:
    small = replace(STUDY, sizes=(32,), heads=("concat-mlp", "cross-attention"))
    cells = small.cells("grid")
    sharded = RecordStore(tmp_path)
    assert recorded_runs(small, conditions, sharded, cells)[0].empty
    train_cells(small, conditions, sharded, cells, shard=(1, 2))
    partial, missing = recorded_runs(small, conditions, sharded, cells)
    assert 0 < len(partial) < 8
    assert missing
    train_cells(small, conditions, sharded, cells, shard=(2, 2))
    whole, missing = recorded_runs(small, conditions, sharded, cells)
    assert missing == []
    # Two runs of one cell with one seed are equal: those of the store were drawn apart.
    other = recorded_runs(small, conditions, store, cells)[0]
    columns = ["condition", "head", "n", "seed", "test_accuracy", "test_right", "epoch"]
    pd.testing.assert_frame_equal(whole[columns], other[columns])


def test_pairs_are_shared_and_leak_nothing(conditions: dict[str, FeatureSet]) -> None:
    drawn = {name: training_pairs(STUDY, features, seed=1) for name, features in conditions.items()}
    np.testing.assert_array_equal(drawn["aligned"].image, drawn["unaligned"].image)
    other = training_pairs(STUDY, conditions["aligned"], seed=0)
    assert not np.array_equal(drawn["aligned"].image, other.image)
    dev, test = held_out_pairs(STUDY, conditions["aligned"])
    pools = [{*p.image.tolist(), *p.text.tolist()} for p in (drawn["aligned"], dev, test)]
    assert all(a.isdisjoint(b) for k, a in enumerate(pools) for b in pools[:k])
    # Of each longest draw the first n.
    assert len(drawn["aligned"]) == 64


def test_leakage_is_refused(
    conditions: dict[str, FeatureSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        groups_module,
        "training_pairs",
        lambda study, features, seed, kind: held_out_pairs(study, features)[1],
    )
    with pytest.raises(InputError, match="train and test must not share images"):
        train_cells(STUDY, conditions, RecordStore(tmp_path), STUDY.cells("grid"))
    assert not RecordStore(tmp_path).database.exists()


def test_noise_is_what_it_says() -> None:
    rng = np.random.default_rng(1)
    image, text = normalise(rng.standard_normal((400, 50))), rng.standard_normal((400, 1, 40))
    clean = FeatureSet(single(image), single(normalise(text)))
    raw = noisy_features(clean, Noise(0.3, "image"), renormalise=False, entropy=1)
    e = raw.image - clean.image
    assert e.std() == pytest.approx(0.3, rel=0.03)
    np.testing.assert_array_equal(raw.text, clean.text)
    unit = noisy_features(clean, Noise(0.3, "image"), renormalise=True, entropy=1)
    np.testing.assert_allclose(unit.image, normalise(raw.image), atol=1e-6)
    # The same draw, scaled: levels are paired.
    twice = noisy_features(clean, Noise(0.6, "both"), renormalise=False, entropy=1)
    np.testing.assert_allclose(twice.image - clean.image, 2 * e, atol=1e-5)
    assert len({clean.fingerprint, raw.fingerprint, unit.fingerprint, twice.fingerprint}) == 4


def _some_cells() -> list[TrainedCell]:
    return [
        TrainedCell("aligned", head, 32, Noise(sigma))
        for head in ("concat-mlp", "cross-attention")
        for sigma in (0.0, 0.5)
    ]


def test_predictions_follow_the_features_that_are_trained_on(
    conditions: dict[str, FeatureSet],
) -> None:
    known = predictions(STUDY, conditions, _some_cells())
    place = ["condition", "head", "n", "sigma", "side"]
    table = known.set_index(place)["predicted"]
    assert (table.xs("cross-attention", level="head") == 0.5).all()
    clean = table["aligned", "concat-mlp", 32, 0.0, "both"]
    assert 0.5 <= table["aligned", "concat-mlp", 32, 0.5, "both"] < clean
    assert {RIDGE} == {0.1}


def test_rescaled_noise_matches_moments_of_noisy_features() -> None:
    rng = np.random.default_rng(2)
    image, text = (single(normalise(rng.standard_normal((4000, 60)))) for _ in range(2))
    clean = FeatureSet(image, text)
    unit = noisy_features(clean, Noise(0.2, "both"), renormalise=True, entropy=3)
    measured = Moments.from_features(unit.image, unit.text).image_eigenvalues.sum()
    moved = Moments.from_features(clean.image, clean.text).with_noise(image=0.2, text=0.2)
    rescaled = moved.rescaled(image=(1 + 0.04 * 60) ** -0.5).image_eigenvalues.sum()
    assert rescaled == pytest.approx(measured, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"heads": ("transformer",)}, "heads must be among"),
        ({"sizes": (33,)}, "sizes must be even"),
        ({"sizes": (64, 32)}, "sizes must increase"),
        ({"sigmas": (0.0,)}, "sigmas must be above 0"),
        ({"strengths": {"far": 2.0}}, "strength of far must be from 0 to 1"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TrainedStudy(**settings)  # type: ignore[arg-type]


def test_command_refuses_before_any_work(features: FeatureSet, tmp_path: Path) -> None:
    path = tmp_path / "features.safetensors"
    features.save(path)
    result = CliRunner().invoke(app, ["trained", "--features", str(path)])
    assert result.exit_code != 0
    assert isinstance(result.exception, InputError | SystemExit)
    with pytest.raises(InputError, match="sizes must be at most 400"):
        TrainedStudy().check_features(features)
    with pytest.raises(InputError, match="part must be one of grid, fixed, noise"):
        TrainedStudy().cells("all")
    result = CliRunner().invoke(app, ["trained", "--dtype", "float16"])
    assert result.exit_code == 2
    assert "dtype must be one of float32, bfloat16, got 'float16'" in result.output


def test_one_seed_has_no_gaps_and_still_a_table_and_a_figure(
    conditions: dict[str, FeatureSet], store: RecordStore, tmp_path: Path
) -> None:
    runs, _ = recorded_runs(STUDY, conditions, store, STUDY.cells("grid"))
    alone = runs[runs["seed"] == 0]
    test = held_out_pairs(STUDY, conditions["aligned"])[1]
    none, some = gap_table(alone, test.image), gap_table(runs, test.image)
    assert none.empty
    assert list(none.columns) == list(some.columns)
    renamed = alone.replace({"condition": {"aligned": "clip", "unaligned": "resnet18"}})
    [path] = draw(renamed, none, tmp_path / "figure")
    assert "clip, accuracy" in path.read_text()
