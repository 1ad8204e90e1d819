"""The command ``fusiontheory compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusiontheory.checks import InputError
from fusiontheory.commands.options import (
    TASK,
    Features,
    ImageKey,
    Json,
    Missing,
    Raw,
    Ridge,
    Split,
    TestImages,
    TextKey,
    TrainingSets,
    check_figure,
    finite,
    parse_ridge,
    print_json,
    ridge_words,
    save,
)

__all__ = ["compare"]


def compare(
    features: Features,
    runs: Annotated[
        Path,
        typer.Option(help="CSV file of your own runs: columns head, n, accuracy, and seed if any."),
    ],
    ridge: Ridge = "best",
    split: Split = None,
    raw: Raw = False,
    test_images: TestImages = None,
    training_images: Annotated[
        int | None,
        typer.Option(
            help="The runs' pairs were drawn from so many images. [default: no two share one]"
        ),
    ] = None,
    training_sets: TrainingSets = None,
    image_key: ImageKey = None,
    text_key: TextKey = None,
    missing: Missing = "refuse",
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
    from fusiontheory.data import Reading
    from fusiontheory.plotting import plot_runs

    delta = parse_ridge(ridge)
    check_figure(figure)
    measured = read_runs(runs)
    heads = list(dict.fromkeys(measured["head"]))
    for head in heads:
        _check_head(head, runs)
    sizes = sorted({*measured["n"]})
    reading = Reading(image_key, text_key, missing)
    table = forecast(
        *(features, heads, sizes, delta, split, raw, test_images, training_sets, reading),
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
