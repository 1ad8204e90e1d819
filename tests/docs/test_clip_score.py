"""The script that scores a run of make clip, on the shipped tables, which have its form."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
SCRIPT = RESULTS / "clip" / "score.py"


def test_accuracies_and_claims_are_held_against_what_was_foretold() -> None:
    names = runpy.run_path(str(SCRIPT))
    kernel, first, networks, second, claims, table = (
        part for part in names["score"](RESULTS) if not part.startswith("\n")
    )
    assert kernel.startswith("Kernel heads")
    assert networks.startswith("Networks")
    for said, heads in ((first, 4), (second, 2)):
        rows = said.partition("In per cent:")[2].split("\n")
        assert len({row.split()[0] for row in rows[2:]}) == heads
    # Other features than CLIP's: their plain dot product is less than what CLIP's was said to be.
    assert "dot-product at n = 2048, below it" in first
    assert claims == "Claims with the verdict that was expected: 8 of 8."
    assert "sample-ratio" in table


def test_the_page_has_the_accuracies_that_are_stored() -> None:
    page = (RESULTS / "clip" / "PREDICTION.md").read_text(encoding="utf-8")
    told = pd.read_csv(RESULTS / "clip" / "foretold.csv")
    for (head, kind), stored in told.groupby(["head", "kind"]):
        line = re.search(rf"^\| {head}, {kind}[^|]* \|(.*)$", page, re.MULTILINE)
        assert line is not None
        said = [float(number) for number in re.findall(r"\d+\.\d", line[1])]
        wanted = 100 * stored.sort_values("n")[["central", "low", "high"]].to_numpy().ravel()
        # The table has four digits; the page was rounded from more.
        assert said == pytest.approx(wanted, abs=0.0501)


def test_a_folder_without_its_numbers_of_pairs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["score.py", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert ended.value.code == 2
    assert "error: FOLDER must be the docs/results of make clip" in capsys.readouterr().err
    table = pd.read_csv(RESULTS / "comparison.csv")
    table[table["n"] < 2048].to_csv(tmp_path / "comparison.csv")
    with pytest.raises(SystemExit):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "from 2048 to 16384 pairs, got none in" in capsys.readouterr().err


def test_what_is_foretold_follows_from_the_stored_tables() -> None:
    names = runpy.run_path(str(RESULTS / "clip" / "predict.py"))
    made = pd.concat(names["foretold"](), ignore_index=True)
    stored = pd.read_csv(RESULTS / "clip" / "foretold.csv")
    pd.testing.assert_frame_equal(made[stored.columns], stored, rtol=1e-3)
