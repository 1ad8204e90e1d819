"""Stages one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

import typer

from fusiontheory.checks import InputError
from validation.clip.stages import Stage

__all__ = ["in_a_process", "run_stages"]


def in_a_process(module: str, arguments: Sequence[str]) -> int:
    """Run a module of this project as a program, and return its status."""
    return subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode


def run_stages(
    listed: Sequence[Stage],
    unproved: bool = False,
    run: Callable[[str, Sequence[str]], int] = in_a_process,
) -> None:
    """Run stages in order; what an earlier call has done, they find.

    Args:
        listed: the stages.
        unproved: go on where the recall of the features is not the published one.
        run: what runs a module with arguments and returns its status.

    Raises:
        InputError: if a stage fails, or the features are not proved.
    """
    for number, stage in enumerate(listed, start=1):
        typer.echo(f"{number}/{len(listed)} {stage.name}", err=True)
        status = run(stage.module, stage.arguments)
        if stage.proof and status == 1:
            if unproved:
                continue
            raise InputError(
                "features must have the published recall to go on, and have not, for the reason"
                " above; mend it, or go on as it is with --unproved"
            )
        if status:
            raise InputError(
                f"stage {stage.name} must end with status 0, got {status}, for the reason above;"
                " what is done is kept: run the same command again to go on"
            )
