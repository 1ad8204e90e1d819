"""A report does not take the place of one with more runs, unless that is asked for."""

from __future__ import annotations

from pathlib import Path

from fusiontheory.store import check_kept
from validation.trained.runs import chosen_table, recorded_runs
from validation.trained.session import TrainedSession

__all__ = ["check_report"]


def check_report(session: TrainedSession, out: Path) -> None:
    """Refuse a report that would hold fewer runs, ablations or choices than the tables of ``out``.

    Args:
        session: whose records would be reported.
        out: folder of the tables, which need not be there.

    Raises:
        InputError: naming the table, and how many of its rows would be lost.
    """
    names = ("runs", "ablations", "choices")
    if not any((out / f"{name}.csv").is_file() for name in names):
        return
    known = (session.study, session.conditions, session.store)
    runs, _ = recorded_runs(*known, session.cells(), session.kind)
    tables = dict.fromkeys(names, runs)
    if len(runs):
        searched = runs["setting"] == "search"
        judged = runs["setting"].isin(("published", "fixed", "tuned"))
        tables["runs"], tables["ablations"] = runs[judged], runs[~judged & ~searched]
        tables["choices"] = chosen_table(runs[searched], session.study.least_trials)
    check_kept(out, tables)
