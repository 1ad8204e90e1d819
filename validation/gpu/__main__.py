"""``python -m validation.gpu``: what ``make gpu`` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusiontheory.console import OneLineCommand, application

__all__ = ["app"]

app = application("What a GPU computes, how fast, and the whole grid with 10 seeds.")


@app.command(cls=OneLineCommand)
def main(
    device: Annotated[
        str, typer.Option(help="cuda, every GPU; cuda:1, that one; auto; cpu.")
    ] = "cuda",
    small: Annotated[
        bool, typer.Option("--small", help="Try everything in small, on made-up features.")
    ] = False,
    store: Annotated[Path, typer.Option(help="Folder of parts and records.")] = Path(".cache/gpu"),
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results. [default: docs/results/gpu, and report/gpu where small]"
        ),
    ] = None,
) -> None:
    """Do what is not done yet and write the results; run again, it goes on where it stopped."""
    from validation.gpu import FULL, SMALL, gpu_run

    # A trial on made-up features never lies where the results are kept.
    folder = out or Path("report/gpu" if small else "docs/results/gpu")
    typer.echo(f"results: {gpu_run(device, SMALL if small else FULL, store, folder)}")


if __name__ == "__main__":
    app(prog_name="python -m validation.gpu")
