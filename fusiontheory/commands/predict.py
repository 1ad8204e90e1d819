"""The command ``fusiontheory predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    parse_numbers,
    parse_ridge,
    print_json,
    ridge_words,
    save,
)
from fusiontheory.console import grouped

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["predict"]


@grouped
def predict(
    features: Features,
    *,
    head: Annotated[
        list[str] | None,
        typer.Option(
            help="Fusion head; can be repeated."
            " [default: all but concat-mlp-aligned, which has to be named]"
        ),
    ] = None,
    n: Annotated[
        str | None,
        typer.Option(
            "--n",
            help="Numbers of training pairs, separated by commas."
            " [default: 256 to 8192, as far as the images allow]",
        ),
    ] = None,
    asked: Predicted,
    training_images: Annotated[
        int | None,
        typer.Option(
            help="Training pairs are drawn from so many images, and share them."
            " [default: no two pairs share one, and n is at most twice the images given]"
        ),
    ] = None,
    trial: Annotated[
        bool,
        typer.Option(
            "--trial",
            help="Train each head on most of the images and test it on the rest, for features that"
            " a prediction warns of; takes seconds for each head.",
        ),
    ] = False,
    read: Read,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the predicted accuracy: .png, .svg or .pdf.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict which fusion learns matching from fewer pairs. From features alone.

    \b
    Examples:
        fusiontheory predict features.npz
        fusiontheory predict image.npy text.npy --head concat-mlp --head bilinear --n 256,1024
        fusiontheory predict features.npz --ridge 0.1 --figure curve.png
        fusiontheory predict features.npz --json
        fusiontheory predict features.npz --trial
    """
    from fusiontheory.curves import answer, forecast

    sizes = None if n is None else parse_numbers("n", n)
    delta, reading = parse_ridge(asked.ridge), read.reading()
    check_figure(figure)
    if trial:
        _check_trial(delta, training_images, asked.test_images, asked.training_sets)
        from fusiontheory.trial import trial_forecast

        table = trial_forecast(features, head, sizes, delta, asked.split, asked.raw, reading)
    else:
        table = forecast(
            *(features, head, sizes, delta, asked.split, asked.raw),
            *(asked.test_images, asked.training_sets, reading),
            training_images=training_images,
        )
    if figure is not None:
        from fusiontheory.plotting import plot_curve

        drawn = plot_curve(table, width=4.6)
        drawn.axes[0].set_title(TASK)
        save(drawn, figure)
    said = answer(table)
    if as_json:
        record: dict[str, Any] = {
            "task": TASK,
            "ridge": delta,
            "preparation": _preparation(asked.raw),
            "predictions": table.to_dict("records"),
            "answer": said.to_dict(),
        }
        print_json(finite(record))
        return
    typer.echo(f"{TASK}: is a text the image's own? Chance is 0.5.")
    typer.echo(said.to_text())
    typer.echo()
    typer.echo(_settings(table, delta, asked.raw, training_images))
    typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


def _check_trial(ridge: float | str, *others: int | None) -> None:
    if ridge == "least-risk":
        raise InputError("ridge must be a number or best with --trial, got 'least-risk'")
    if any(other is not None for other in others):
        raise InputError(
            "--test-images, --training-images and --training-sets must be left out with --trial,"
            " whose interval is that of its own images and training sets"
        )


def _preparation(raw: bool) -> str:
    from fusiontheory.data import PREPARATION

    return "features as they are" if raw else PREPARATION


def _settings(
    table: pd.DataFrame, ridge: float | str, raw: bool, training_images: int | None
) -> str:
    """Say what the prediction depends on."""
    chosen = ridge_words(ridge)
    drawn = (
        "no two training pairs share an image or a text"
        if training_images is None
        else f"training pairs drawn from {training_images} images"
    )
    lines = [f"Kernel ridge regression with {chosen}; {drawn}.", f"Features: {_preparation(raw)}."]
    if table["head"].nunique() > 1:
        lines.append(
            "Sure: how likely the sign of the lead is right, were the errors of both heads normal"
            " and independent; the intervals have what the theory was seen to be off by."
        )
    return "\n".join(lines)
