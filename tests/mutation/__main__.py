"""Small changes to the code, each of which some test of its room must notice.

``PYTHONPATH=.:tests python -m mutation [--count 220] [--minutes 30] [--part i/N]``

Cosmic Ray lists every change that it can make; a sample of them is tried. Each mutant is put into
a copy of the repository and tested, with the tests that run its statement alone, the quick ones
first, in a process that is forked after the slow imports. What was tried is kept, so that the same
command goes on; with ``--page`` the table is written into a page. With ``--tests`` what
survived is tried again with the named files of tests alone, which takes seconds; a test that was
added for a survivor is looked at so. With ``--salt WORD`` another sample is drawn, of mutants that
nobody has written tests for.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fusiontheory.parallel import Part
from mutation.covering import recorded
from mutation.report import REASONS, write
from mutation.sample import FIRST, Mutant, sample
from mutation.tried import copied, tried, warm

_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Try what was not tried yet; 1 while some of the sample is left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=FIRST)
    parser.add_argument("--minutes", type=float, default=30.0, help="0: the page alone")
    parser.add_argument("--out", type=Path, default=_ROOT / ".cache" / "mutation")
    parser.add_argument("--survivors", action="store_true", help="try those that survived again")
    parser.add_argument("--tests", nargs="+", help="try survivors again, with these files alone")
    parser.add_argument("--salt", default="", help="a word: another sample, with its own table")
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    parser.add_argument("--part", type=Part.parse, default=Part(), help="i/N, in N processes")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    log = asked.out / "mutants.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    held = {row["id"]: row for row in rows}
    drawn = sample(_ROOT, asked.count, asked.salt)
    again = asked.survivors or bool(asked.tests)
    todo = [one for one in drawn if _is_left(held.get(one.id), again)]
    if asked.tests:
        todo = [one for one in todo if one.id in held]
    todo = [todo[place] for place in asked.part.shards(len(todo))]
    if todo and asked.minutes > 0:
        for row in _rows(todo, asked.out, asked.minutes, asked.tests):
            held[row["id"]] = row
            with log.open("a") as file:
                print(json.dumps(row), file=file)
    if asked.page:
        rows = [held[one.id] for one in drawn if one.id in held]
        write(_ROOT / "docs" / "reliability.md", rows, fresh=bool(asked.salt))
    return 0 if all(one.id in held for one in drawn) else 1


def _is_left(row: dict[str, Any] | None, again: bool) -> bool:
    if row is None:
        return True
    return again and row["outcome"] == "survived" and row["id"] not in REASONS


def _rows(
    todo: list[Mutant], keep: Path, minutes: float, files: list[str] | None
) -> Iterator[dict[str, Any]]:
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(_ROOT, Path(folder))
        warm([])
        covering = recorded(copy, keep, files)
        warm(covering.modules)
        for number, mutant in enumerate(todo, 1):
            if time.monotonic() > end:
                return
            before = _spent()
            outcome, tests = tried(mutant, copy, covering, number)
            seconds = round(_spent() - before, 1)
            print(f"{number}/{len(todo)} {outcome} {mutant.id} {seconds} s", file=sys.stderr)
            change = mutant.change((copy / mutant.path).read_text(encoding="utf-8"))
            yield {**mutant.row(), "change": change, "outcome": outcome, "tests": tests,
                   "seconds": seconds}  # fmt: skip


def _spent() -> float:
    """Return the seconds of the processor of all processes that ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


if __name__ == "__main__":
    sys.exit(main())
