"""How the runs were made, from what their records say."""

from __future__ import annotations

from typing import Any

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.store import RecordStore

__all__ = ["record_facts"]


def record_facts(runs: pd.DataFrame, store: RecordStore, study: str = "trained") -> dict[str, Any]:
    """Return devices, versions, threads, training time, dates and code versions of the records.

    Args:
        runs: of `recorded_runs`, whose column ``cell`` names the records.
        store: that they were read from, and so checked.
        study: name of the records.

    Returns:
        ``device``, ``versions``, ``seconds`` (training, over all runs), ``date`` and ``code``:
        each value that occurs, none twice.

    Raises:
        InputError: if a record is not there, or is corrupt.
    """
    facts: dict[str, set[str]] = {"device": set(), "versions": set(), "created": set()}
    keys = sorted(set(runs["cell"]))
    notes = store.notes(study, keys)
    for key in keys:
        about = notes.get(key)
        if about is None:
            raise InputError(f"runs must be on record in {store.root}, got {key}")
        environment = dict(about["environment"])
        threads = environment.pop("threads", None)
        device = str(environment.pop("device", "not noted"))
        facts["device"].add(device if threads is None else f"{device}, {threads} threads")
        if "machine" in environment:
            facts["device"].add(f"machine {environment.pop('machine')}")
        facts["versions"] |= {f"{name} {value}" for name, value in sorted(environment.items())}
        facts["created"].add(str(about["created"])[:10])
    days = sorted(facts["created"])
    return {
        "device": sorted(facts["device"]),
        "versions": sorted(facts["versions"]),
        "seconds": {"training, over all runs": round(float(runs["seconds"].sum()))},
        "date": days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}",
        "code": sorted(set(runs["code"])),
    }
