"""Trials from a file, in Python and on the command line."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fusiontheory.cli import app
from fusiontheory.data import prepare
from fusiontheory.trial import trial_curve, trial_forecast


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rng = np.random.default_rng(0)
    item = rng.standard_normal((120, 6)) + 1
    found = tmp_path_factory.mktemp("trial") / "features.npz"
    np.savez(found, image=item + rng.standard_normal(item.shape), text=item[:, :5])
    return found


def test_a_file_gives_the_trial_of_its_prepared_features(path):
    features = np.load(path)
    found = trial_forecast(path, ["bilinear"], [64], 0.1)
    own = trial_curve("bilinear", *prepare(features["image"], features["text"]), [64], 0.1)
    pd.testing.assert_frame_equal(found.drop(columns="head"), own)


def test_the_command_says_the_same(path):
    options = ["--trial", "--head", "bilinear", "--n", "64", "--ridge", "0.1"]
    run = CliRunner().invoke(app, ["predict", str(path), *options, "--json"])
    assert run.exit_code == 0, run.output
    [row] = json.loads(run.stdout)["predictions"]
    expected = trial_forecast(path, ["bilinear"], [64], 0.1)["accuracy"][0]
    assert row["accuracy"] == pytest.approx(expected)
    assert row["tried"] == 64
    text = CliRunner().invoke(app, ["predict", str(path), *options])
    assert text.exit_code == 0
    assert "tried" in text.output


@pytest.mark.parametrize(
    "options", [["--test-images", "50"], ["--training-sets", "3"], ["--ridge", "least-risk"]]
)
def test_what_a_trial_has_no_use_for_is_refused(path, options):
    run = CliRunner().invoke(app, ["predict", str(path), "--trial", *options])
    assert run.exit_code == 2
    assert "trial" in run.output
