"""Runs of a small grid as a person starts them, what a calm one gives, and moments within one."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil

_GRID = """
heads = ["additive", "bilinear"]
n = [40, 160, 640]
seeds = 16
ridge = [0.1]
predict = "none"
[pairs]
d_v = 40
d_t = 40
[vary]
"pairs.correlation" = [0.1, 0.5, 0.9]
"""


def command(folder: Path, *more: str) -> list[str]:
    """Return the command line of a grid of 96 small cells; the folder comes last but for more."""
    config = folder / "grid.toml"
    config.write_text(_GRID)
    out = str(folder / "out")
    return [sys.executable, "-m", "fusiontheory", "simulate", str(config), "--out", out, *more]


def start(line: list[str], preexec_fn: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """Start a command line in a session of its own."""
    return subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=preexec_fn,
    )


def ended(process: subprocess.Popen[str], seconds: float = 600) -> tuple[int, str]:
    """Return status and messages; kill what takes longer, where the machine is not busy."""
    try:
        _, err = process.communicate(timeout=seconds * max(1.0, _load()))
    except subprocess.TimeoutExpired:
        kill_all(process)
        return -1, f"no end within {seconds:g} s"
    return process.returncode, err


def kill_all(process: subprocess.Popen[str]) -> None:
    """Kill a process with all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _load() -> float:
    """Return how many processes wait for each core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def reached(process: subprocess.Popen[str], seconds: float) -> bool:
    """Wait until a run has used so much of the processor; false if it ended before.

    So a moment is the same share of the work, however busy the machine is.
    """
    while process.poll() is None:
        if _used(process.pid) >= seconds:
            return True
        time.sleep(0.005)
    return False


def _used(pid: int) -> float:
    """Return the seconds of the processor of a process and of all that it started."""
    with contextlib.suppress(psutil.Error):
        whole = psutil.Process(pid)
        return sum(map(_seconds, (whole, *whole.children(recursive=True))))
    return 0.0


def _seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        return float(sum(process.cpu_times()[:4]))  # with children that have ended
    return 0.0


def _table(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "out" / "table.parquet")


_calm: dict[tuple[str, ...], tuple[float, pd.DataFrame]] = {}


def _reference(folder: Path, more: tuple[str, ...] = ()) -> tuple[float, pd.DataFrame]:
    """Return seconds of the processor and table of a run that nothing disturbs; made once."""
    if more not in _calm:
        calm = folder / f"calm{len(_calm)}"
        calm.mkdir()
        before = processor_seconds()
        status, err = ended(start(command(calm, *more)))
        if status:
            raise RuntimeError(f"the calm run ended with {status}: {err[-200:]}")
        _calm[more] = processor_seconds() - before, _table(calm)
    return _calm[more]


def processor_seconds() -> float:
    """Return what this process and those that it waited for have used of the processor."""
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def calm_seconds(folder: Path, *more: str) -> float:
    """Return how much of the processor a calm run takes, for moments within it."""
    return _reference(folder, more)[0]


def compared(folder: Path) -> str | None:
    """Hold the table against that of a calm run."""
    expected = _reference(folder)[1]
    columns = [c for c in expected.columns if not c.endswith("seconds")]
    same = _table(folder)[columns].equals(expected[columns])
    return None if same else "the table is another than that of a calm run"


def one_line(status: int, err: str, allowed: tuple[int, ...]) -> str | None:
    """Return the fault of a run: another status than these, or more than one line beside warnings.

    A run that ends with status 0 has nothing to say.
    """
    lines = [line for line in err.splitlines() if line and not line.startswith("warning")]
    if status not in allowed or len(lines) > (status != 0):
        return f"status {status}: {err.strip()[-300:]}"
    return None
