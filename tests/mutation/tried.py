"""A mutant is put into a copy of the repository, and tests run in a forked process."""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

from mutation.covering import Covering
from mutation.sample import Mutant

_FIRST = 25
"""So many tests come first, in one process, before all the others."""
_MOST = 30.0
"""Seconds of tests beyond which no more are tried: who survives so many is called a survivor."""
_LIMIT = 30
"""Tests are ended after so many seconds of the processor and three times what they take."""
_WALL = 900


def copied(root: Path, folder: Path) -> Path:
    """Return a copy of what git tracks or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, listed):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    return folder


def warm(modules: Iterable[str]) -> None:
    """Import what the tests import of other projects, so that no forked process has to."""
    import hypothesis

    hypothesis.settings.register_profile("mutants", deadline=None, derandomize=True, database=None)
    hypothesis.settings.load_profile("mutants")
    for module in modules:
        with suppress(Exception):
            importlib.import_module(module)


def tried(mutant: Mutant, copy: Path, covering: Covering, number: int) -> tuple[str, int]:
    """Return "killed", "survived" or "endless", which is noticed too; and the number of tests.

    Args:
        mutant: to try.
        copy: of the repository.
        covering: that says which tests to take.
        number: another one for each mutant, the time of the mutated file: a compiled one of the
            mutant before would be taken for this one's otherwise.
    """
    path = copy / mutant.path
    original, times = path.read_text(encoding="utf-8"), path.stat()
    tests = _within(_MOST, covering.tests(mutant.path, mutant.statement, mutant.room), covering)
    path.write_text(mutant.text(original), encoding="utf-8")
    os.utime(path, (number, number))
    try:
        outcome = "survived"
        for part in (tests[:_FIRST], tests[_FIRST:]):
            if part and outcome == "survived":
                outcome = _tested(part, copy, 3 * sum(covering.seconds[one] for one in part))
        return outcome, len(tests)
    finally:
        path.write_text(original, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _within(most: float, tests: list[str], covering: Covering) -> list[str]:
    """Return the first tests, as many as take so long."""
    spent = accumulate(covering.seconds[test] for test in tests)
    return [test for test, until in zip(tests, spent, strict=True) if until < most] or tests[:1]


def enter(copy: Path) -> None:
    """Let this process work in the copy, and what it prints go to a file of it."""
    os.setsid()
    os.chdir(copy)
    os.environ["PYTHONPATH"] = os.pathsep.join((str(copy), str(copy / "tests")))
    sys.path[:] = [str(copy), str(copy / "tests"), *sys.path]
    # What this program imported of the library itself is not that of the copy.
    for name in [name for name in sys.modules if name.partition(".")[0] == "fusiontheory"]:
        del sys.modules[name]
    with (copy / "last.txt").open("w") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)


def _tested(tests: list[str], copy: Path, seconds: float) -> str:
    child = os.fork()
    if not child:
        limit = int(_LIMIT + seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        signal.alarm(_WALL)
        enter(copy)
        import pytest

        files = sorted({test.partition("::")[0] for test in tests})
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
        os._exit(int(pytest.main([*options, *files], plugins=[_Chosen(tests)])))
    _, status = os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if os.WIFSIGNALED(status):
        return "endless"
    if os.WEXITSTATUS(status) not in (0, 1, 2):
        raise SystemExit((copy / "last.txt").read_text()[-3000:])
    return "killed" if status else "survived"


class _Chosen:
    """A plugin that runs the chosen tests alone, in their order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        chosen = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])
