"""Tables are not replaced by such that hold less, unless that is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusiontheory.checks import InputError
from fusiontheory.store import write_tables

FULL = pd.DataFrame({"head": ["bilinear", "gated"], "accuracy": [0.8, 0.7], "by": ["", "theory"]})


@pytest.mark.parametrize(
    ("less", "words"),
    [
        (FULL[:1], "1 of its 2 rows"),
        (FULL[:0], "2 of its 2 rows"),
        (FULL.assign(accuracy=[0.8, np.nan]), "1 of the 2 numbers in its column accuracy"),
        (FULL.drop(columns="accuracy"), "2 of the 2 numbers in its column accuracy"),
    ],
)
def test_what_holds_less_is_refused_before_anything_is_written(
    less: pd.DataFrame, words: str, tmp_path: Path
) -> None:
    write_tables(tmp_path, {"gaps": FULL, "runs": FULL})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=rf"runs\.csv holds; {words} would be lost, and nothing"):
        write_tables(tmp_path, {"gaps": FULL.assign(accuracy=0.5), "runs": less})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    write_tables(tmp_path, {"runs": less}, smaller=True)
    assert len(pd.read_csv(tmp_path / "runs.csv")) == len(less)


def test_what_holds_as_much_or_more_is_written(tmp_path: Path) -> None:
    write_tables(tmp_path, {"runs": FULL})
    (tmp_path / "gaps.csv").touch()  # no table
    other = pd.concat([FULL.assign(accuracy=0.5, by=""), FULL])
    write_tables(tmp_path, {"runs": other, "gaps": FULL})
    assert pd.read_csv(tmp_path / "runs.csv")["accuracy"].tolist() == [0.5, 0.5, 0.8, 0.7]
    assert len(pd.read_csv(tmp_path / "gaps.csv")) == 2


def test_a_file_that_cannot_be_read_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(b"\xff\xfe\x00 no table")
    with pytest.raises(InputError, match=r"runs\.csv holds; what is there and cannot be read"):
        write_tables(tmp_path, {"runs": FULL})
    assert path.read_bytes() == b"\xff\xfe\x00 no table"
