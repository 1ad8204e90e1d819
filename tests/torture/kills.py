"""Rounds that kill a process of a run at a random moment of its work."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from torture.extraction import draw_images
from torture.running import (
    calm_seconds,
    command,
    compared,
    ended,
    kill_all,
    one_line,
    processor_seconds,
    reached,
    start,
)

_TRIES = 5
"""To meet a run before it ends."""

_LINGER = 10
"""Seconds within which what a killed run started has to end."""

MISSED = "ended before"
"""Words of a fault of the round itself: nothing was killed."""


def kill_main(seed: int, folder: Path) -> str | None:
    """Kill the run at a random moment, alone or with two workers, which end too, and resume it."""
    more = ("--jobs", "2") if seed % 2 else ()
    left: list[psutil.Process] = []

    def kill(process: subprocess.Popen[str]) -> bool:
        with contextlib.suppress(psutil.Error):
            left[:] = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        return process.wait() == -signal.SIGKILL

    process = _struck(seed, folder, command(folder, *more), calm_seconds(folder, *more), kill)
    if process is None:
        return f"the run {MISSED} each kill"
    end = time.monotonic() + _LINGER
    while (outlived := any(map(_lives, left))) and time.monotonic() < end:
        time.sleep(0.1)
    fault = f"what the run started is there {_LINGER} s after its end" if outlived else None
    kill_all(process)
    fault = fault or one_line(*ended(start(command(folder, *more))), (0,))
    return fault or compared(folder)


def interrupt(seed: int, folder: Path) -> str | None:
    """Interrupt or end the run (SIGINT, SIGTERM, SIGHUP): it says that running again resumes."""
    number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[seed % 3]
    more = ("--jobs", "2") if seed % 2 else ()

    def send(process: subprocess.Popen[str]) -> bool:
        process.send_signal(number)
        return True

    process = _struck(seed, folder, command(folder, *more), calm_seconds(folder, *more), send)
    if process is None:
        return f"the run {MISSED} each interrupt"
    status, err = ended(process)
    asked = 128 + number
    if status == asked and "resume" not in err:
        return f"an interrupt that says nothing: {err[-200:]}"
    # Before Python runs the command a signal is Python's own.
    early = status in (-number, 1) and "fusiontheory/cli" not in err
    fault = None if early else one_line(status, err, (0, asked))
    return fault or one_line(*ended(start(command(folder, *more))), (0,)) or compared(folder)


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)  # nobody may ask for its status
    return False


def kill_worker(seed: int, folder: Path) -> str | None:
    """Kill a worker of two: it is replaced."""
    return _of_two_jobs(seed, folder, "LokyProcess")


def kill_tracker(seed: int, folder: Path) -> str | None:
    """Kill the process that keeps the semaphores of two workers: nothing is lost or said."""
    return _of_two_jobs(seed, folder, "resource_tracker")


def _of_two_jobs(seed: int, folder: Path, victim: str) -> str | None:
    jobs = ("--jobs", "2")

    def kill(process: subprocess.Popen[str]) -> bool:
        return _kill_child(process, lambda child: any(victim in word for word in child.cmdline()))

    process = _struck(seed, folder, command(folder, *jobs), calm_seconds(folder, *jobs), kill)
    if process is None:
        return f"the run {MISSED} each kill"
    return one_line(*ended(process), (0,)) or compared(folder)


def kill_decoder(seed: int, folder: Path) -> str | None:
    """Kill a decoding worker of an extraction: it is replaced, the features are the same bytes."""
    line = [sys.executable, str(Path(__file__).with_name("extraction.py")), str(folder)]
    draw_images(folder)
    seconds, expected = _calm_features(line, folder)

    def kill(process: subprocess.Popen[str]) -> bool:
        return _kill_child(process, lambda child: child.ppid() == process.pid)

    process = _struck(seed, folder, line, seconds, kill)
    if process is None:
        return f"the extraction {MISSED} each kill"
    if fault := one_line(*ended(process), (0,)):
        return fault
    same = (folder / "features.safetensors").read_bytes() == expected
    return None if same else "the features are other than those of a calm run"


_features: list[tuple[float, bytes]] = []


def _calm_features(line: list[str], folder: Path) -> tuple[float, bytes]:
    if not _features:
        before = processor_seconds()
        if fault := one_line(*ended(start(line)), (0,)):
            raise RuntimeError(fault)
        out = folder / "features.safetensors"
        _features.append((processor_seconds() - before, out.read_bytes()))
        _emptied(folder)
    return _features[0]


def _struck(
    seed: int,
    folder: Path,
    line: list[str],
    seconds: float,
    strike: Callable[[subprocess.Popen[str]], bool],
) -> subprocess.Popen[str] | None:
    """Start a run and strike at a random moment of it; None if it always ended before."""
    drawn = random.Random(seed)
    for _ in range(_TRIES):
        process = start(line)
        if reached(process, seconds * drawn.uniform(0.1, 0.95)) and strike(process):
            return process
        kill_all(process)
        _emptied(folder)
    return None


def _emptied(folder: Path) -> None:
    """Take away what a run left, so that another starts anew."""
    for name in ("out", "cache", "features.safetensors", "features.json"):
        subprocess.run(["rm", "-rf", str(folder / name)], check=True)


def _kill_child(process: subprocess.Popen[str], wanted: Callable[[psutil.Process], bool]) -> bool:
    """Kill a child, or the first one if there is none yet; false if the run ends without."""
    while process.poll() is None:
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            for child in psutil.Process(process.pid).children():
                if wanted(child):
                    os.kill(child.pid, signal.SIGKILL)
                    return True
        time.sleep(0.005)
    return False
