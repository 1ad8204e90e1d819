"""Rounds of the torture: each does one kind of damage, drawn by a seed, and says what went wrong.

A round returns None, or the fault in words. Rounds run what a person runs, in its own process
where something is killed. What a round counts it leaves in its folder, in `COUNTS`.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections.abc import Callable
from pathlib import Path

from torture.clusters import kill_dask_scheduler, kill_dask_worker, kill_dask_workers
from torture.files import line_with_file
from torture.fuzz import Fuzzer
from torture.kills import interrupt, kill_decoder, kill_main, kill_tracker, kill_worker
from torture.limits import SECONDS, Overdue, limited
from torture.lines import command_line
from torture.places import clock_jumps, full_disk, read_only
from torture.running import command, compared, ended, one_line, start

CALLS = 500
"""Of the fuzzer in one round."""

LINES = 50
"""Hostile grids and command lines in one round."""

COUNTS = "counts.json"
"""A dictionary of what a round counted, in its folder."""


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


def fuzz(seed: int, folder: Path) -> str | None:
    """Call public callables `CALLS` times with hostile and plausible arguments."""
    import torch  # noqa: F401  its import is not the time of a call

    fuzzer = Fuzzer(seed, folder)
    fault = next(fuzzer.run(CALLS), None)
    counts = {name: getattr(fuzzer, name) for name in ("calls", "accepted", "refused", "most_mib")}
    (folder / COUNTS).write_text(json.dumps(counts))
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
    "kill_main": (kill_main, 20),
    "kill_worker": (kill_worker, 20),
    "kill_decoder": (kill_decoder, 10),
    "kill_dask_worker": (kill_dask_worker, 5),
    "kill_dask_workers": (kill_dask_workers, 3),
    "kill_dask_scheduler": (kill_dask_scheduler, 5),
    "kill_tracker": (kill_tracker, 5),
    "interrupt": (interrupt, 10),
    "two_at_once": (two_at_once, 5),
    "four_at_once": (four_at_once, 5),
    "clock_jumps": (clock_jumps, 10),
    "damage": (damage, 30),
    "full_disk": (full_disk, 15),
    "read_only": (read_only, 5),
    "hostile_input": (hostile_input, 60),
    "hostile_files": (hostile_files, 40),
    "fuzz": (fuzz, 200),
}
"""By name: what a round does, and how many make a whole run."""
