"""Options that commands share, and how they print and draw."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fusiontheory.checks import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fusiontheory.data import Reading

__all__ = [
    "TASK",
    "Features",
    "ImageKey",
    "Json",
    "Predicted",
    "Raw",
    "Read",
    "Split",
    "TextKey",
    "check_figure",
    "finite",
    "parse_numbers",
    "parse_ridge",
    "print_json",
    "ridge_words",
    "save",
]

TASK = "Image-text matching"

Features = Annotated[
    list[Path],
    typer.Argument(
        help="A file of image and text vectors, or one of each: .safetensors, .npz, .npy, .pt,"
        " .parquet, .csv, .h5, .h5ad, .h5mu and others."
    ),
]
ImageKey = Annotated[str | None, typer.Option(help="Name of the image array in its file.")]
TextKey = Annotated[str | None, typer.Option(help="Name of the text array in its file.")]
Split = Annotated[
    str | None,
    typer.Option(help="Split to take moments of. [default: train if there are splits]"),
]
Raw = Annotated[
    bool, typer.Option("--raw", help="Take features as they are: do not centre or normalise.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class Read:
    """How features are read from their files."""

    image_key: ImageKey = None
    text_key: TextKey = None
    missing: Annotated[
        str, typer.Option(help="Rows that are zero or not finite: refuse, or drop and count.")
    ] = "refuse"

    def reading(self) -> Reading:
        """Return it as the reader takes it."""
        from fusiontheory.data import Reading

        return Reading(self.image_key, self.text_key, self.missing)


@dataclass(frozen=True)
class Predicted:
    """What is predicted, and what its intervals are of."""

    ridge: Annotated[
        str,
        typer.Option(
            help="delta of K + delta I: a number; best, of each head's highest predicted accuracy"
            " at each n; or least-risk, of least predicted risk."
        ),
    ] = "best"
    split: Split = None
    raw: Raw = False
    test_images: Annotated[
        int | None, typer.Option(help="Widen intervals by the sampling of so many test images.")
    ] = None
    training_sets: Annotated[
        int | None, typer.Option(help="Intervals of a mean over so many training sets.")
    ] = None


def print_json(record: dict[str, Any]) -> None:
    """Print a record as JSON that any parser reads: NaN and infinity are refused."""
    typer.echo(json.dumps(record, indent=2, allow_nan=False))


def finite(value: Any) -> Any:
    """Return the same with null for what JSON does not have: an infinite risk, a missing number.

    >>> finite({"risk": [float("inf"), 1.0]})
    {'risk': [None, 1.0]}
    """
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def check_figure(path: Path | None) -> None:
    """Refuse a format that cannot be written, before any work.

    Raises:
        InputError: if the name does not end in .png, .svg or .pdf.
    """
    if path is not None and path.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"--figure must end in .png, .svg or .pdf, got {path.name!r}")


def save(drawn: Figure, path: Path) -> None:
    """Write a figure under the name that was asked for."""
    from fusiontheory.plotting import save_figure

    save_figure(drawn, path.with_suffix(""), [path.suffix[1:]])


def parse_numbers(name: str, text: str) -> list[float]:
    """Return the numbers of a list with commas.

    Raises:
        InputError: if one is no number.

    >>> parse_numbers("n", "64,256")
    [64.0, 256.0]
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"{name} must be numbers separated by commas, got {text!r}") from error


def parse_ridge(text: str) -> float | Literal["best", "least-risk"]:
    """Return "best", "least-risk", or the number of a text.

    Raises:
        InputError: if it is neither.

    >>> parse_ridge("best"), parse_ridge("0.1")
    ('best', 0.1)
    """
    if text == "best":
        return "best"
    if text == "least-risk":
        return "least-risk"
    try:
        return float(text)
    except ValueError as error:
        raise InputError(
            f"ridge must be a number of at least 0 or 'best' or 'least-risk', got {text!r}"
        ) from error


def ridge_words(ridge: float | str) -> str:
    """Return what was asked for in words.

    >>> ridge_words("best"), ridge_words(0.1)
    ("each head's best ridge at each n", 'ridge 0.1')
    """
    if ridge == "best":
        return "each head's best ridge at each n"
    return (
        "each head's ridge of least risk at each n" if ridge == "least-risk" else f"ridge {ridge:g}"
    )
