"""The command that predicts: forms of output, and what it refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fusiontheory.cli import app


def test_predict_writes_json_without_infinities(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "f.npz", image=rng.standard_normal((80, 4)), text=rng.standard_normal((80, 4))
    )
    arguments = ["predict", str(tmp_path / "f.npz"), "--n", "16", "--ridge", "0", "--json"]
    result = CliRunner().invoke(app, [*arguments, "--head", "bilinear"])
    assert result.exit_code == 0
    (row,) = json.loads(result.stdout)["predictions"]
    assert row["risk"] is None
    assert "warning: the risk of bilinear is infinite at n = 16" in result.output


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"image": np.eye(3)}, "path must hold the arrays image and text"),
        (
            {"image": np.eye(3), "text": np.eye(4)},
            "text must have one row for each of the 3 images",
        ),
        ({"image": np.full((3, 2), np.nan), "text": np.eye(3)}, "image must be finite"),
        ({"image": np.ones((3, 2)), "text": np.eye(3)}, "image must vary, got 3 rows that are all"),
        ({"image": np.eye(1), "text": np.eye(1)}, "image must have at least 2 rows"),
        ({"image": 1j * np.eye(3), "text": np.eye(3)}, "image must be an array of real numbers"),
    ],
)
def test_predict_refuses_bad_features(tmp_path: Path, arrays: dict, said: str) -> None:
    np.savez(tmp_path / "f.npz", **arrays)
    result = CliRunner().invoke(app, ["predict", str(tmp_path / "f.npz")])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert result.output.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--n", "1"], "n must be at least 2"),
        (["--n", "x"], "n must be numbers separated by commas, got 'x'"),
        (["--ridge", "bset"], "ridge must be a number of at least 0 or 'best' or 'least-risk'"),
        (["--ridge", "-1"], "ridge must be a finite number of at least 0, got -1.0"),
        (["--head", "bilinar"], "head must be one of concat-linear, concat-mlp, bilinear"),
        (["--split", "train"], "splits must have rows"),
        (["--test-images", "1"], "test_images must be at least 2, got 1"),
        (["--training-sets", "0"], "training_sets must be at least 1, got 0"),
    ],
)
def test_predict_refuses_bad_options(tmp_path: Path, options: list[str], said: str) -> None:
    np.savez(tmp_path / "f.npz", image=np.eye(60), text=np.eye(60)[::-1])
    result = CliRunner().invoke(app, ["predict", str(tmp_path / "f.npz"), *options])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert result.output.startswith(f"error: {said}")


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def shared_features(path: Path, n: int = 80) -> str:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((n, 6))
    np.savez(path, image=shared, text=shared + rng.standard_normal((n, 6)))
    return str(path)


def test_predict_answers_who_is_ahead_at_each_head_s_best_ridge(tmp_path: Path) -> None:
    path = shared_features(tmp_path / "f.npz")
    result = run("predict", path, "--head", "bilinear", "--head", "concat-mlp", "--n", "32,128")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Image-text matching: is a text the image's own?")
    assert "Concatenation (concat-mlp) or interaction (bilinear)?" in result.stdout
    assert "each head's best ridge at each n" in result.stdout
    record = json.loads(run("predict", path, "--n", "32,128", "--json").stdout)
    assert record["ridge"] == "best"
    assert all(row["ridge"] > 0 for row in record["predictions"])
    assert [row["n"] for row in record["answer"]["leaders"]] == [32, 128]


def test_predict_asks_for_no_more_pairs_than_the_images_allow(tmp_path: Path) -> None:
    path = shared_features(tmp_path / "f.npz")
    default = json.loads(run("predict", path, "--head", "bilinear", "--json").stdout)
    assert [row["n"] for row in default["predictions"]] == [32, 64, 128]
    beyond = run("predict", path, "--n", "64,256")
    assert (beyond.exit_code, beyond.output.count("\n")) == (2, 1)
    assert "n must be at most 160, twice the 80 training_images x 1 texts, got 256" in beyond.output
    more = run("predict", path, "--head", "bilinear", "--n", "256", "--training-images", "500")
    assert more.exit_code == 0
    assert "training pairs drawn from 500 images" in more.stdout


def test_a_head_goes_by_one_name(tmp_path: Path) -> None:
    path = shared_features(tmp_path / "f.npz")
    twice = ("--head", "additive", "--head", "concat-linear")
    record = json.loads(run("predict", path, *twice, "--n", "32", "--json").stdout)
    assert [row["head"] for row in record["predictions"]] == ["concat-linear"]
