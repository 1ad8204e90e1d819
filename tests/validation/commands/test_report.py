"""A report is of a run: the last one, or the last with the settings that are given."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.store import RecordStore
from validation.__main__ import app
from validation.kernel import Run, asked_run, note_run, noted_runs
from validation.pipeline import session_of_file, split_by_image

pytestmark = pytest.mark.usefixtures("undrawn")

SMALL = ["--sizes", "16,32", "--seeds", "1", "--test-pairs", "20", "--jobs", "1"]


def validation(*arguments: object) -> tuple[int, str, str]:
    """Return the status of a command, what it printed, and what it said besides."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def made_up(seed: int, count: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((count, 4))
    image = latent @ rng.standard_normal((4, 6)) + 0.3 * rng.standard_normal((count, 6))
    return image, latent @ rng.standard_normal((4, 6)) + 0.3 * rng.standard_normal((count, 6))


def file(folder: Path, name: str, seed: int) -> Path:
    """Write features without align images."""
    split = split_by_image([str(row) for row in range(80)])
    path = folder / f"{name}.safetensors"
    FeatureSet(*made_up(seed), split=split, name=name).save(path)
    return path


def test_a_report_without_options_is_of_the_last_run(tmp_path: Path) -> None:
    store, out = tmp_path / "store", tmp_path / "report"
    places = ["--store", store, "--out", out]
    for name in ("first", "second"):
        options = ["--features", file(tmp_path, name, len(name)), "--store", store, *SMALL]
        assert validation("run", *options)[0] == 0
    status, printed, said = validation("report", *places, "--json")
    assert (status, json.loads(printed)) == (0, {"page": str(out / "index.html")})
    assert "report of features second.safetensors, sizes 16,32, seeds 1" in said
    assert list(pd.read_csv(out / "comparison.csv")["condition"].unique()) == ["second"]
    page = (out / "index.html").read_text()
    assert str(tmp_path) not in page
    assert "second.safetensors has no align split" in page

    # What is given chooses among the runs; the rest comes from the run that has it.
    status, _, said = validation("report", *places, "--features", tmp_path / "first.safetensors")
    assert status == 0, said
    assert "report of features first.safetensors, sizes 16,32" in said
    assert list(pd.read_csv(out / "comparison.csv")["condition"].unique()) == ["first"]
    # A run that is made again, though nothing is left to do, is the last one.
    options = ["--features", tmp_path / "first.safetensors", "--store", store, *SMALL]
    assert validation("run", *options)[0] == 0
    assert "features first.safetensors" in validation("report", *places)[2]

    status, _, said = validation("report", *places, "--seeds", 2)
    assert (status, said.splitlines()[-1].partition(": ")[0]) == (2, "error")
    assert "store must hold the 8 matching records of these settings, got 4" in said
    for name in ("first", "second"):
        assert f"features {name}.safetensors, sizes 16,32, seeds 1, ridge best, test" in said

    file(tmp_path, "first", 9)
    status, _, said = validation("report", *places)
    assert status == 2
    assert "features must be those of the run, got others since then in" in said


def test_a_head_by_choice_is_in_the_tables_of_a_run_that_names_it(tmp_path: Path) -> None:
    store, out = tmp_path / "store", tmp_path / "report"
    given = ["--features", file(tmp_path, "mine", 0), "--store", store, *SMALL]
    status, _, said = validation("run", *given, "--also", "concat-mlp-aligned")
    assert status == 0, said
    status, _, said = validation("report", "--store", store, "--out", out)
    assert status == 0, said
    assert "also concat-mlp-aligned" in said
    table = pd.read_csv(out / "comparison.csv")
    own = table[table["head"] == "concat-mlp-aligned"]
    assert len(own) == 2
    assert own[["measured", "predicted", "ridge"]].notna().all(axis=None)
    assert noted_runs(store)[-1].also == ("concat-mlp-aligned",)
    status, _, said = validation("run", *given, "--also", "concat-mlp-turned")
    assert status == 2
    assert "did you mean concat-mlp" in said


def test_a_run_that_cannot_start_is_not_noted(tmp_path: Path) -> None:
    store = tmp_path / "store"
    given = ["--features", file(tmp_path, "mine", 0), "--store", store]
    assert validation("run", *given, *SMALL, "--jobs", 0)[0] == 2
    assert validation("run", *given, *SMALL, "--ridge", 0)[0] == 2
    assert noted_runs(store) == []
    assert asked_run(store, {"seeds": 3}) == Run(seeds=3)


def test_arrays_run_and_report_are_one_way(tmp_path: Path) -> None:
    """Arrays without splits end in the page that the command study makes of them."""
    for name, array in zip(("image", "text"), made_up(0), strict=True):
        np.save(tmp_path / f"{name}.npy", array)
    mine = tmp_path / "mine.safetensors"
    arrays = ["--image", tmp_path / "image.npy", "--text", tmp_path / "text.npy", "--out", mine]
    assert validation("arrays", *arrays)[0] == 0
    numbers = ["--sizes", "16,32,512", "--seeds", "1", "--jobs", "1"]
    named = f"mine={mine}"  # as study takes it
    status, _, said = validation(
        "run", "--features", named, "--store", tmp_path / "store", *numbers
    )
    assert status == 0, said
    lines = said.splitlines()
    assert lines[0] == (
        "mine: the features are studied as given, because mine.safetensors has no align split to"
        " train alignment on"
    )
    assert lines[1] == "mine: split by image with seed 0: 60 train, 10 dev, 10 test"
    assert "sizes 512 are left out: the training texts allow 120 pairs" in said
    assert "Small corpus: with 10 test images" in said
    places = ["--store", tmp_path / "store", "--out", tmp_path / "report"]
    assert validation("report", *places)[0] == 0

    study = ["study", "--features", f"mine={mine}", "--parts", "none", *numbers]
    # Of the same store: it finds every record made.
    records = RecordStore(tmp_path / "store" / "records").database
    written = records.read_bytes()
    status, _, said = validation(*study, "--store", tmp_path / "store", "--out", tmp_path / "same")
    assert status == 0, said
    assert records.read_bytes() == written
    for name in ("comparison", "curves", "gaps", "crossovers", "terms"):
        found = [(tmp_path / out / f"{name}.csv").read_bytes() for out in ("report", "same")]
        assert found[0] == found[1]


def test_shipped_features_are_no_file_to_be_taken_as_given(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="features must be a file"):
        session_of_file(Run(), tmp_path)


# Notes of runs


def test_runs_are_noted_once_and_found_by_settings(tmp_path: Path) -> None:
    mine, other = (Run(features=tmp_path / name, fingerprint=name) for name in ("mine", "other"))
    few = Run(seeds=2, sizes=(16, 64), ridge=0.3, test_pairs=40, fingerprint="shipped")
    for run in (mine, few, other, mine):
        note_run(tmp_path, run)
    assert noted_runs(tmp_path) == [few, other, mine]
    assert asked_run(tmp_path, {}) == mine
    assert asked_run(tmp_path, {"ridge": 0.3}) == few
    assert asked_run(tmp_path, {"features": tmp_path / "other", "seeds": 10}) == other
    # None of them: the last one, with what is given.
    assert asked_run(tmp_path, {"seeds": 3}) == Run(
        features=tmp_path / "mine", seeds=3, fingerprint="mine"
    )
    elsewhere = tmp_path / "elsewhere" / "mine"
    assert asked_run(tmp_path, {"features": elsewhere}) == Run(features=elsewhere)
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"started": "2026", "features": 3}'])
def test_a_damaged_note_is_named(tmp_path: Path, content: str) -> None:
    path = note_run(tmp_path, Run())
    path.write_text(content)
    with pytest.raises(InputError, match="intact settings of its runs") as caught:
        noted_runs(tmp_path)
    assert path.name in str(caught.value)


def test_numbers_of_a_run_are_checked() -> None:
    with pytest.raises(InputError, match="seeds must be at least 1, got 0"):
        Run(seeds=0)
