"""``make torture``: all rounds, at most an hour, resumable; the table goes into a page.

``PYTHONPATH=.:tests python -m torture [--minutes 60] [--out .cache/torture] [--page]``
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from torture.fuzz import targets
from torture.rounds import CALLS, LINES, ROUNDS

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
        (seed / count, kind, seed)
        for kind, (_, count) in ROUNDS.items()
        for seed in range(count)
        if (kind, seed) not in done and (not asked.only or kind in asked.only)
    ]
    end = time.monotonic() + 60 * asked.minutes
    with log.open("a") as file:
        for number, (_, kind, seed) in enumerate(sorted(todo), 1):
            if time.monotonic() > end:
                break
            start = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                fault = ROUNDS[kind][0](seed, Path(folder))
            seconds = round(time.monotonic() - start, 1)
            row = {"kind": kind, "seed": seed, "fault": fault, "seconds": seconds}
            held[kind, seed] = row
            print(json.dumps(row), file=file, flush=True)
            if fault or sys.stderr.isatty():
                print(f"{number}/{len(todo)} {kind} {seed}: {fault or 'ok'}", file=sys.stderr)
    text = table(list(held.values()))
    print(text)
    if asked.page:
        _write(text)
    whole = len(held) == sum(count for _, count in ROUNDS.values())
    return 0 if whole and not any(row["fault"] for row in held.values()) else 1


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
    seconds = sum(float(str(row["seconds"])) for row in rows)
    lines = [
        f"Run on {datetime.date.today()}, {platform.machine()}, {seconds / 60:.1f} minutes of"
        f" rounds. A round of `fuzz` is {CALLS} calls over {len(targets())} callables, one of"
        f" `hostile_input` or `hostile_files` {LINES} command lines. A round with a fault was run"
        " again once that was mended.",
        "",
        "| round | what it does | run | of | faults |",
        "|---|---|---|---|---|",
    ]
    for kind, (function, count) in ROUNDS.items():
        words = (function.__doc__ or "").splitlines()[0].replace("`CALLS`", str(CALLS))
        words = words.replace("`LINES`", str(LINES)).rstrip(".")
        lines.append(f"| `{kind}` | {words} | {ran[kind]} | {count} | {faults[kind]} |")
    return "\n".join(lines)


def _write(text: str) -> None:
    page = _PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    _PAGE.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
