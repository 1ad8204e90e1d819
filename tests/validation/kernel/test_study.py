"""The study from features to report, on small made-up features."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import shutil
import sqlite3
import time
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.progress import Progress
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.heads import RIDGES
from fusiontheory.matching import Terms
from fusiontheory.moments import Moments
from fusiontheory.store import RecordStore
from validation.__main__ import app
from validation.conditions import condition_features
from validation.kernel import (
    Study,
    compare,
    fill_store,
    fingerprints,
    measure_cell,
    measured_cells,
    predict_cell,
    predicted_cells,
)
from validation.kernel.compare import crossing
from validation.kernel.predict import FULL_THEORY, TERMS
from validation.moments import condition_moments

SMALL = ["--sizes", "16,64", "--seeds", "2", "--test-pairs", "40"]
STUDY = Study(sizes=(16, 64), seeds=2, ridge=0.1, test_pairs=40, curve_points=5)


def made_up(seed: int = 0) -> FeatureSet:
    """Images and two captions each that share a latent; no split too small for STUDY."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((260, 6))
    image = latent @ rng.standard_normal((6, 10)) + 0.5 * rng.standard_normal((260, 10))
    text = (latent @ rng.standard_normal((6, 8)))[:, None] + rng.standard_normal((260, 2, 8))
    split = np.repeat(["align", "train", "dev", "test"], [80, 100, 20, 60])
    return FeatureSet(image, text, split=rng.permutation(split), name="made up")


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    return made_up()


@pytest.fixture(scope="module")
def conditions(
    features: FeatureSet, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, FeatureSet]:
    return condition_features(features, STUDY.strengths, tmp_path_factory.mktemp("heads"))


@pytest.fixture
def file(features: FeatureSet, tmp_path: Path) -> Path:
    path = tmp_path / "features.safetensors"
    features.save(path)
    return path


def validation(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def whole(
    features: FeatureSet, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[object], Path, str]:
    """Return the options of a run that nothing disturbed, its store, and what it said."""
    folder = tmp_path_factory.mktemp("whole")
    features.save(folder / "features.safetensors")
    store = folder / "store"
    common = ["--features", folder / "features.safetensors", "--store", store, *SMALL]
    status, said = validation("run", *common, "--jobs", 1, "--json")
    assert status == 0, said
    return common, store, said


def matching_table(store: Path) -> pd.DataFrame:
    return RecordStore(store / "records").read("matching")


def test_run_and_report(whole: tuple[list[object], Path, str], tmp_path: Path) -> None:
    (common, store, said), out = whole, tmp_path / "report"
    # Two conditions of 4 heads x 2 seeds measured and 2 searched, 4 heads x 7 terms predicted, and
    # retrieval.
    # Warnings, such as of unusual features, may stand around the line of JSON.
    [told] = [line for line in said.splitlines() if line.startswith("{")]
    assert json.loads(told)["records"] == 2 * (8 + 8 + 28 + 1)
    records = RecordStore(store / "records")
    written = records.database.read_bytes()
    assert validation("run", *common)[0] == 0
    assert records.database.read_bytes() == written

    assert validation("report", *common, "--out", out) == (0, f"report: {out / 'index.html'}\n")
    table = pd.read_csv(out / "comparison.csv")
    assert list(table) == [
        *("condition", "head", "n", "seeds", "measured", "measured_se"),
        *("predicted", "predicted_low", "predicted_high", "trusted", "predicted_ridge", "ridge"),
    ]
    assert (table.loc[table["head"] == "bilinear", "ridge"].isin(RIDGES)).all()  # K(x, x) is 1
    assert len(table) == 2 * 4 * 2
    assert (table["seeds"] == 2).all()
    bands = table["predicted_low"] <= table["predicted"]
    assert (bands & (table["predicted"] <= table["predicted_high"])).all()
    bilinear = table[(table["head"] == "bilinear") & (table["n"] == 64)]
    assert (bilinear["measured"] > 0.6).all()
    for name in ("comparison", "gap", "calibration", "ridges"):
        assert (out / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (out / "figures" / f"{name}.svg").read_text()
    assert "made up" in (out / "index.html").read_text()


def test_a_killed_run_resumes_to_the_same_table(
    whole: tuple[list[object], Path, str], file: Path, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    command = ["run", "--features", file, "--store", killed, *SMALL, "--jobs", 1]

    def kept() -> dict[str, int]:
        try:
            return {one.study: one.cells for one in RecordStore(killed / "records").status()}
        except InputError:
            return {}

    process = multiprocessing.get_context("fork").Process(target=validation, args=command)
    process.start()
    deadline = time.monotonic() + 60
    while not kept() and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join()
    assert kept()
    assert kept().get("matching", 0) < len(matching_table(whole[1])) / 2
    assert RecordStore(killed / "records").verify() == []
    assert validation(*command)[0] == 0
    pd.testing.assert_frame_equal(matching_table(killed), matching_table(whole[1]))


def test_predictions_know_nothing_of_dev_and_test(
    features: FeatureSet, conditions: dict[str, FeatureSet], tmp_path: Path
) -> None:
    other = made_up(seed=1)
    rows = features.rows("dev", "test")
    image, text = features.image.copy(), features.text.copy()
    image[rows], text[rows] = other.image[rows], other.text[rows]
    changed = FeatureSet(image, text, features.ids, features.split)
    altered = condition_features(changed, STUDY.strengths, tmp_path)
    for name, strength in STUDY.strengths.items():
        cell = next(
            c
            for c in predicted_cells(STUDY, fingerprints(conditions))
            if c.config["condition"] == name and c.config["head"] == "concat-mlp"
        )
        known, same = (
            predict_cell(cell, condition_moments(data[name], strength), 60, 200)
            for data in (conditions, altered)
        )
        assert known == same


def test_each_term_is_told_apart_by_what_it_is() -> None:
    assert len({*TERMS.values()}) == len(TERMS)
    assert TERMS[FULL_THEORY] == Terms()
    changed = [
        sum(getattr(one, f.name) != getattr(other, f.name) for f in fields(Terms) if f.init)
        for one, other in pairwise(TERMS.values())
    ]
    assert changed == [1] * (len(TERMS) - 1)  # one term after the other
    with pytest.raises(TypeError, match="positional"):
        Terms(2, True)  # type: ignore[misc]


def test_training_pairs_hold_no_test_image(conditions: dict[str, FeatureSet]) -> None:
    data = conditions["aligned"]
    cell = next(
        c
        for c in measured_cells(STUDY, fingerprints(conditions))
        if c.config["head"] == "bilinear" and c.config["condition"] == "aligned"
    )
    image, text = data.image.copy(), data.text.copy()
    unused = np.setdiff1d(data.rows(), data.rows("train", "test"))
    image[unused], text[unused] = np.nan, np.nan
    rows = measure_cell(cell, image, text, data.rows("train"), data.rows("test"))
    assert all(np.isfinite(row["accuracy"]) for row in rows)
    clean = measure_cell(cell, data.image, data.text, data.rows("train"), data.rows("test"))
    assert rows == clean


@pytest.mark.parametrize("condition", ["unaligned", "aligned"])
def test_which_images_give_the_moments(conditions: dict[str, FeatureSet], condition: str) -> None:
    splits = ("align", "train") if condition == "unaligned" else ("train",)
    data = conditions[condition]
    rows = data.rows(*splits)
    moments = condition_moments(data, STUDY.strengths[condition])
    again = Moments.from_features(data.image[rows], data.text[rows])
    np.testing.assert_array_equal(moments.cross, again.cross)


def test_every_strength_between(features: FeatureSet, tmp_path: Path) -> None:
    study = Study(
        strengths={"none": 0.0, "half": 0.5, "full": 1.0},
        heads=("bilinear", "concat-mlp"),
        sizes=(16,),
        seeds=2,
        test_pairs=40,
        curve_points=2,
    )
    data = condition_features(features, study.strengths, tmp_path)
    store = RecordStore(tmp_path / "records")
    fill_store(study, data, store, jobs=1, progress=Progress(disable=True))
    tables = compare(study, fingerprints(data), store)
    assert list(tables.gaps["condition"]) == ["none", "half", "full"]
    measured = store.read("matching")
    paired = measured.pivot(index=["condition", "seed"], columns="head", values="accuracy")
    gap = (paired["concat-mlp"] - paired["bilinear"]).groupby("condition").agg(["mean", "sem"])
    for row in tables.gaps.itertuples():
        assert row.measured_gap == pytest.approx(gap.loc[row.condition, "mean"])
        assert row.measured_gap_se == pytest.approx(gap.loc[row.condition, "sem"])


def test_missing_records_are_named(file: Path, tmp_path: Path) -> None:
    common = ["--features", file, "--store", tmp_path / "store", *SMALL]
    status, said = validation("report", *common, "--out", tmp_path / "report")
    assert status == 2
    assert said.startswith("error: ")
    assert not (tmp_path / "report" / "index.html").exists()


def test_a_corrupt_record_stops_the_run(
    whole: tuple[list[object], Path, str], file: Path, tmp_path: Path
) -> None:
    shutil.copytree(whole[1], tmp_path / "store")
    common = ["--features", file, "--store", tmp_path / "store", *SMALL, "--jobs", 1]
    store = RecordStore(tmp_path / "store" / "records")
    with contextlib.closing(sqlite3.connect(store.database)) as connection, connection:
        connection.execute("DROP TRIGGER written_once")
        where = "WHERE study = 'matching' ORDER BY key LIMIT 1"
        [record] = connection.execute(f"SELECT key FROM records {where}").fetchone()
        connection.execute("UPDATE records SET rows = substr(rows, 2) WHERE key = ?", (record,))
    for command in (["run", *common], ["report", *common[:-2], "--out", tmp_path / "out"]):
        status, said = validation(*command)
        assert (status, said.count("\n")) == (2, 1)
        assert record in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seeds", "0"], "seeds must be at least 1, got 0"),
        (["--sizes", "16,63"], "sizes must be even, half matched, got 63"),
        (["--sizes", "64,16"], "sizes must increase, got [64, 16]"),
        (["--sizes", "a"], "sizes must be integers separated by commas, got 'a'"),
        (["--sizes", "512"], "sizes must be at most 400, twice the 100 train images x 2 texts"),
        (["--test-pairs", "242"], "test_pairs must be at most 240, twice the 60 test images"),
        (["--ridge", "-1"], "ridge must be a finite number of at least 0, got -1.0"),
        (["--ridge", "0"], "ridge must be above 0 to measure, got 0"),
    ],
)
@pytest.mark.parametrize("command", ["run", "report"])
def test_bad_settings_stop_before_any_work(
    file: Path, tmp_path: Path, command: str, options: list[str], said: str
) -> None:
    store = tmp_path / "store"
    status, output = validation(command, "--features", file, "--store", store, *SMALL, *options)
    assert (status, output.count("\n")) == (2, 1)
    assert output.startswith(f"error: {said}")
    assert not store.exists()


def test_bad_files_and_folders(file: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, not a folder")
    status, said = validation("run", "--features", file, "--store", blocked, *SMALL)
    assert (status, said.count("\n")) == (2, 1)
    assert str(blocked) in said
    common = ["--features", file, "--store", tmp_path / "store", *SMALL]
    status, said = validation("report", *common, "--out", blocked)
    assert (status, said.count("\n")) == (2, 1)
    assert str(blocked) in said
    assert blocked.read_text() == "a file, not a folder"
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(file.read_bytes()[:-7])
    status, said = validation("run", "--features", cut, "--store", tmp_path / "store", *SMALL)
    assert (status, said.count("\n")) == (2, 1)
    assert "cut.safetensors" in said
    assert not (tmp_path / "store").exists()


def test_features_without_splits_are_refused() -> None:
    whole = made_up()
    with pytest.raises(InputError, match="splits must have rows"):
        STUDY.check_features(FeatureSet(whole.image, whole.text))


def test_the_crossing_is_the_last_change_of_sign_in_log_n() -> None:
    sizes = np.array([1.0, 10.0, 100.0, 1000.0])
    assert crossing(sizes, np.array([-1.0, -1.0, 1.0, 2.0])) == pytest.approx(10**1.5)
    assert crossing(sizes, np.array([-1.0, 1.0, -1.0, 3.0])) == pytest.approx(10**2.25)
    assert np.isnan(crossing(sizes, np.array([-3.0, -2.0, -1.0, -0.5])))
