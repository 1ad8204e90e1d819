"""Whether the code of now makes the stored tables of a study: it is run anew beside them.

``python -m experiments --again [NAME ...]`` predicts and measures each study in a folder of its
own, with the records that are there of the same code, and says of every stored table whether it
comes out the same, or which columns moved and by how much. With ``--only predictions`` it does not
measure, with ``--only results`` it measures beside the stored prediction. Stored tables stay as
they are. Of a seal whose tables all come out the same ``confirmed.json`` notes the code that made
them again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from experiments.study import Study
from fusiontheory.store import write_atomically

__all__ = ["CONFIRMED", "again", "confirmed", "moved"]

CONFIRMED = Path(__file__).with_name("confirmed.json")
"""By study and seal: which code made the same tables again, and when."""

_ERRORS = ("standard_error", "se", "error_se")
"""Columns that may hold the noise of a row."""
_SAME = "the same"


def again(study: Study, notes: Path = CONFIRMED, only: str = "") -> Iterator[str]:
    """Yield a line for each stored table of a study that is run anew; note what is confirmed.

    Args:
        study: to predict and measure.
        notes: file of what is confirmed.
        only: "predictions" or "results"; both if empty.
    """
    with TemporaryDirectory() as folder:
        anew = replace(study, folder=Path(folder))
        if only == "results":
            for name in ("predictions.json", *study.stored("predictions.json")):
                shutil.copy(study.place / name, folder)
        else:
            anew.do("predict")
        for seal, facts, code in study.seals():
            if only not in ("", seal):
                continue
            if seal == "results":
                anew.do("measure")
            now = anew.stored(f"{seal}.json")
            said = {
                name: moved(table, now[name]) if name in now else "not made any more"
                for name, table in study.stored(f"{seal}.json").items()
            }
            if set(said.values()) == {_SAME}:
                _confirm(notes, study.name, seal, {"code": code, "tables": facts["tables"]})
            yield from (f"{study.name}/{name}: {words}" for name, words in said.items())


def moved(before: pd.DataFrame, now: pd.DataFrame) -> str:
    """Say how two tables differ, row by row.

    >>> old = pd.DataFrame({"n": [1, 2], "risk": [0.50, 0.25], "standard_error": [0.01, 0.01]})
    >>> moved(old, old)
    'the same'
    >>> moved(old, old.assign(risk=[0.50, 0.27]))
    'risk moved by up to 0.02 (1.4 standard errors of the difference)'
    >>> moved(pd.DataFrame({"trusted": [True]}), pd.DataFrame({"trusted": [False]}))
    'trusted differs in 1 rows'
    """
    if list(before) != list(now) or len(before) != len(now):
        return f"another form: {before.shape} of {list(before)}, now {now.shape} of {list(now)}"
    noise = next((now[name] for name in _ERRORS if name in now), None)
    parts = []
    for name in before:
        old, new = before[name], now[name]
        if old.equals(new):
            continue
        if not (_is_number(old) and _is_number(new)):
            parts.append(
                f"{name} differs in {int((old.astype(str) != new.astype(str)).sum())} rows"
            )
            continue
        gap = (new - old).abs()
        said = f"{name} moved by up to {gap.max():.2g}"
        if (old.isna() != new.isna()).any():
            said += f", known or not in {int((old.isna() != new.isna()).sum())} rows"
        if noise is not None and name not in _ERRORS and (noise > 0).any():
            share = (gap / (np.sqrt(2) * noise)).where(noise > 0).max()
            said += f" ({share:.1f} standard errors of the difference)"
        parts.append(said)
    return "; ".join(parts) or _SAME


def _is_number(column: pd.Series[Any]) -> bool:
    """Return whether a column can be subtracted: yes and no cannot."""
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def confirmed(study: str, seal: str, tables: dict[str, str], notes: Path = CONFIRMED) -> str:
    """Return the code that made the tables of these digests again, empty if none is noted."""
    known = _notes(notes).get(study, {}).get(seal, {})
    return str(known["code"]) if known.get("tables") == tables else ""


def _notes(path: Path) -> dict[str, Any]:
    notes: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return notes


def _confirm(path: Path, study: str, seal: str, facts: dict[str, Any]) -> None:
    notes = _notes(path)
    written = datetime.now(timezone.utc).isoformat(timespec="seconds")
    notes.setdefault(study, {})[seal] = {**facts, "written": written}
    write_atomically(path, (json.dumps(notes, indent=1, sort_keys=True) + "\n").encode())
