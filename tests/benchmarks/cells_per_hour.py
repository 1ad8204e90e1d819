"""Measure how many cells an hour two workers do where a cell takes no time, and what limits them.

Run with: OMP_NUM_THREADS=1 python tests/benchmarks/cells_per_hour.py [--cells 10000,...]
Tasks go through `fusiontheory.parallel.scatter` and their rows into a store, as in `simulate`. The
processor time of the process that hands out and writes, for each cell, bounds what any number of
workers can do. Each measurement is a process of its own; rows are added to the file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
from store_speed import cell, rows

from fusiontheory.parallel import scatter
from fusiontheory.store import RecordStore

ENGINES = ("processes", "Dask")
OUT = Path(__file__).parents[2] / "docs" / "results" / "scale" / "cells.csv"


def trivial(k: int) -> list[dict[str, float]]:
    """Return the rows of a cell without any work."""
    return rows(k)


@contextlib.contextmanager
def dask_of_two(folder: Path) -> Iterator[str]:
    """Start a scheduler and two workers, each a process of its own; yield the address."""
    file = folder / "scheduler.json"
    place = ["--scheduler-file", str(file), "--no-dashboard"]
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny"]
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    quiet["env"] = {**os.environ, "PYTHONPATH": path}
    started = [subprocess.Popen([*scheduler, *place], **quiet)]
    try:
        while not file.is_file() or not file.read_text():
            time.sleep(0.1)
        started += [subprocess.Popen([*worker, *place], cwd=folder, **quiet) for _ in range(2)]
        yield json.loads(file.read_text())["address"]
    finally:
        for process in started:
            process.kill()
            process.wait()


def only(engine: str, count: int) -> None:
    """Run one measurement in this process and print it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        where = (
            {"scheduler": stack.enter_context(dask_of_two(Path(folder)))}
            if engine == "Dask"
            else {"jobs": 2}
        )
        store = RecordStore(Path(folder, "records"))
        for _ in scatter(trivial, range(2), **where):
            pass  # workers have started
        wall, cpu = time.perf_counter(), time.process_time()
        with store.batch() as batch:
            for k, found in scatter(trivial, range(count), **where):
                batch.write(cell(k), found)
        found = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        assert store.status()[0].cells == count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "peak": peak}))


def main() -> None:
    """Measure every engine at every number of cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs=2)
    parser.add_argument("--engine", nargs="*", default=ENGINES)
    parser.add_argument("--cells", default="10000,30000,100000")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    if given.only:
        only(given.only[0], int(given.only[1]))
        return
    for engine in given.engine:
        for count in map(int, given.cells.split(",")):
            command = [sys.executable, __file__, "--only", engine, str(count)]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            row = {"engine": engine, "cells": count, **json.loads(said)}
            row |= {"load": os.getloadavg()[0], "cores": os.cpu_count(), "date": date.today()}
            table = pd.DataFrame([row])
            if given.out.is_file():
                table = pd.concat([pd.read_csv(given.out), table])
            given.out.parent.mkdir(parents=True, exist_ok=True)
            kept = table.drop_duplicates(["engine", "cells"], keep="last")
            kept.to_csv(given.out, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
