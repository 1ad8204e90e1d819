"""Write what every predictor says of the runs on file, and the errors of each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.store import check_writable, code_version, write_tables
from validation.trained.predictors import TANGENT, early_stopping_ridge, predictor_tables
from validation.trained.session import TrainedSession

__all__ = ["write_predictions"]


def write_predictions(
    session: TrainedSession, out: Path, fill: bool = True, *, smaller: bool = False
) -> pd.DataFrame:
    """Read ``runs.csv``, write ``predicted.csv`` and ``predictor_errors.csv``; return the errors.

    Args:
        session: the study and its features; its store keeps the curves of tangent kernels.
        out: folder with ``runs.csv`` of ``trained-report``.
        fill: compute the curves that are not in the store.
        smaller: whether a table may take the place of one that holds more.

    Raises:
        InputError: if there is no ``runs.csv``, it is of conditions that the study does not have,
            ``out`` cannot be written to, nothing is computed and no tangent kernel is on record, or
            a table would lose rows or numbers (`fusiontheory.store.write_tables`).
    """
    path = out / "runs.csv"
    if not path.is_file():
        raise InputError(f"out must hold runs.csv, written by trained-report; {path} is not there")
    check_writable("out", out)
    runs = pd.read_csv(path)
    unknown = sorted({*runs["condition"]} - {*session.study.conditions})
    if unknown:
        raise InputError(f"runs.csv must be of conditions of the study, got {', '.join(unknown)}")
    if not fill and not smaller:
        _check_recorded(session)
    predicted, errors = predictor_tables(
        session.study, session.conditions, runs, session.store, fill, session.devices[0]
    )
    write_tables(out, {"predicted": predicted, "predictor_errors": errors}, smaller=smaller)
    return errors


def _check_recorded(session: TrainedSession) -> None:
    """Refuse, before what takes minutes, a store without a tangent kernel of this version."""
    code = code_version(early_stopping_ridge)
    if not any((held.study, held.code) == (TANGENT, code) for held in session.store.status()):
        raise InputError(
            "store must hold tangent kernels that this version of the code made, got none in"
            f" {session.folder}, and nothing was written: leave --recorded out to compute them"
        )
