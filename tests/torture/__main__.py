"""``make torture``: all rounds, at most an hour, resumable; the table goes into a page.

``PYTHONPATH=.:tests python -m torture [--minutes 60] [--out .cache/torture] [--page]``
"""

from __future__ import annotations

import argparse
import datetime
import functools
import hashlib
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from torture.fuzz import targets
from torture.kills import MISSED
from torture.rounds import CALLS, COUNTS, LINES, ROUNDS
from torture.running import calm_seconds, processor_seconds

_PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- torture: made by make torture -->", "<!-- end torture -->"


def main() -> int:
    """Run what is not done yet; 1 if a round found a fault, or time ended first."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, default=Path(".cache/torture"))
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    parser.add_argument("--again", action="store_true", help="rounds with a fault again")
    parser.add_argument("--only", nargs="*", choices=list(ROUNDS), help="these rounds alone")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    log = asked.out / "rounds.jsonl"
    held = {(row["kind"], row["seed"]): row for row in _held(log)}
    done = {key for key, row in held.items() if not (asked.again and row["fault"])}
    todo = [
        (not kind.startswith("kill_"), seed / count, kind, seed)  # kills come first
        for kind, (_, count) in ROUNDS.items()
        for seed in range(count)
        if (kind, seed) not in done and (not asked.only or kind in asked.only)
    ]
    end = time.monotonic() + 60 * asked.minutes
    with log.open("a") as file:
        for number, (_, _, kind, seed) in enumerate(sorted(todo), 1):
            if time.monotonic() > end:
                break
            row = _round(kind, seed)
            held[kind, seed] = row
            fault = row["fault"]
            print(json.dumps(row), file=file, flush=True)
            if fault or sys.stderr.isatty():
                print(f"{number}/{len(todo)} {kind} {seed}: {fault or 'ok'}", file=sys.stderr)
    text = table(list(held.values()))
    print(text)
    if asked.page:
        _write(text)
    whole = len(held) == sum(count for _, count in ROUNDS.values())
    return 0 if whole and not any(row["fault"] for row in held.values()) else 1


def _round(kind: str, seed: int) -> dict[str, object]:
    """Run a round and return its fault, what it counted, and its time, also of the processor."""
    begin, used = time.monotonic(), processor_seconds()
    with tempfile.TemporaryDirectory() as folder:
        fault = ROUNDS[kind][0](seed, Path(folder))
        counts = Path(folder) / COUNTS
        counted = json.loads(counts.read_text()) if counts.is_file() else {}
    return {
        "kind": kind,
        "seed": seed,
        "fault": fault,
        "seconds": round(time.monotonic() - begin, 1),
        "processor": round(processor_seconds() - used, 1),
        "version": _version(),
        **counted,
    }


@functools.cache
def _version() -> str:
    """Return 12 hex digits of the source that is tried."""
    total = hashlib.sha256()
    for package in ("fusiontheory", "validation"):
        for path in sorted((_PAGE.parents[1] / package).rglob("*.py")):
            total.update(path.read_bytes())
    return total.hexdigest()[:12]


def _held(log: Path) -> list[dict[str, object]]:
    """Return the rounds that were run; a line that a kill cut short is not one."""
    rows = []
    for line in log.read_text().splitlines() if log.is_file() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """Return rounds and faults of each kind as a Markdown table."""
    ran = Counter(str(row["kind"]) for row in rows)
    faults = Counter(str(row["kind"]) for row in rows if row["fault"])
    wall, processor, calls, accepted = (
        sum(float(str(row.get(name, 0))) for row in rows)
        for name in ("seconds", "processor", "calls", "accepted")
    )
    versions = Counter(str(row.get("version")) for row in rows).most_common()
    of_one = "All rounds were run on one version of the code."
    if len(versions) > 1:
        listed = ", ".join(f"{count} on `{name}`" for name, count in versions)
        of_one = f"Rounds by version of the code: {listed}."
    most = max((float(str(row.get("most_mib", 0))) for row in rows), default=0)
    killed = [row for row in rows if str(row["kind"]).startswith("kill_")]
    kills = sum(MISSED not in str(row["fault"]) for row in killed)
    lines = [
        f"Run on {datetime.date.today()}, {platform.machine()}: {processor / 60:.0f} minutes of the"
        f" processor, {wall / 60:.0f} minutes by the clock. {kills} rounds killed what they were to"
        f" kill. `fuzz` made {calls:,.0f} calls of {len(targets())} callables, {CALLS} in a round;"
        f" {accepted:,.0f} returned a value, and none took more than {most:,.0f} MiB of memory. A"
        f" round of `hostile_input` or `hostile_files` is {LINES} command lines. {of_one}"
        f" {_cost_of_a_start()}",
        "",
        "| round | what it does | run | of | faults | processor, s a round |",
        "|---|---|---|---|---|---|",
    ]
    spent = Counter[str]()
    for row in rows:
        spent[str(row["kind"])] += float(str(row.get("processor", 0)))
    for kind, (function, count) in ROUNDS.items():
        words = (function.__doc__ or "").splitlines()[0].replace("`CALLS`", str(CALLS))
        words = words.replace("`LINES`", str(LINES)).rstrip(".")
        each = f"{spent[kind] / ran[kind]:.1f}" if ran[kind] else ""
        cells = (f"`{kind}`", words, ran[kind], count, faults[kind], each)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _cost_of_a_start() -> str:
    """Return what a calm run costs, and how much of it starts Python and imports the library."""
    with tempfile.TemporaryDirectory() as folder:
        whole = calm_seconds(Path(folder))
    before = processor_seconds()
    line = [sys.executable, "-c", "import fusiontheory.cli, fusiontheory.simulate"]
    subprocess.run(line, check=True)
    return (
        f"A calm run of the grid takes {whole:.1f} s of the processor,"
        f" {processor_seconds() - before:.1f} s of them to start Python and to import the library."
    )


def _write(text: str) -> None:
    page = _PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    _PAGE.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
