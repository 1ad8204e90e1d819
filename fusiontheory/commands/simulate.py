"""The command ``fusiontheory simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusiontheory.commands.options import check_figure, save

__all__ = ["simulate"]


def simulate(
    config: Annotated[
        Path, typer.Argument(help="TOML file: heads, n, seeds, ridge, pairs, target, vary.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for records and table.parquet.")] = Path(
        "simulation"
    ),
    jobs: Annotated[int, typer.Option(help="Processes, one linear algebra thread each.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, in place of processes.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw theory and simulation: .png, .svg or .pdf.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Of kernel ridge: cpu; cuda, every GPU; cuda:1, that one; auto."
            " [default: NumPy, without PyTorch]"
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="On a device: float64, or mixed, float32 refined to float64.")
    ] = "float64",
    partial: Annotated[
        bool, typer.Option(help="Write the table of the rest if workers died again and again.")
    ] = False,
) -> None:
    """Simulate a grid of configurations, heads, n, seeds and ridges. It resumes where it stopped.

    \b
    Example:
        fusiontheory simulate grid.toml --out simulation --jobs 2 --figure simulation.png

    The file, in TOML:

    \b
        heads = ["concat-linear", "bilinear"]  # or additive, sum, low-rank, dot-product, concat-mlp
        n = [64, 256, 1024]
        seeds = 5                         # 0 .. 4, or a list
        ridge = [0.01]                    # delta of K + delta I; or "best"
        intercept = true                  # the defaults from here on
        test_rows = 4096                  # used only without closed form
        predict = "sharp"                 # "gaussian" (cheaper), "none"
        study = "simulation"
        [pairs]                           # fields of SharedLatentPairs
        d_v = 32
        d_t = 32
        spectrum_v = "power 0.8"
        [target]                          # fields of Target
        noise = 0.1
        [degradation]                     # fields of Degradation
        sigma_t = 0.1
        [vary]                            # every combination
        "pairs.correlation" = [0.1, 0.5, 0.9]
        "target.interaction" = [0.0, 0.5, 1.0]
    """
    from fusiontheory.simulate import LostUnits, check_panels, plot_simulation, read_grid
    from fusiontheory.simulate import simulate as run

    grid = read_grid(config)
    if figure is not None:
        check_figure(figure)
        check_panels(len(grid.configs) * grid.ridges_each, ["ridge", "vary"])
    try:
        table = run(grid, out, jobs, scheduler, partial, device=device, precision=precision)
    except LostUnits as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if len(table) < grid.runs:
        typer.echo(f"{len(table)} of {grid.runs} runs in {out / 'partial.parquet'}")
        raise typer.Exit(1)
    typer.echo(f"{len(table)} runs in {out / 'table.parquet'}")
    if figure is not None:
        save(plot_simulation(table), figure)
