"""Rounds on disks that are full or cannot be written to, and under a clock that jumps."""

from __future__ import annotations

import random
import resource
import sys
from pathlib import Path

from torture.running import (
    calm_seconds,
    command,
    compared,
    ended,
    kill_all,
    one_line,
    reached,
    start,
)

_JUMPS = """
import random, runpy, time
random.seed({seed})
real = time.time
time.time = lambda: real() + random.choice((-4e8, -3600.0, 0.0, 3600.0, 4e8))
runpy.run_module("fusiontheory", run_name="__main__", alter_sys=True)
"""


def full_disk(seed: int, folder: Path) -> str | None:
    """Let no file grow beyond a random size: one line; with room again the run resumes."""
    size = int(10 ** random.Random(seed).uniform(2, 5.3))

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    process = start(command(folder), preexec_fn=limited)
    fault = one_line(*ended(process), (0, 2))
    return fault or one_line(*ended(start(command(folder))), (0,)) or compared(folder)


def read_only(seed: int, folder: Path) -> str | None:
    """Write to where nothing can be written, or below a file: one line, status 2."""
    (folder / "file").write_text("")
    places = ("/proc/out", "/sys/out", "/dev/null/out", f"{folder}/file", f"{folder}/file/out")
    place = places[seed % len(places)]
    status, err = ended(start([*command(folder)[:-1], place]))
    return one_line(status, err, (2,))


def clock_jumps(seed: int, folder: Path) -> str | None:
    """Let `time.time` jump by up to twelve years at every look, with a killed run in between."""
    line = [sys.executable, "-c", _JUMPS.format(seed=seed), *command(folder)[3:]]
    process = start(line)
    reached(process, calm_seconds(folder) * random.Random(seed).uniform(0.3, 1.0))
    kill_all(process)
    return one_line(*ended(start(line)), (0,)) or compared(folder)
