"""How the runs were made, from what their records say."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from fusiontheory.checks import InputError
from fusiontheory.store import RecordStore

__all__ = ["record_facts"]

_METADATA = b"fusiontheory.record"


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
        InputError: if a record is not there.
    """
    found: dict[str, set[str]] = {"device": set(), "versions": set(), "created": set()}
    for key in sorted(set(runs["cell"])):
        path = store.root / study / f"{key}.parquet"
        try:
            about = json.loads(pq.read_metadata(path).metadata[_METADATA])
        except OSError as error:
            raise InputError(f"runs must be on record in {store.root}, got {key}") from error
        environment = dict(about["environment"])
        threads = environment.pop("threads", None)
        device = str(environment.pop("device", "not noted"))
        found["device"].add(device if threads is None else f"{device}, {threads} threads")
        if "machine" in environment:
            found["device"].add(f"machine {environment.pop('machine')}")
        found["versions"] |= {f"{name} {value}" for name, value in sorted(environment.items())}
        found["created"].add(str(about["created"])[:10])
    days = sorted(found["created"])
    return {
        "device": sorted(found["device"]),
        "versions": sorted(found["versions"]),
        "seconds": {"training, over all runs": round(float(runs["seconds"].sum()))},
        "date": days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}",
        "code": sorted(set(runs["code"])),
    }
