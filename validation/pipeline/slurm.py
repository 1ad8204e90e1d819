"""The study as Slurm jobs: shards of extraction, then shards of training, then the report.

Every job is the command ``python -m validation study`` with a part of the work; they share the
folder of shards and records. A launch that failed is started again as it was: what is done is kept.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.store import check_writable

__all__ = ["CLUSTERS", "Resources", "launch_study", "run_command", "stages"]

CLUSTERS = ("slurm", "local")


@dataclass(frozen=True)
class Resources:
    """What a job gets.

    Attributes:
        cluster: one of `CLUSTERS`; local runs the jobs as processes of this machine.
        logs: folder that all machines see.
        partition: of Slurm; None: its default.
        timeout_min: minutes.
        cpus: cores.
        memory_gb: GiB.
        gpus: of one node.

    Raises:
        InputError: if the cluster is unknown or a number is not positive.
    """

    cluster: str = "slurm"
    logs: Path = Path(".cache/launch")
    partition: str | None = None
    timeout_min: int = 240
    cpus: int = 4
    memory_gb: int = 16
    gpus: int = 0

    def __post_init__(self) -> None:
        """Check every setting."""
        if self.cluster not in CLUSTERS:
            raise InputError(f"cluster must be {' or '.join(CLUSTERS)}, got {self.cluster!r}")
        for name in ("timeout_min", "cpus", "memory_gb"):
            positive_integer(name, getattr(self, name))
        positive_integer("gpus", self.gpus, minimum=0)


def stages(options: Sequence[str], shards: int) -> list[list[list[str]]]:
    """Return the commands of each stage; those of one stage may run at the same time.

    Args:
        options: of the command ``study``.
        shards: parts of extraction and of training.

    >>> [len(stage) for stage in stages(["--captions", "a.csv"], 3)]
    [3, 1, 3, 1]
    >>> [len(stage) for stage in stages(["--features", "a=f.safetensors", "--parts", "none"], 3)]
    [1]
    """
    base = [sys.executable, "-m", "validation", "study", *options]
    parts = [f"{k}/{shards}" for k in range(1, positive_integer("shards", shards) + 1)]
    groups = []
    if "--captions" in options:
        groups.append([[*base, "--only", "extract", "--shard", part] for part in parts])
        groups.append([[*base, "--only", "extract"]])  # merges
    if "none" not in options:
        groups.append([[*base, "--only", "train", "--shard", part] for part in parts])
    return [*groups, [[*base, "--only", "report"]]]


def run_command(command: Sequence[str]) -> str:
    """Run a command and return what it printed; called on the machine of a job.

    Raises:
        RuntimeError: with the end of what it wrote to stderr, if it fails.
    """
    done = subprocess.run(list(command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-500:] or f"status {done.returncode}")
    return done.stdout.strip()


def launch_study(options: Sequence[str], shards: int, resources: Resources) -> str:
    """Submit the stages one after the other, wait, and return what the last one printed.

    Raises:
        InputError: if submitit or Slurm is missing, the logs cannot be written, an option belongs
            to the launcher, or jobs failed: the first of them is named with its error.
    """
    for option in ("--shard", "--only"):
        if any(given.partition("=")[0] == option for given in options):
            raise InputError(f"options must leave {option} to the launcher, got it")
    planned = stages(options, shards)
    check_writable("logs", resources.logs)
    executor = _executor(resources)
    printed: list[str] = []
    for commands in planned:
        jobs = executor.map_array(run_command, commands)
        printed = [_result(job, command) for job, command in zip(jobs, commands, strict=True)]
    return printed[-1]


def _executor(resources: Resources) -> Any:
    try:
        submitit = importlib.import_module("submitit")
    except ImportError as error:
        raise InputError(
            "launch needs submitit, which is missing; pip install 'fusiontheory[slurm]'"
        ) from error
    try:
        executor = submitit.AutoExecutor(folder=resources.logs, cluster=resources.cluster)
    except RuntimeError as error:  # there is no srun
        raise InputError(
            f"cluster must be one that can be reached from here, got {resources.cluster!r}: {error}"
            " Launch on a machine that submits jobs, or with --cluster local"
        ) from error
    executor.update_parameters(
        name="fusiontheory",
        timeout_min=resources.timeout_min,
        cpus_per_task=resources.cpus,
        mem_gb=resources.memory_gb,
        gpus_per_node=resources.gpus,
        **({} if resources.partition is None else {"slurm_partition": resources.partition}),
    )
    return executor


def _result(job: Any, command: Sequence[str]) -> str:
    try:
        return str(job.result())
    except Exception as error:  # submitit has its own errors for jobs that failed or were killed
        # submitit puts a trace before what the job itself said, and a rule of dashes after it.
        said = str(error).rpartition("RuntimeError: ")[2].partition("\n-----")[0]
        detail = " ".join(said.split())[-300:]
        what = " ".join(command[3:])
        raise InputError(
            f"job {job.job_id} ({what}) failed: {detail}; its log is {job.paths.stderr}; mend the"
            " cause and launch again, what is done is kept"
        ) from error
