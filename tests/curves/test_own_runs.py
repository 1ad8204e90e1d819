"""Own runs beside predictions: by hand, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fusiontheory import InputError, compare
from fusiontheory.cli import app

CURVE = pd.DataFrame(
    [
        (head, n, accuracy, accuracy - 0.01, accuracy + 0.01)
        for head, line in {"concat-mlp": [0.6, 0.8], "bilinear": [0.7, 0.75]}.items()
        for n, accuracy in zip((64, 256), line, strict=True)
    ],
    columns=["head", "n", "accuracy", "accuracy_low", "accuracy_high"],
)


def runs(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["head", "n", "accuracy", "seed"])


def test_points_are_means_over_runs_beside_the_line():
    found = compare(CURVE, runs(("bilinear", 64, 0.72, 0), ("bilinear", 64, 0.76, 1))).points
    row = found.iloc[0]
    assert (row["runs"], row["predicted"], row["verdict"]) == (2, 0.7, "inside")
    assert row["measured"] == pytest.approx(0.74)
    assert row["measured_se"] == pytest.approx(0.02)
    assert row["difference"] == pytest.approx(-0.04)


@pytest.mark.parametrize(
    ("accuracy", "verdict"), [(0.6, "below"), (0.69, "inside"), (0.71, "inside"), (0.8, "above")]
)
def test_what_lies_outside_its_interval(accuracy, verdict):
    found = compare(CURVE, runs(("bilinear", 64, accuracy, 0)))
    assert found.points["verdict"].tolist() == [verdict]
    told = "lie inside" if verdict == "inside" else f"bilinear at n = 64, {verdict} it"
    assert told in found.to_text()


def test_between_two_n_a_prediction_is_linear_in_log_n():
    found = compare(CURVE, runs(("concat-mlp", 128, 0.7, 0))).points
    assert found["predicted"].iloc[0] == pytest.approx(0.7)


def test_signs_of_gaps_are_paired_by_seed():
    # Between seeds accuracies differ more than heads do, but always in the same way.
    same = [(head, 64, base + 0.1 * seed, seed) for head, base in (("concat-mlp", 0.5),
            ("bilinear", 0.52)) for seed in range(3)]  # fmt: skip
    same[0] = ("concat-mlp", 64, 0.501, 0)
    found = compare(CURVE, runs(*same)).gaps.iloc[0]
    assert (found["first"], found["second"], found["verdict"]) == (
        "concat-mlp",
        "bilinear",
        "agrees",
    )
    assert found["measured_gap_se"] == pytest.approx(
        np.std([-0.019, -0.02, -0.02], ddof=1) / 3**0.5
    )
    other = [(h, n, a, s + 10 * (h == "bilinear")) for h, n, a, s in same]
    assert compare(CURVE, runs(*other)).gaps["verdict"].tolist() == ["too close to call"]


def test_a_wrong_sign_and_one_that_is_not_tested():
    wrong = [(h, 256, a + 0.001 * s, s) for h, a in (("concat-mlp", 0.6), ("bilinear", 0.9))
             for s in range(2)]  # fmt: skip
    wrong[0] = ("concat-mlp", 256, 0.6005, 0)
    found = compare(CURVE, runs(*wrong))
    assert found.gaps["verdict"].tolist() == ["wrong sign"]
    assert "named rightly in 0 of 1 cases" in found.to_text()
    single = compare(CURVE, runs(*wrong[::2]))
    assert single.gaps["verdict"].tolist() == ["not tested"]


def test_names_of_heads_are_one():
    curve = CURVE.assign(head="concat-linear", accuracy=0.5, accuracy_low=0.5, accuracy_high=0.5)
    found = compare(curve.iloc[:2], runs(("additive", 64, 0.5, 0)))
    assert found.points["head"].tolist() == ["concat-linear"]


BOTH = (("bilinear", 64, 0.7, 0), ("bilinear", 64, 0.7, 1))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (runs(), "runs must have at least one row"),
        (runs(("bilinear", 64, 72.0, 0)), "accuracies from 0 to 1, got 72 .* divide per cents"),
        (
            runs(("bilinear", 64, "high", 0)),
            "number as accuracy in every row, got 'high' in row 0",
        ),
        (runs(("bilinear", 512, 0.7, 0)), "n from 64 to 256, where bilinear is predicted, got 512"),
        (runs(("mine", 64, 0.7, 0)), "heads that are predicted, bilinear, concat-mlp, got mine"),
        (runs(*[("bilinear", 64, 0.7, 0)] * 2), "each run once, got bilinear, n = 64, seed 0"),
        (
            runs(("bilinear", 64, 0.7, 0)).drop(columns="n"),
            "columns head, n, accuracy, .* n not",
        ),
        (runs(*BOTH).assign(setting=["fixed", None]), r"one setting, got \(empty\), fixed"),
        (runs(*BOTH).assign(Threshold=["scores", "learned"]), "one threshold, got learned, scores"),
        (runs(*BOTH).assign(learning_rate=[0.1, 0.01]), "rate at each head and n, got 0.01, 0.1"),
        (runs(*BOTH).assign(accuracy=[True, False]), "means over test items from 0 to 1, got true"),
    ],
)
def test_refusals(table, message):
    # What was chosen may differ from n to n, and is told apart at one n alone.
    with pytest.raises(InputError, match=message):
        compare(CURVE, table)


def test_the_command_draws_and_prints_what_the_function_finds(tmp_path):
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((200, 6))
    np.savez(tmp_path / "f.npz", image=shared, text=shared + rng.standard_normal((200, 6)))
    (tmp_path / "runs.csv").write_text("head,n,accuracy\nbilinear,64,0.7\nconcat-mlp,64,0.6\n")
    figure = tmp_path / "runs.svg"
    arguments = ["compare", str(tmp_path / "f.npz"), "--runs", str(tmp_path / "runs.csv")]
    result = CliRunner().invoke(app, [*arguments, "--json", "--figure", str(figure)])
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert [row["measured"] for row in record["points"]] == [0.7, 0.6]
    assert record["points"][0]["measured_se"] is None
    assert record["gaps"][0]["verdict"] == "not tested"
    assert figure.read_bytes().startswith(b"<?xml")
    (tmp_path / "other.csv").write_text("head,n,accuracy\nmine,64,0.7\n")
    arguments[-1] = str(tmp_path / "other.csv")
    assert "got 'mine' in other.csv; rename it there" in CliRunner().invoke(app, arguments).output
    missing = CliRunner().invoke(app, ["compare", str(tmp_path / "f.npz"), "--runs", "none.csv"])
    assert (missing.exit_code, missing.output.count("\n")) == (2, 1)
    assert "none.csv cannot be read" in missing.output
