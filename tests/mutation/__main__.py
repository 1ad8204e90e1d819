"""Small changes to the code, each of which some test of its room must notice.

``PYTHONPATH=.:tests python -m mutation [--count 220] [--minutes 30] [--out .cache/mutation]``

Cosmic Ray lists every change that it can make; a sample drawn by a seed is tried. Each mutant is
put into a copy of the repository and tested in a process that is forked after the slow imports.
What was tried is kept, so that the same command goes on; with ``--page`` the table is written into
a page.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mutation.report import write
from mutation.sample import ROOMS, Mutant, mutants

_ROOT = Path(__file__).parents[2]
_SLOW = ("numpy", "pandas", "scipy.stats", "scipy.optimize", "sklearn", "hypothesis", "pytest")
_LIMIT = 150
"""Seconds of the processor that a mutant may take: an endless loop is noticed too."""


def main() -> int:
    """Try what was not tried yet; 1 while some of the sample is left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=220)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=_ROOT / ".cache" / "mutation")
    parser.add_argument("--survivors", action="store_true", help="try those that survived again")
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    log = asked.out / "mutants.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    held = {row["id"]: row for row in rows}
    sample = random.Random(0).sample(mutants(_ROOT), asked.count)
    todo = [m for m in sample if _is_left(held.get(m.id), asked.survivors)]
    end = time.monotonic() + 60 * asked.minutes
    with tempfile.TemporaryDirectory() as folder, log.open("a") as file:
        copy = _copied(Path(folder))
        for module in _SLOW if todo else ():
            importlib.import_module(module)
        for room in sorted({m.room for m in todo} - held.keys()):
            if _tested(ROOMS[room], copy) != "survived":
                said = (copy / "last.txt").read_text()[-2000:]
                raise SystemExit(f"the tests of {room} fail without any mutant:\n{said}")
            print(json.dumps({"id": room, "outcome": "survived"}), file=file, flush=True)
        for number, mutant in enumerate(todo, 1):
            if time.monotonic() > end:
                break
            start = time.monotonic()
            outcome = _tried(mutant, copy)
            seconds = round(time.monotonic() - start, 1)
            row = {**mutant.row(), "outcome": outcome, "seconds": seconds}
            held[mutant.id] = row
            print(json.dumps(row), file=file, flush=True)
            print(f"{number}/{len(todo)} {outcome} {mutant.id} {seconds} s", file=sys.stderr)
    if asked.page:
        write(_ROOT / "docs" / "reliability.md", [held[m.id] for m in sample if m.id in held])
    return 0 if all(m.id in held for m in sample) else 1


def _is_left(row: dict[str, Any] | None, again: bool) -> bool:
    return row is None or (again and row["outcome"] == "survived")


def _copied(folder: Path) -> Path:
    """Return a copy of what git tracks or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=_ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, listed):
        if (_ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_ROOT / name, folder / name)
    return folder


def _tried(mutant: Mutant, copy: Path) -> str:
    """Return "killed", "survived" or "endless", which counts as killed."""
    path = copy / mutant.path
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.text(original), encoding="utf-8")
    try:
        first = _tested(mutant.first_tests(copy), copy)
        return _tested(ROOMS[mutant.room], copy) if first == "survived" else first
    finally:
        path.write_text(original, encoding="utf-8")


def _tested(tests: list[str], copy: Path) -> str:
    child = os.fork()
    if not child:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (_LIMIT, _LIMIT))
        os.chdir(copy)
        os.environ["PYTHONPATH"] = os.pathsep.join((str(copy), str(copy / "tests")))
        sys.path[:] = [str(copy), str(copy / "tests"), *sys.path]
        sys.dont_write_bytecode = True
        with (copy / "last.txt").open("w") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        import pytest

        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
        os._exit(int(pytest.main([*options, *tests])))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "endless"
    return "killed" if status else "survived"


if __name__ == "__main__":
    sys.exit(main())
