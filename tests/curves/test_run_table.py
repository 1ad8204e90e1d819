"""Tables of own runs as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fusiontheory import InputError
from fusiontheory.curves import read_runs


def runs(folder: Path, text: str) -> list[list[object]]:
    (folder / "runs.csv").write_text(text, encoding="utf-8")
    return read_runs(folder / "runs.csv")[["head", "n", "accuracy"]].to_numpy().tolist()


@pytest.mark.parametrize(
    "text",
    [
        "head;n;accuracy\nbilinear;256;0,75\n",
        "head\tn\taccuracy\nbilinear\t256\t0.75\n",
        "\ufeffhead,n,accuracy\nbilinear,256,0.75\n",
        "Head, N, Accuracy\nbilinear,256,0.75\n",
        "# my runs, in November\n\nhead,n,accuracy\nbilinear,256,0.75\n",
        "n,bilinear,concat-mlp\n256,0.75,\n",
    ],
)
def test_columns_are_separated_and_named_as_programs_do(tmp_path: Path, text: str) -> None:
    assert runs(tmp_path, text) == [["bilinear", 256, 0.75]]


def test_per_cents_that_say_so_are_fractions(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"in per cent in runs.csv"):
        found = runs(tmp_path, "head,n,accuracy\nbilinear,256,75.0%\nbilinear,512,76 %\n")
    assert [row[2] for row in found] == [0.75, 0.76]


def test_runs_without_a_seed_are_runs_of_their_own(tmp_path: Path) -> None:
    rows = "bilinear,256,0.75,\nbilinear,256,0.74,\nbilinear,256,0.73,0\n"
    assert len(runs(tmp_path, f"head,n,accuracy,seed\n{rows}")) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Step,bilinear - val/acc\n64,0.7\n", "got Step, bilinear - val/acc in runs.csv; head, n"),
        ("head,n,accuracy\nbilinear,256,0.7 +- 0.1\n", "row 0 in runs.csv .* as fractions"),
        ("head,n,accuracy\nbilinear,1k,0.7\n", "a number as n .* '1k' in row 0 in runs.csv"),
        ("head,n,accuracy\nbilinear,0.5,0.7\n", "0.5 in row 0 in runs.csv; multiply shares"),
        ("head,n,accuracy\nbilinear,256,75\n", "row 0 in runs.csv .* divide per cents"),
        ("head,n,accuracy,seed\n" + 2 * "bilinear,256,0.7,0\n", "seed 0 again in runs.csv"),
    ],
)
def test_an_error_names_the_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        runs(tmp_path, text)


def test_other_kinds_of_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "runs.json").write_text("[]")
    with pytest.raises(InputError, match=r"got runs\.json; save it as CSV"):
        read_runs(tmp_path / "runs.json")
