"""The table of tangent kernels in Adam's metric, one curve for each network and condition."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fusiontheory.store import check_writable, write_atomically
from validation.trained.predictors import adam_kernel_table
from validation.trained.session import TrainedSession

__all__ = ["write_kernels"]


def write_kernels(session: TrainedSession, out: Path, fill: bool = True) -> pd.DataFrame:
    """Write ``adam_kernel.csv`` for the heads of a session; return it.

    Args:
        session: of the study, with its features, store and heads.
        out: folder of the table.
        fill: whether to compute what is not on record, or to take the records alone.

    Raises:
        InputError: if ``out`` or the store cannot be written to.
    """
    check_writable("out", out)
    study = session.study
    table = adam_kernel_table(
        session.heads or study.heads,
        {name: session.conditions[name] for name in study.ends},
        (*study.smaller, *study.sizes),
        study.training,
        session.store,
        fill,
    )
    text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_atomically(out / "adam_kernel.csv", text.encode())
    return table
