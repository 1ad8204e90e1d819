"""Whether the code of now makes the stored tables of a study: it is run anew beside them.

``python -m experiments --again [NAME ...]`` predicts and measures each study in a folder of its
own, with the records that are there of the same code, and says of every stored table whether it
comes out the same to the byte, or which columns moved and by how much. Nothing stored changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from experiments.study import Study

__all__ = ["again", "moved"]

_ERRORS = ("standard_error", "se", "error_se")
"""Columns that may hold the noise of a row."""


def again(study: Study, folder: Path | None = None) -> Iterator[str]:
    """Yield a line for each stored table of a study that is run anew.

    Args:
        study: to predict and measure.
        folder: for the new tables; one that is deleted afterwards if not given.
    """
    if folder is None:
        with TemporaryDirectory() as made:
            yield from again(study, Path(made))
        return
    folder.mkdir(parents=True, exist_ok=True)
    anew = replace(study, folder=folder)
    for word, seal in (("predict", "predictions"), ("measure", "results")):
        anew.do(word)
        now = anew.stored(f"{seal}.json")
        for name, before in study.stored(f"{seal}.json").items():
            if name not in now:
                yield f"{study.name}/{name}: not made any more"
            else:
                yield f"{study.name}/{name}: {moved(before, now[name])}"


def moved(before: pd.DataFrame, now: pd.DataFrame) -> str:
    """Say how two tables differ, row by row.

    >>> old = pd.DataFrame({"n": [1, 2], "risk": [0.50, 0.25], "standard_error": [0.01, 0.01]})
    >>> moved(old, old)
    'the same'
    >>> moved(old, old.assign(risk=[0.50, 0.27]))
    'moved: risk by up to 0.02 (1.4 standard errors of the difference)'
    """
    if list(before) != list(now) or len(before) != len(now):
        return f"another form: {before.shape} of {list(before)}, now {now.shape} of {list(now)}"
    noise = next((now[name] for name in _ERRORS if name in now), None)
    parts = []
    for name in before:
        old, new = before[name], now[name]
        if old.equals(new):
            continue
        if not (pd.api.types.is_numeric_dtype(old) and pd.api.types.is_numeric_dtype(new)):
            parts.append(f"{name} in {int((old.astype(str) != new.astype(str)).sum())} rows")
            continue
        gap = (new - old).abs()
        said = f"{name} by up to {gap.max():.2g}"
        if (old.isna() != new.isna()).any():
            said += f", known or not in {int((old.isna() != new.isna()).sum())} rows"
        if noise is not None and name not in _ERRORS and (noise > 0).any():
            share = (gap / (np.sqrt(2) * noise)).where(noise > 0).max()
            said += f" ({share:.1f} standard errors of the difference)"
        parts.append(said)
    return f"moved: {'; '.join(parts)}" if parts else "the same"
