"""Measure the record store and the forms it could have had; write the table of the docs.

Run with: OMP_NUM_THREADS=1 python tests/benchmarks/store_speed.py [--cells 10000,...] [--out FILE]
Each measurement is a process of its own, so that its peak of memory is its own. Without --out the
table is printed; with it, it replaces what stands between the marks in that file.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from fusiontheory.store import Cell, RecordStore

MARKS = "<!-- store speed: made by tests/benchmarks/store_speed.py -->", "<!-- end -->"
HEADS = ("additive", "bilinear")
LOOKS = ("status", "resume", "verify")
FORMS = {
    "one Parquet file a cell (the earlier form)": ("write_files", "read_files"),
    "Parquet files of 500 cells, SQLite index": ("write_parts", "read_parts"),
    "SQLite, a commit a cell": ("write_one_by_one", "read"),
    "SQLite, commits in the background (chosen)": ("write", "read"),
}


def cell(k):
    config = {"head": HEADS[k % 2], "n": 2 ** (k % 7), "seed": k, "ridge": 0.1, "noise": k / 7}
    return Cell("speed", config, "synthetic", "0123456789ab")


def rows(k):
    values = [{"row": r, "risk": (k + r) / 3, "accuracy": 1 / (k + 2 + r)} for r in range(3)]
    return [{**row, "seconds": 0.1 * k} for row in values]


def write(folder, count):
    RecordStore(folder).write_many((cell(k), rows(k), {"device": "cpu"}) for k in range(count))


def write_one_by_one(folder, count):
    store = RecordStore(folder)
    for k in range(count):
        store.write(cell(k), rows(k))


def read(folder, count):
    assert len(RecordStore(folder).read("speed")) == 3 * count


def status(folder, count):
    assert RecordStore(folder).status()[0].cells == count


def resume(folder, count):
    """Make all cells of a run and find that none is missing."""
    assert RecordStore(folder).missing(cell(k) for k in range(count)) == []


def verify(folder, count):
    assert RecordStore(folder).verify() == []


# The forms it could have had: a file a cell (the earlier form), or many cells to a file behind an
# index. Neither checks that a cell is written once or that its digest is right.


def sealed_table(k):
    import pyarrow as pa

    one = cell(k)
    table = pa.Table.from_pylist(rows(k))
    digest = hashlib.sha256(one.json).hexdigest()
    return table.replace_schema_metadata({b"cell": one.json, b"seal": digest.encode()})


def synced(table, path):
    import pyarrow.parquet as pq

    pq.write_table(table, path)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_files(folder, count):
    folder = Path(folder, "speed")
    folder.mkdir(parents=True)
    for k in range(count):
        synced(sealed_table(k), folder / f"{cell(k).key}.parquet")


def read_files(folder, count):
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [pq.read_table(path) for path in Path(folder, "speed").iterdir()]
    assert len(pa.concat_tables(tables).to_pandas()) == 3 * count


def write_parts(folder, count, part=500):
    import pyarrow as pa

    Path(folder).mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(Path(folder, "index.sqlite"))) as index:
        index.executescript("PRAGMA journal_mode=WAL; CREATE TABLE cells (key PRIMARY KEY, part)")
        for start in range(0, count, part):
            cells = range(start, min(start + part, count))
            held = [{"cell": cell(k).json.decode(), **row} for k in cells for row in rows(k)]
            synced(pa.Table.from_pylist(held), Path(folder, f"{start}.parquet"))
            index.executemany(
                "INSERT INTO cells VALUES (?, ?)", [(cell(k).key, start) for k in cells]
            )
            index.commit()


def read_parts(folder, count):
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [pq.read_table(path) for path in Path(folder).glob("*.parquet")]
    table = pa.concat_tables(tables).to_pandas()
    config = [json.loads(text)["config"] for text in table.pop("cell")]
    assert len(table.assign(n=[one["n"] for one in config])) == 3 * count


def measure(name, folder, count):
    """Run one function in a process: wall and CPU seconds, peak of memory in MiB."""
    command = [sys.executable, __file__, "--only", name, str(folder), str(count)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def only(name, folder, count):
    wall, cpu = time.perf_counter(), time.process_time()
    globals()[name](folder, int(count))
    found = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**found, "peak": peak / 2 ** (20 if sys.platform == "darwin" else 10)}))


def size(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def ms(found, count):
    return f"{1e3 * found['wall'] / count:.3f} | {1e3 * found['cpu'] / count:.3f}"


def seconds(found):
    return f"{found['wall']:.2f} | {found['cpu']:.2f}"


def sizes(base, counts):
    """A line for each number of cells, and the power that CPU time grows by."""
    yield (
        "| cells | write, ms a cell | its CPU | read, s | its CPU | peak, MiB | status, s | its CPU"
        " | resume, s | its CPU | verify, s | its CPU | bytes a cell |"
    )
    yield "|" + "---|" * 13
    costs = {"write": [], "read": [], "resume": []}
    for count in counts:
        folder = Path(base, str(count))
        found = {n: measure(n, folder, count) for n in ("write", "read", *LOOKS)}
        looks = " | ".join(seconds(found[name]) for name in LOOKS)
        yield (
            f"| {count:,} | {ms(found['write'], count)} | {seconds(found['read'])}"
            f" | {found['read']['peak']:.0f} | {looks} | {size(folder) / count:.0f} |"
        )
        for name, held in costs.items():
            held.append(found[name]["cpu"])
    if len(counts) > 1:
        powers = {n: np.polyfit(np.log(counts), np.log(held), 1)[0] for n, held in costs.items()}
        said = ", ".join(f"{name} {power:.3f}" for name, power in powers.items())
        yield ""
        yield f"CPU time grows with the number of cells to the power: {said}."


def alternatives(base, count):
    """A line for each form that the store could have had."""
    yield f"The forms it could have had, {count:,} cells each:"
    yield ""
    yield "| form | write, ms a cell | its CPU | read, s | its CPU | bytes a cell |"
    yield "|" + "---|" * 6
    for form, (writing, reading) in FORMS.items():
        folder = Path(base, writing)
        w, r = measure(writing, folder, count), measure(reading, folder, count)
        yield f"| {form} | {ms(w, count)} | {seconds(r)} | {size(folder) / count:.0f} |"


def table(counts, forms):
    about = (
        f"Measured on {date.today()}: {platform.machine()}, {os.cpu_count()} cores, Python"
        f" {platform.python_version()}, SQLite {sqlite3.sqlite_version}; the load of the machine"
        f" was {os.getloadavg()[1]:.1f} at the start (wall times grow where more than"
        " two processes want its cores). A cell has 5 settings and 3 rows of"
        " 4 values."
    )
    with tempfile.TemporaryDirectory() as base:
        return "\n".join([about, "", *sizes(base, counts), "", *alternatives(base, forms)])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs=3)
    parser.add_argument("--cells", default="10000,30000,100000,300000")
    parser.add_argument("--forms", type=int, default=5000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.only:
        only(*given.only)
        return
    made = table([int(part) for part in given.cells.split(",")], given.forms)
    if given.out is None:
        print(made)
        return
    before, rest = given.out.read_text().split(MARKS[0])
    after = rest.split(MARKS[1], 1)[1]
    given.out.write_text(f"{before}{MARKS[0]}\n{made}\n{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
