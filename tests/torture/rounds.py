"""Rounds of the torture: each does one kind of damage, drawn by a seed, and says what went wrong.

A round returns None, or the fault in words. Rounds run what a person runs, in its own process
where something is killed.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from torture.files import line_with_file
from torture.fuzz import Fuzzer
from torture.limits import SECONDS, Overdue, limited
from torture.lines import command_line
from torture.places import clock_jumps, full_disk, read_only
from torture.running import calm_seconds, command, compared, ended, one_line, start

CALLS = 500
"""Of the fuzzer in one round."""

LINES = 50
"""Hostile grids and command lines in one round."""


def kill_main(seed: int, folder: Path) -> str | None:
    """Kill the run at a random moment, with all its processes, and resume it."""
    process = start(command(folder))
    time.sleep(calm_seconds(folder) * random.Random(seed).uniform(0.1, 1.0))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    status, err = ended(start(command(folder)))
    return one_line(status, err, (0,)) or compared(folder)


def interrupt(seed: int, folder: Path) -> str | None:
    """Interrupt the run: it says that running again resumes."""
    process = start(command(folder))
    time.sleep(calm_seconds(folder) * random.Random(seed).uniform(0.2, 1.0))
    process.send_signal(signal.SIGINT)
    status, err = ended(process)
    if status == 130 and "resume" not in err:
        return f"an interrupt that says nothing: {err[-200:]}"
    # Before Python runs the command an interrupt is Python's own.
    early = status in (-2, 1) and "fusiontheory/cli" not in err
    fault = None if early else one_line(status, err, (0, 130))
    status, err = ended(start(command(folder)))
    return fault or one_line(status, err, (0,)) or compared(folder)


def kill_worker(seed: int, folder: Path) -> str | None:
    """Kill a worker of two: it is replaced."""
    drawn = random.Random(seed)
    process = start(command(folder, "--jobs", "2"))
    time.sleep(calm_seconds(folder) * drawn.uniform(0.4, 1.2))
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True
    ).stdout.splitlines()
    workers = [int(line.split()[0]) for line in listed if "LokyProcess" in line or "loky" in line]
    for worker in drawn.sample(workers, min(1, len(workers))):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    status, err = ended(process)
    return one_line(status, err, (0,)) or compared(folder)


def _at_once(runs: int, folder: Path) -> str | None:
    processes = [start(command(folder)) for _ in range(runs)]
    faults = [one_line(*ended(process), (0,)) for process in processes]
    return next(filter(None, faults), None) or compared(folder)


def two_at_once(seed: int, folder: Path) -> str | None:
    """Start the same run twice in one folder."""
    return _at_once(2, folder)


def four_at_once(seed: int, folder: Path) -> str | None:
    """Start the same run four times in one folder."""
    return _at_once(4, folder)


def damage(seed: int, folder: Path) -> str | None:
    """Flip bits in, or cut, a file of a finished run: it is named in one line, or not needed."""
    drawn = random.Random(seed)
    status, err = ended(start(command(folder)))
    fault = one_line(status, err, (0,))
    files = [f for f in sorted((folder / "out").rglob("*")) if f.is_file() and f.stat().st_size]
    for file in drawn.sample(files, 1):
        data = bytearray(file.read_bytes())
        if drawn.random() < 0.5:
            data = data[: drawn.randrange(len(data))]
        else:
            for _ in range(drawn.choice((1, 8, 64))):
                data[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
        file.write_bytes(data)
        again, err = ended(start(command(folder)))
        fault = fault or one_line(again, err, (0, 2))
        if fault is None and again == 0 and (fault := compared(folder)):
            fault = f"{fault} after damage to {file.name}"
    return fault


def kill_decoder(seed: int, folder: Path) -> str | None:
    """Kill a decoding worker of the extraction: it is replaced, and all images come in order."""
    script = Path(__file__).with_name("decoder.py")
    status, err = ended(start([sys.executable, str(script), str(seed), str(folder)]))
    return one_line(status, err, (0,))


def kill_dask_worker(seed: int, folder: Path) -> str | None:
    """Kill one of two Dask workers: the other does its cells."""
    return _on_dask(seed, folder, ("worker 0",), (0,))


def kill_dask_workers(seed: int, folder: Path) -> str | None:
    """Kill both Dask workers: one line within 60 s."""
    return _on_dask(seed, folder, ("worker 0", "worker 1"), (0, 2))


def kill_dask_scheduler(seed: int, folder: Path) -> str | None:
    """Kill the Dask scheduler: one line within 60 s."""
    return _on_dask(seed, folder, ("scheduler",), (0, 2))


def _on_dask(
    seed: int, folder: Path, victims: tuple[str, ...], allowed: tuple[int, ...]
) -> str | None:
    port = 20000 + seed % 20000
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    place = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    cluster = {"scheduler": start([*dask, "scheduler", *place])}
    for k in range(2):
        one = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        cluster[f"worker {k}"] = start(one)
    try:
        time.sleep(6)
        process = start(command(folder, "--scheduler", address))
        time.sleep(calm_seconds(folder) * random.Random(seed).uniform(0.5, 1.0))
        for name in victims:
            os.killpg(cluster[name].pid, signal.SIGKILL)
        status, err = ended(process, 75)
        if fault := one_line(status, err, allowed):
            return fault
        status, err = ended(start(command(folder)))
        return one_line(status, err, (0,)) or compared(folder)
    finally:
        for one in cluster.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.communicate()


def fuzz(seed: int, folder: Path) -> str | None:
    """Call public callables `CALLS` times with hostile and plausible arguments."""
    import torch  # noqa: F401  its import is not the time of a call

    fault = next(Fuzzer(seed, folder).run(CALLS), None)
    return None if fault is None else str(fault)


def hostile_input(seed: int, folder: Path) -> str | None:
    """Run `LINES` command lines with hostile options and grids: status 0 to 2, one line."""
    return _run_lines(command_line, seed, folder)


def hostile_files(seed: int, folder: Path) -> str | None:
    """Run `LINES` command lines on damaged, foreign and hostile files: status 0 to 2, one line."""
    return _run_lines(line_with_file, seed, folder)


def _run_lines(
    make: Callable[[random.Random, Path], list[str]], seed: int, folder: Path
) -> str | None:
    from fusiontheory.cli import app

    drawn = random.Random(seed)
    for _ in range(LINES):
        line = make(drawn, folder)
        out, err = io.StringIO(), io.StringIO()
        status: object = 0
        try:
            with (
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
                limited(SECONDS),
            ):
                app(line, prog_name="fusiontheory")
        except SystemExit as error:
            status = error.code
        except Overdue:
            return f"{line}: more than {SECONDS} s"[:300]
        except BaseException as error:
            return f"{line}: {type(error).__name__}: {error}"[:300]
        lines = [text for text in err.getvalue().splitlines() if not text.startswith("warning")]
        if status not in (0, 1, 2) or (status and len(lines) != 1):
            return f"{line}: status {status}, {lines[:3]}"[:300]
    return None


ROUNDS: dict[str, tuple[Callable[[int, Path], str | None], int]] = {
    "fuzz": (fuzz, 200),
    "hostile_input": (hostile_input, 60),
    "hostile_files": (hostile_files, 40),
    "kill_main": (kill_main, 20),
    "kill_worker": (kill_worker, 20),
    "interrupt": (interrupt, 10),
    "two_at_once": (two_at_once, 5),
    "four_at_once": (four_at_once, 5),
    "damage": (damage, 30),
    "full_disk": (full_disk, 15),
    "read_only": (read_only, 5),
    "clock_jumps": (clock_jumps, 10),
    "kill_decoder": (kill_decoder, 10),
    "kill_dask_worker": (kill_dask_worker, 5),
    "kill_dask_workers": (kill_dask_workers, 3),
    "kill_dask_scheduler": (kill_dask_scheduler, 5),
}
"""By name: what a round does, and how many make a whole run."""
