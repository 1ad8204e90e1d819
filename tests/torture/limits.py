"""How long a call may take, and how much memory."""

from __future__ import annotations

import contextlib
import math
import os
import re
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS = 20
"""Of the processor; no call may take longer."""

GIB = 4
"""Of memory that a call may ask for; more is refused, as on a machine that has no more."""

_LINUX = sys.platform.startswith("linux")
_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Overdue(BaseException):
    """A call took too long; no body catches it."""


def held_mib() -> float:
    """Return the memory that this process holds, and forget its peak; 0 but on Linux."""
    if _LINUX:
        _FORGET.write_text("5")
    return _kib("VmRSS") / 1024


def peak_mib() -> float:
    """Return the most memory that this process held since `held_mib`; 0 but on Linux."""
    return _kib("VmHWM") / 1024


def was_to_be_had(error: BaseException | None) -> bool:
    """Return whether an error comes from an array beyond `GIB` that this machine could hold.

    One beyond the machine's memory is refused anywhere, and takes none.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    while error is not None:
        if told := re.search(r"tried to allocate (\d+) bytes", str(error)):  # PyTorch
            return int(told[1]) < machine
        shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)
        if isinstance(error, MemoryError) and shape is not None and dtype is not None:
            return math.prod(shape) * dtype.itemsize < machine
        error = error.__cause__ or error.__context__
    return False


def _kib(name: str) -> int:
    if not _LINUX:
        return 0
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Refuse memory beyond `GIB` more than there is now; only on Linux."""
    if not _LINUX:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (1024 * _kib("VmData") + GIB * 2**30, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise Overdue after so many seconds of the processor, or ten minutes of waiting.

    What asks for more memory than `GIB` gets an error. Only in the main thread of a Unix system.
    A busy machine makes a call wait, not slow.
    """

    def stop(*_: Any) -> None:
        raise Overdue

    clocks = {
        signal.ITIMER_PROF: (signal.SIGPROF, seconds),
        signal.ITIMER_REAL: (signal.SIGALRM, 600),
    }
    before = {number: signal.signal(number, stop) for number, _ in clocks.values()}
    for clock, (_, limit) in clocks.items():
        signal.setitimer(clock, limit)
    try:
        with _bounded():
            yield
    finally:
        for clock in clocks:
            signal.setitimer(clock, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder; `contextlib.chdir` is of Python 3.11."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
