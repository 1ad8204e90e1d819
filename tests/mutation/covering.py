"""Which tests run which line, recorded once by running them, so that a mutant is tried with those.

A line of a fixture that tests share counts for every test of its file, and what runs at the import
of a file for every test that runs anything of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from mutation.sample import ROOMS

_OWN = 5
"""How many times as slow as others a file's own tests may be, and still come before them."""


class Covering:
    """What was recorded.

    Attributes:
        seconds: that each test took.
        modules: that were imported by the tests, of other projects.
    """

    def __init__(self, said: dict[str, Any]) -> None:
        self.seconds: dict[str, float] = said["seconds"]
        self.modules: list[str] = said["modules"]
        self._lines: dict[str, dict[str, list[str]]] = said["lines"]

    def tests(self, path: str, lines: Sequence[int], room: str) -> list[str]:
        """Return the tests that run one of the lines, those first that tell most a second."""
        found = self._lines.get(path, {})
        names = {name for line in lines for name in found.get(str(line), [])}
        everywhere = {name for line in found.values() for name in line}
        if not names or "" in names:
            names = everywhere
        shared = {name for name in names if name and "::" not in name}
        tests = {
            test for test in self.seconds if test in names or test.partition("::")[0] in shared
        }
        own = (f"tests/{room}/test_{Path(path).stem}.py", path)

        def cost(test: str) -> tuple[float, str]:
            times = 1 / _OWN if test.partition("::")[0] in own else 1.0
            return (self.seconds[test] * times, test)

        return sorted(tests, key=cost)


def recorded(root: Path, keep: Path, files: Sequence[str] | None = None) -> Covering:
    """Return what is kept, or record it in a process of its own: some minutes.

    Args:
        root: the copy of the repository.
        keep: folder of what is kept.
        files: of tests, alone; those of all rooms and their examples if there are none.
    """
    whole = sorted({one for room in ROOMS for one in ROOMS[room]})
    asked = list(files) if files else [*whole, *(f"fusiontheory/{room}" for room in ROOMS)]
    digest = _digest(root, files or ())
    file = keep / ("covering_of_files.json" if files else "covering.json")
    said = json.loads(file.read_text()) if file.is_file() else {}
    if said.get("digest") != digest:
        if _in_a_process(root, file, digest, asked):
            log = (root / "last.txt").read_text()[-3000:]
            raise SystemExit(f"the tests fail without any mutant:\n{log}")
        said = json.loads(file.read_text())
    return Covering(said)


def _digest(root: Path, files: Sequence[str]) -> str:
    """Return a digest of the rooms and of their tests: lines and names that are recorded."""
    whole = hashlib.sha256(" ".join(files).encode())
    for room, tests in ROOMS.items():
        for place in (f"fusiontheory/{room}", *tests):
            there = root / place
            for path in sorted(there.rglob("*.py")) if there.is_dir() else [there]:
                whole.update(path.read_bytes())
    return whole.hexdigest()


def _in_a_process(root: Path, file: Path, digest: str, asked: Sequence[str]) -> int:
    from mutation.tried import enter

    child = os.fork()
    if not child:
        try:
            enter(root)
            os._exit(_record(root, file, digest, asked))
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
    return os.waitpid(child, 0)[1]


def _record(root: Path, file: Path, digest: str, asked: Sequence[str]) -> int:
    import coverage
    import pytest

    sources = [str(root / "fusiontheory" / room) for room in ROOMS]
    cover = coverage.Coverage(data_file=None, source=sources, config_file=False)
    recorder = _Recorder(cover)
    cover.start()
    status = pytest.main(["-q", "-p", "no:cacheprovider", *asked], plugins=[recorder])
    cover.stop()
    if status:
        return int(status)
    data = cover.get_data()
    lines = {
        str(Path(path).relative_to(root)): {
            str(line): sorted(set(names)) for line, names in data.contexts_by_lineno(path).items()
        }
        for path in data.measured_files()
    }
    theirs = sorted(
        name for name in sys.modules
        if name.partition(".")[0] not in ("fusiontheory", "tests", "__main__", "conftest")
        and getattr(sys.modules[name], "__file__", None)
        and not Path(str(sys.modules[name].__file__)).is_relative_to(root)
    )  # fmt: skip
    said = {"digest": digest, "seconds": recorder.seconds, "lines": lines, "modules": theirs}
    file.write_text(json.dumps(said))
    return 0


class _Recorder:
    """A plugin that tells the coverage which test is running."""

    def __init__(self, cover: Any) -> None:
        self.seconds: dict[str, float] = {}
        self._cover = cover
        self._now = ""

    def _switch(self, name: str) -> None:
        self._now = name
        self._cover.switch_context(name)

    def pytest_runtest_logreport(self, report: Any) -> None:
        before = self.seconds.get(report.nodeid, 0.0)
        self.seconds[report.nodeid] = before + report.duration

    import pytest

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, Any, Any]:
        self._switch(item.nodeid)
        try:
            return (yield)
        finally:
            self._switch("")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        before = self._now
        if fixturedef.scope != "function":
            self._switch(before.partition("::")[0])
        try:
            return (yield)
        finally:
            self._switch(before)
