"""Tables beside those that a study seals: what asks for them, and which code made them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pandas as pd
import pytest

from experiments.choice import collect as choice
from experiments.large_n.halves import sampling_error
from experiments.pilot_accuracy import unequal
from experiments.side_tables import (
    NOTES,
    arguments,
    check_side_tables,
    side_tables,
    write_side_table,
)
from fusiontheory.checks import InputError

STUDIES = Path(__file__).parents[2] / "experiments"


def test_every_stored_table_is_sealed_or_says_which_code_made_it():
    """Predictions that were replaced are kept under their date, some older than seals."""
    unknown = []
    for table in sorted(STUDIES.glob("*/*.csv")):
        folder = table.parent
        seals = [*folder.glob("predictions.json"), *folder.glob("results.json")]
        known = {name for seal in seals for name in json.loads(seal.read_bytes())["tables"]}
        known.update(*(json.loads(notes.read_bytes()) for notes in folder.glob(NOTES)))
        if table.name not in known and "-until-" not in table.name:
            unknown.append(str(table.relative_to(STUDIES)))
    assert unknown == []
    wrong = [
        words for notes in STUDIES.glob(f"*/{NOTES}") for words in check_side_tables(notes.parent)
    ]
    assert wrong == []


def test_a_table_says_which_code_made_it(tmp_path):
    path = tmp_path / "a.csv"
    write_side_table(path, pd.DataFrame({"n": [1], "risk": [1 / 3]}), sampling_error)
    assert path.read_text() == "n,risk\n1,0.333333\n"
    [(name, facts, now)] = side_tables(tmp_path)
    assert (name, facts["made_by"]) == ("a.csv", "experiments.large_n.halves:sampling_error")
    assert facts["code"] == now
    assert check_side_tables(tmp_path) == []
    with pytest.raises(InputError, match="1 of its 1 rows would be lost"):
        write_side_table(path, pd.DataFrame({"n": [], "risk": []}), sampling_error)
    path.write_text("n,risk\n1,0.4\n")
    assert "is not the table that was written" in check_side_tables(tmp_path)[0]
    path.unlink()
    assert "is noted and not there" in check_side_tables(tmp_path)[0]


@pytest.mark.parametrize("given", [["three"], ["1", "2"], ["--help-me"], []])
def test_a_mistyped_word_ends_before_anything_is_made(given, capsys):
    with pytest.raises(SystemExit) as ended:
        arguments("About.", {"count": int}, given)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_words_and_what_may_be_left_out(capsys):
    kinds = {"word": ("collect", "judge"), "minutes": float}
    assert arguments(None, kinds, ["judge"], minutes=2.0) == ["judge", 2.0]
    with pytest.raises(SystemExit):
        arguments(None, kinds, ["jugde"], minutes=2.0)
    assert "choose from" in capsys.readouterr().err


def test_worlds_are_measured_once_for_each_code(tmp_path, monkeypatch):
    asked = []

    def rows(world):
        asked.append(world.seed)
        if len(asked) == 1:
            raise InputError("a class with too few items")
        return pd.DataFrame([{**dict.fromkeys(unequal.COLUMNS, 0.5), "world": world.seed}])

    monkeypatch.setattr(unequal, "world_rows", rows)
    table = unequal.collected(3, 95_000, tmp_path)
    assert len(asked) == 3
    assert table["world"].tolist() == asked[1:]
    pd.testing.assert_frame_equal(unequal.collected(3, 95_000, tmp_path), table)
    assert len(asked) == 3
    monkeypatch.setattr(unequal, "code_version", lambda function: "other")
    unequal.collected(3, 95_000, tmp_path)
    assert len(asked) == 6


def test_calibration_worlds_of_other_code_are_measured_anew(tmp_path, monkeypatch):
    asked = []

    def measured(world, config):
        asked.append(world.seed)
        return {"world": world.seed}

    with pytest.raises(InputError, match="got none"):
        list(choice.read_records(tmp_path))
    monkeypatch.setattr(choice, "measured", measured)
    choice.collect(2, tmp_path)
    choice.collect(2, tmp_path)
    assert [record["world"] for record in choice.read_records(tmp_path)] == asked
    assert len(asked) == 2
    path = tmp_path / "cal0001.pkl"
    path.write_bytes(pickle.dumps({**pickle.loads(path.read_bytes()), "code": "other"}))
    with pytest.raises(InputError, match="made by other code"):
        list(choice.read_records(tmp_path))
    choice.collect(2, tmp_path)
    assert len(asked) == 3
