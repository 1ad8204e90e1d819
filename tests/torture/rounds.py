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

import pandas as pd

from torture.fuzz import SECONDS, Fuzzer

CALLS = 500
"""Of the fuzzer in one round."""

LINES = 50
"""Hostile grids and command lines in one round."""

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


def _command(folder: Path, *more: str) -> list[str]:
    config = folder / "grid.toml"
    config.write_text(_GRID.format(seeds=12))
    out = str(folder / "out")
    return [sys.executable, "-m", "fusiontheory", "simulate", str(config), "--out", out, *more]


def _start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def _ended(process: subprocess.Popen[str], seconds: float = 120) -> tuple[int, str]:
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return -1, f"no end within {seconds:g} s"
    return process.returncode, err


def _table(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "out" / "table.parquet")


_reference: list[pd.DataFrame] = []


def _compared(folder: Path) -> str | None:
    """Hold the table against that of a run that nothing disturbed."""
    if not _reference:
        calm = folder / "calm"
        calm.mkdir()
        status, err = _ended(_start(_command(calm)))
        if status:
            return f"the calm run ended with {status}: {err[-200:]}"
        _reference.append(_table(calm))
    columns = [c for c in _reference[0].columns if not c.endswith("seconds")]
    same = _table(folder)[columns].equals(_reference[0][columns])
    return None if same else "the table is another than that of a calm run"


def _line(status: int, err: str, allowed: tuple[int, ...]) -> str | None:
    if status not in allowed or "Traceback" in err:
        return f"status {status}: {err.strip()[-300:]}"
    return None


def kill_main(seed: int, folder: Path) -> str | None:
    """Kill the run at a random moment, with all its processes, and resume it."""
    process = _start(_command(folder))
    time.sleep(random.Random(seed).uniform(0.3, 4.0))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    status, err = _ended(_start(_command(folder)))
    return _line(status, err, (0,)) or _compared(folder)


def interrupt(seed: int, folder: Path) -> str | None:
    """Interrupt the run: it says that running again resumes."""
    process = _start(_command(folder))
    time.sleep(random.Random(seed).uniform(1.0, 4.0))
    process.send_signal(signal.SIGINT)
    status, err = _ended(process)
    if status == 130 and "resume" not in err:
        return f"an interrupt that says nothing: {err[-200:]}"
    # Before Python runs the command an interrupt is Python's own.
    early = status in (-2, 1) and "fusiontheory/cli" not in err
    fault = None if early else _line(status, err, (0, 130))
    status, err = _ended(_start(_command(folder)))
    return fault or _line(status, err, (0,)) or _compared(folder)


def kill_worker(seed: int, folder: Path) -> str | None:
    """Kill a worker of two: it is replaced."""
    drawn = random.Random(seed)
    process = _start(_command(folder, "--jobs", "2"))
    time.sleep(drawn.uniform(1.5, 5.0))
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True
    ).stdout.splitlines()
    workers = [int(line.split()[0]) for line in listed if "LokyProcess" in line or "loky" in line]
    for worker in drawn.sample(workers, min(1, len(workers))):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    status, err = _ended(process)
    return _line(status, err, (0,)) or _compared(folder)


def _at_once(runs: int, folder: Path) -> str | None:
    processes = [_start(_command(folder)) for _ in range(runs)]
    faults = [_line(*_ended(process), (0,)) for process in processes]
    return next(filter(None, faults), None) or _compared(folder)


def two_at_once(seed: int, folder: Path) -> str | None:
    """Start the same run twice in one folder."""
    return _at_once(2, folder)


def four_at_once(seed: int, folder: Path) -> str | None:
    """Start the same run four times in one folder."""
    return _at_once(4, folder)


def damage(seed: int, folder: Path) -> str | None:
    """Flip bits in, or cut, a file of a finished run: it is named in one line, or not needed."""
    drawn = random.Random(seed)
    status, err = _ended(_start(_command(folder)))
    fault = _line(status, err, (0,))
    files = [f for f in sorted((folder / "out").rglob("*")) if f.is_file() and f.stat().st_size]
    for file in drawn.sample(files, 1):
        data = bytearray(file.read_bytes())
        if drawn.random() < 0.5:
            data = data[: drawn.randrange(len(data))]
        else:
            for _ in range(drawn.choice((1, 8, 64))):
                data[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
        file.write_bytes(data)
        again, err = _ended(_start(_command(folder)))
        fault = fault or _line(again, err, (0, 2))
        if fault is None and again == 0 and (fault := _compared(folder)):
            fault = f"{fault} after damage to {file.name}"
    return fault


def kill_decoder(seed: int, folder: Path) -> str | None:
    """Kill a decoding worker of the extraction: it is replaced, and all images come in order."""
    script = Path(__file__).with_name("decoder.py")
    status, err = _ended(_start([sys.executable, str(script), str(seed), str(folder)]))
    return _line(status, err, (0,))


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
    cluster = {"scheduler": _start([*dask, "scheduler", *place])}
    for k in range(2):
        one = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        cluster[f"worker {k}"] = _start(one)
    try:
        time.sleep(6)
        process = _start(_command(folder, "--scheduler", address))
        time.sleep(random.Random(seed).uniform(2.0, 5.0))
        for name in victims:
            os.killpg(cluster[name].pid, signal.SIGKILL)
        status, err = _ended(process, 75)
        if fault := _line(status, err, allowed):
            return fault
        status, err = _ended(_start(_command(folder)))
        return _line(status, err, (0,)) or _compared(folder)
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
    from fusiontheory.cli import app
    from torture.lines import command_line

    drawn = random.Random(seed)
    for _ in range(LINES):
        line = command_line(drawn, folder)
        out, err = io.StringIO(), io.StringIO()
        start = time.monotonic()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                app(line, prog_name="fusiontheory")
            status: object = 0
        except SystemExit as error:
            status = error.code
        except BaseException as error:
            return f"{line}: {type(error).__name__}: {error}"[:300]
        if time.monotonic() - start > SECONDS:
            return f"{line}: more than {SECONDS} s"
        lines = [text for text in err.getvalue().splitlines() if not text.startswith("warning")]
        if status not in (0, 1, 2) or (status and len(lines) != 1):
            return f"{line}: status {status}, {lines[:3]}"[:300]
    return None


ROUNDS: dict[str, tuple[Callable[[int, Path], str | None], int]] = {
    "fuzz": (fuzz, 200),
    "hostile_input": (hostile_input, 60),
    "kill_main": (kill_main, 20),
    "kill_worker": (kill_worker, 20),
    "interrupt": (interrupt, 10),
    "two_at_once": (two_at_once, 5),
    "four_at_once": (four_at_once, 5),
    "damage": (damage, 30),
    "kill_decoder": (kill_decoder, 10),
    "kill_dask_worker": (kill_dask_worker, 5),
    "kill_dask_workers": (kill_dask_workers, 3),
    "kill_dask_scheduler": (kill_dask_scheduler, 5),
}
"""By name: what a round does, and how many make a whole run."""
