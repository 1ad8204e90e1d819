"""Runs of a small grid as a person starts them, and what a calm one gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

_GRID = """
heads = ["additive", "bilinear"]
n = [40, 80, 160]
seeds = {seeds}
ridge = [0.1]
predict = "none"
[pairs]
d_v = 12
d_t = 12
[vary]
"pairs.correlation" = [0.1, 0.5, 0.9]
"""


def command(folder: Path, *more: str) -> list[str]:
    """Return the command line of a grid of 72 small cells; the folder comes last but for more."""
    config = folder / "grid.toml"
    config.write_text(_GRID.format(seeds=12))
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
    """Return status and messages; kill what takes longer."""
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return -1, f"no end within {seconds:g} s"
    return process.returncode, err


def _table(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "out" / "table.parquet")


_calm: list[tuple[float, pd.DataFrame]] = []


def _reference(folder: Path) -> tuple[float, pd.DataFrame]:
    """Return seconds and table of a run that nothing disturbs; made once."""
    if not _calm:
        calm = folder / "calm"
        calm.mkdir()
        begin = time.monotonic()
        status, err = ended(start(command(calm)))
        if status:
            raise RuntimeError(f"the calm run ended with {status}: {err[-200:]}")
        _calm.append((time.monotonic() - begin, _table(calm)))
    return _calm[0]


def calm_seconds(folder: Path) -> float:
    """Return how long a calm run takes, for moments within it."""
    return _reference(folder)[0]


def compared(folder: Path) -> str | None:
    """Hold the table against that of a calm run."""
    expected = _reference(folder)[1]
    columns = [c for c in expected.columns if not c.endswith("seconds")]
    same = _table(folder)[columns].equals(expected[columns])
    return None if same else "the table is another than that of a calm run"


def one_line(status: int, err: str, allowed: tuple[int, ...]) -> str | None:
    """Return the fault of a run: another status than these, or a traceback."""
    if status not in allowed or "Traceback" in err:
        return f"status {status}: {err.strip()[-300:]}"
    return None
