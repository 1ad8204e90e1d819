"""The command ``fusiontheory compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusiontheory.checks import InputError
from fusiontheory.commands.options import (
    TASK,
    Features,
    Json,
    Predicted,
    Read,
    check_figure,
    finite,
    parse_ridge,
    print_json,
    ridge_words,
    save,
)
from fusiontheory.console import grouped

__all__ = ["compare"]


@grouped
def compare(
    features: Features,
    *,
    runs: Annotated[
        Path,
        typer.Option(help="CSV file of your own runs: columns head, n, accuracy, and seed if any."),
    ],
    asked: Predicted,
    training_images: Annotated[
        int | None,
        typer.Option(
            help="The runs' pairs were drawn from so many images. [default: no two share one]"
        ),
    ] = None,
    read: Read,
    figure: Annotated[
        Path | None, typer.Option(help="Draw runs beside the curves: .png, .svg or .pdf.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold your own runs against the predictions. Errors, intervals, who was ahead.

    \b
    runs.csv, accuracies as fractions:
        head,n,accuracy,seed
        bilinear,256,0.71,0
        concat-mlp,256,0.66,0
    \b
    Examples:
        fusiontheory compare features.npz --runs runs.csv
        fusiontheory compare features.npz --runs runs.csv --figure runs.png --json
    """
    from fusiontheory.curves import compare as held_against
    from fusiontheory.curves import forecast, read_runs
    from fusiontheory.plotting import plot_runs

    delta = parse_ridge(asked.ridge)
    check_figure(figure)
    measured = read_runs(runs)
    heads = list(dict.fromkeys(measured["head"]))
    for head in heads:
        _check_head(head, runs)
    sizes = sorted({*measured["n"]})
    table = forecast(
        *(features, heads, sizes, delta, asked.split, asked.raw),
        *(asked.test_images, asked.training_sets, read.reading()),
        training_images=training_images,
    )
    comparison = held_against(table, measured)
    if figure is not None:
        save(plot_runs(table, comparison.points), figure)
    if as_json:
        print_json(finite({"task": TASK, "ridge": delta, **comparison.to_dict()}))
    else:
        typer.echo(f"{TASK}, your runs beside the predictions for {ridge_words(delta)}.")
        typer.echo(comparison.to_text())


def _check_head(head: str, runs: Path) -> None:
    """Refuse a head that has no prediction before any work, by the file that names it."""
    from fusiontheory.heads import find_head

    try:
        find_head(head)
    except InputError as error:
        raise InputError(
            f"{error} in {runs.name}; rename it there, or use fusiontheory forecast, which takes"
            " heads of your own"
        ) from error
