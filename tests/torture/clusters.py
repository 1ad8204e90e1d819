"""Rounds that kill processes of a Dask cluster under a run."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
from pathlib import Path

from torture.kills import MISSED
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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    place = ["--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    cluster = {"scheduler": start([*dask, "scheduler", *place])}
    for k in range(2):
        one = [*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        cluster[f"worker {k}"] = start(one)
    try:
        _wait_for_workers(address)
        process = start(command(folder, "--scheduler", address))
        # The run itself sends and waits, the workers compute; so what it uses ends early.
        moment = calm_seconds(folder) * random.Random(seed).uniform(0.1, 0.9)
        if not reached(process, moment):
            return f"the run {MISSED} the kill"
        for name in victims:
            kill_all(cluster[name])
        if fault := one_line(*ended(process, 60), allowed):
            return fault
        if process.returncode:
            fault = one_line(*ended(start(command(folder))), (0,))
        return fault or compared(folder)
    finally:
        for one_process in cluster.values():
            if one_process.returncode is None:
                kill_all(one_process)


def _wait_for_workers(address: str) -> None:
    code = (
        "from distributed import Client\n"
        f"with Client({address!r}, timeout='120s') as client: client.wait_for_workers(2, 120)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
