"""Tables of kernels that stand for networks: tangent kernels, and one that learns features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.store import check_writable, write_tables
from validation.trained.predictors import (
    HEAD,
    TANGENT_HEADS,
    adam_kernel_table,
    best_kernel_table,
    feature_learning_table,
    learned_metric_table,
    metric_rounds_table,
    moving_kernel_table,
    tangent_ridge_table,
)
from validation.trained.session import TrainedSession

__all__ = [
    "write_best_kernels",
    "write_feature_learning",
    "write_kernels",
    "write_learned_metric",
    "write_moving_kernel",
    "write_tangent_ridges",
]

LEARNED_SIZES = (512, 1024, 2048, 4096)
MOVED_SIZES = (1024, 2048)
ROUND_PLACES = ((512, 0), (512, 1), (1024, 0), (1024, 1), (2048, 0))
BEST_PLACES = ((1024, 0), (1024, 1), (2048, 0), (2048, 1), (4096, 0))
METRIC_PLACES = ((1024, 0), (1024, 1))
"""n and seed."""


def write_kernels(
    session: TrainedSession, out: Path, fill: bool = True, *, smaller: bool = False
) -> pd.DataFrame:
    """Write ``adam_kernel.csv`` for the heads of a session; return it.

    Args:
        session: of the study, with its features, store and heads.
        out: folder of the table.
        fill: whether to compute what is not on record, or to take the records alone.
        smaller: whether a table may take the place of one that holds more.

    Raises:
        InputError: if ``out`` or the store cannot be written to, or a table has no row or would
            lose some (`fusiontheory.store.write_tables`).
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
    _write(out, smaller, adam_kernel=table)
    return table


def write_tangent_ridges(
    session: TrainedSession, out: Path, fill: bool = True, *, smaller: bool = False
) -> pd.DataFrame:
    """Write ``tangent.csv``: tangent kernels at three ridges and in two metrics; return it.

    Args:
        session: of the study, with its features, store and heads.
        out: folder of the table.
        fill: whether to compute what is not on record, or to take the records alone.
        smaller: whether a table may take the place of one that holds more.

    Raises:
        InputError: if ``out`` or the store cannot be written to, or a table has no row or would
            lose some (`fusiontheory.store.write_tables`).
    """
    check_writable("out", out)
    study = session.study
    heads = [head for head in TANGENT_HEADS if head in (session.heads or study.heads)]
    conditions = {name: session.conditions[name] for name in study.ends}
    sizes = (*study.smaller, *study.sizes)
    table = tangent_ridge_table(heads, conditions, sizes, study.training, session.store, fill)
    _write(out, smaller, tangent=table)
    return table


def write_feature_learning(
    session: TrainedSession,
    out: Path,
    sizes: Sequence[int] = LEARNED_SIZES,
    seeds: Sequence[int] = (0, 1),
    fill: bool = True,
    *,
    smaller: bool = False,
) -> pd.DataFrame:
    """Write ``feature_learning.csv``: the wide MLP's kernel with rounds of AGOP; return it.

    Args:
        session: of the study, with its features and store.
        out: folder of the table.
        sizes: numbers of training pairs.
        seeds: of the study's training pairs.
        fill: whether to compute what is not on record, or to take the records alone.
        smaller: whether a table may take the place of one that holds more.

    Raises:
        InputError: if ``out`` or the store cannot be written to, or a table has no row or would
            lose some (`fusiontheory.store.write_tables`).
    """
    check_writable("out", out)
    study = session.study
    conditions = {name: session.conditions[name] for name in study.ends}
    table = feature_learning_table(conditions, study, sizes, seeds, session.store, fill)
    _write(out, smaller, feature_learning=table)
    return table


def write_moving_kernel(
    session: TrainedSession,
    out: Path,
    sizes: Sequence[int] = MOVED_SIZES,
    seeds: Sequence[int] = (0, 1),
    fill: bool = True,
    *,
    smaller: bool = False,
) -> pd.DataFrame:
    """Write ``moving_kernel.csv``: the tuned MLP beside its kernels before and after; return it.

    Args:
        session: of the study, with its features and store.
        out: folder of the table, with the choices in ``choices.csv`` or ``earlier_choices.csv``.
        sizes: numbers of training pairs.
        seeds: of the study.
        fill: whether to compute what is not on record, or to take the records alone.
        smaller: whether a table may take the place of one that holds more.

    Raises:
        InputError: if nothing was chosen for the MLP, ``out`` or the store cannot be written to,
            or a table has no row or would lose some (`fusiontheory.store.write_tables`).
    """
    check_writable("out", out)
    conditions = {name: session.conditions[name] for name in session.study.ends}
    mine = _chosen(out, sizes)
    table = moving_kernel_table(conditions, session.study, mine, seeds, session.store, fill)
    _write(out, smaller, moving_kernel=table)
    return table


def write_learned_metric(
    session: TrainedSession,
    out: Path,
    rounds: Sequence[tuple[int, int]] = ROUND_PLACES,
    places: Sequence[tuple[int, int]] = METRIC_PLACES,
    fill: bool = True,
    *,
    smaller: bool = False,
) -> pd.DataFrame:
    """Write ``metric_rounds.csv`` and ``learned_metric.csv``; return the second.

    Args:
        session: of the study, with its features and store.
        out: folder of the tables, with the choices in ``choices.csv`` or ``earlier_choices.csv``.
        rounds: n and seed of the rounds of the recursive feature machine.
        places: n and seed of the networks whose metric is looked at.
        fill: whether to compute what is not on record, or to take the records alone.
        smaller: whether a table may take the place of one that holds more.

    Raises:
        InputError: if nothing was chosen for the MLP, ``out`` or the store cannot be written to,
            or a table has no row or would lose some (`fusiontheory.store.write_tables`).
    """
    check_writable("out", out)
    conditions = {name: session.conditions[name] for name in session.study.ends}
    chosen = _chosen(out, [n for n, _ in places])
    known = (session.store, fill)
    made = metric_rounds_table(conditions, session.study, rounds, *known)
    table = learned_metric_table(conditions, session.study, chosen, places, *known)
    _write(out, smaller, metric_rounds=made, learned_metric=table)
    return table


def write_best_kernels(
    session: TrainedSession,
    out: Path,
    places: Sequence[tuple[int, int]] = BEST_PLACES,
    fill: bool = True,
    *,
    smaller: bool = False,
) -> pd.DataFrame:
    """Write ``best_kernels.csv``: kernels of heads linear in their parameters; return it.

    They are at the ridge that is best on dev pairs, on the pairs of the tuned runs.

    Args:
        session: of the study, with its features and store.
        out: folder of the table.
        places: n and seed.
        fill: whether to compute what is not on record, or to take the records alone.
        smaller: whether a table may take the place of one that holds more.

    Raises:
        InputError: if ``out`` or the store cannot be written to, or a table has no row or would
            lose some (`fusiontheory.store.write_tables`).
    """
    check_writable("out", out)
    conditions = {name: session.conditions[name] for name in session.study.ends}
    table = best_kernel_table(conditions, session.study, places, session.store, fill)
    _write(out, smaller, best_kernels=table)
    return table


def _chosen(out: Path, sizes: Sequence[int]) -> pd.DataFrame:
    """Return what the search chose for the MLP, one row per condition and n."""
    paths = [out / name for name in ("choices.csv", "earlier_choices.csv")]
    chosen = pd.concat([pd.read_csv(path) for path in paths if path.is_file()] or [pd.DataFrame()])
    if "head" not in chosen or HEAD not in set(chosen["head"]):
        raise InputError(
            f"out must hold what was chosen for {HEAD} in {' or '.join(p.name for p in paths)}, got"
            f" none in {out}; run the search and trained-report first"
        )
    mine = chosen[(chosen["head"] == HEAD) & chosen["n"].isin(sizes)]
    return mine.drop_duplicates(["condition", "n"]).sort_values(["condition", "n"])


def _write(out: Path, smaller: bool, **tables: pd.DataFrame) -> None:
    for name, table in tables.items():
        if table.empty:
            raise InputError(
                f"store must hold what {name}.csv is made of, made by this version of the code; it"
                " holds none of it, and nothing was written: leave --recorded out to compute it"
            )
    write_tables(out, tables, smaller=smaller)
