"""The command ``fusiontheory forecast``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fusiontheory.commands.options import (
    TASK,
    Features,
    Json,
    Raw,
    Read,
    Split,
    finite,
    parse_numbers,
    print_json,
)
from fusiontheory.console import grouped

if TYPE_CHECKING:
    from fusiontheory.typing import Floats

__all__ = ["forecast"]


@grouped
def forecast(
    features: Features,
    *,
    runs: Annotated[
        Path,
        typer.Option(help="CSV file of your own runs: columns head, n, accuracy, and seed if any."),
    ],
    n: Annotated[
        str | None,
        typer.Option(
            "--n",
            help="Numbers of training pairs, separated by commas."
            " [default: 4 and 8 times the largest of the runs]",
        ),
    ] = None,
    split: Split = None,
    raw: Raw = False,
    training_images: Annotated[
        int | None,
        typer.Option(
            help="Training pairs are drawn from so many images. [default: no two share one]"
        ),
    ] = None,
    read: Read,
    as_json: Json = False,
) -> None:
    """Forecast networks that you trained at small n. Theory is the shape, your runs correct it.

    \b
    runs.csv, accuracies as fractions, at two n of a head at least:
        head,n,accuracy,seed
        concat-mlp,512,0.61,0
        concat-mlp,1024,0.68,0
    \b
    Examples:
        fusiontheory forecast features.npz --runs runs.csv
        fusiontheory forecast features.npz --runs runs.csv --n 8192,16384 --json
    """
    from fusiontheory.curves import forecast_trained, read_runs
    from fusiontheory.data import prepare, read_features
    from fusiontheory.moments import Moments

    measured = read_runs(runs)
    largest = float(measured["n"].max())
    sizes = [4 * largest, 8 * largest] if n is None else parse_numbers("n", n)
    feature_set = read_features(features, read.reading())
    if split is None and feature_set.split is not None:
        split = "train"
    rows = feature_set.rows() if split is None else feature_set.rows(split)
    image: Floats = feature_set.image[rows]
    text: Floats = feature_set.text[rows]
    if not raw:
        image, text = prepare(image, text)
    moments = Moments.from_features(image, text)
    table = forecast_trained(moments, measured, sizes, training_images=training_images)
    if as_json:
        print_json(finite({"task": TASK, "forecast": table.to_dict("records")}))
        return
    trained = ", ".join(f"{size:g}" for size in sorted({*measured["n"]}))
    typer.echo(f"{TASK}, forecast from your runs at n = {trained}.")
    for row in table.to_dict("records"):
        low, middle, high = (
            f"{100 * row[name]:.1f}" for name in ("accuracy_low", "accuracy", "accuracy_high")
        )
        typer.echo(
            f"{row['head']} at n = {row['n']:g}: {middle} % ({low} to {high}), along the curve of"
            f" {row['shape']}"
        )
