"""The command ``fusiontheory advise``: files in, advice in the terminal, as JSON, as a page."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusiontheory.checks import InputError
from fusiontheory.commands.options import ImageKey, Json, TextKey
from fusiontheory.console import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fusiontheory.advice import Advice
    from fusiontheory.data import Reading
    from fusiontheory.typing import AnyArray

__all__ = ["advise"]


@dataclass(frozen=True)
class Question:
    """What the choice is for, what it is chosen from, and how it is found."""

    target_n: Annotated[
        int | None, typer.Option(help="Number of items that the choice is for.")
    ] = None
    target_accuracy: Annotated[
        float | None, typer.Option(help="Wanted, 0.9 for 90 %; also balanced accuracy or R^2.")
    ] = None
    task: Annotated[str, typer.Option(help="auto, classification or regression.")] = "auto"
    head: Annotated[
        list[str] | None, typer.Option(help="Fusion to choose from; repeat. [default: all]")
    ] = None
    tolerance: Annotated[
        float, typer.Option(help="Difference in the metric that does not matter.")
    ] = 0.005
    missing: Annotated[
        str, typer.Option(help="Rows that are zero or not finite: drop and count, or refuse.")
    ] = "drop"
    verify: Annotated[bool, typer.Option("--verify", help="Hold items out, measure, compare.")] = (
        False
    )
    device: Annotated[
        str | None,
        typer.Option(help="Of --verify: cpu, cuda, cuda:1 or auto. [default: NumPy]"),
    ] = None
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0

    def settings(self) -> dict[str, Any]:
        """Return them as `fusiontheory.advise` takes them."""
        asked = dict(vars(self))
        heads = asked.pop("head") or None
        return {**asked, "heads": heads}


@dataclass(frozen=True)
class Outputs:
    """Where the advice goes besides the terminal."""

    page: Annotated[Path | None, typer.Option(help="Write an HTML page: .html.")] = None
    figures: Annotated[
        Path | None, typer.Option(help="Write the figures as PNG and SVG into this folder.")
    ] = None

    def check(self) -> None:
        """Refuse what cannot be written before any work."""
        page, figures = self.page, self.figures
        if page is not None:
            if page.suffix not in (".html", ".htm"):
                raise InputError(f"--page must end in .html, got {page.name!r}")
            if not page.parent.is_dir():
                raise InputError(
                    f"--page must be in a folder that is there, got {page}; make it first"
                )
        if figures is not None and figures.exists() and not figures.is_dir():
            raise InputError(f"--figures must be a folder, got the file {figures}")

    def write(self, advice: Advice) -> list[Path]:
        """Write what was asked for, and return where it is."""
        if self.page is not None:
            advice.write_page(self.page)
        if self.figures is not None:
            advice.write_figures(self.figures)
        return [path for path in (self.page, self.figures) if path is not None]


@grouped
def advise(
    features: Annotated[
        list[Path],
        typer.Argument(
            help="A file of both modalities' vectors, or one of each (IMAGE TEXT): .npz, .npy,"
            " .csv, .parquet, .safetensors, .h5ad and others."
        ),
    ],
    *,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Labels: a .npy file, FILE:COLUMN of a table or .npz, or the name of a column or"
            " array in the features' file. Without labels the task is image-text matching."
        ),
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="Items that belong together; given as labels are.")
    ] = None,
    question: Question,
    image_key: ImageKey = None,
    text_key: TextKey = None,
    outputs: Outputs,
    as_json: Json = False,
) -> None:
    """Say which fusion to choose, and how sure that is. From labelled pairs, or from pairs alone.

    \b
    Examples:
        fusiontheory advise features.npz
        fusiontheory advise image.npy text.npy --labels items.csv:kind
        fusiontheory advise features.npz --page advice.html
    """
    outputs.check()
    from fusiontheory.advice import advise as ask
    from fusiontheory.data import Reading

    reading = Reading(image_key, text_key, question.missing)
    read = _labelled if labels is not None else _matching
    image, text, ids = read(features, reading)
    settings = question.settings()
    for name, source in (("y", labels), ("groups", groups)):
        settings[name] = None if source is None else _column(name, source, features, ids)
    advice = ask(image, text, **settings)
    written = outputs.write(advice)
    if as_json:
        typer.echo(advice.to_json())
        return
    from rich.console import Console

    from fusiontheory.advice import print_summary

    print_summary(advice, Console())
    for path in written:
        typer.echo(f"written: {path}")


def _labelled(
    files: list[Path], reading: Reading
) -> tuple[AnyArray, AnyArray, Sequence[str] | None]:
    """Return the rows as they stand in the files, as labels stand beside them, and their names."""
    from fusiontheory.data import read_rows

    with warnings.catch_warnings():
        # The reader says of labels that they are not used; here they are.
        warnings.filterwarnings("ignore", message=".*not used; the task is image-text matching")
        rows, _ = read_rows(files, reading)
    names = rows.image_ids, rows.text_ids
    if None not in names and list(names[0] or ()) != list(names[1] or ()):
        raise InputError(
            "features must have their rows in one order, as labels stand beside rows; the names of"
            " the two sides differ"
        )
    if rows.split is not None and "test" in rows.split:
        warnings.warn(
            f"split of {rows.where} is not used: labelled items of all splits are taken,"
            f" {list(rows.split).count('test')} of them of test; leave those out of the file, to"
            " choose without them",
            stacklevel=2,
        )
    return rows.image, rows.text, rows.image_ids


def _matching(files: list[Path], reading: Reading) -> tuple[AnyArray, AnyArray, None]:
    """Return images with their texts; those to train on, where the file has splits."""
    from fusiontheory.data import read_features

    features = read_features(files, reading)
    rows = features.rows() if features.split is None else features.rows("train")
    return features.image[rows], features.text[rows], None


def _column(name: str, source: str, beside: list[Path], ids: Sequence[str] | None) -> AnyArray:
    from fusiontheory.data import read_column

    return read_column({"y": "--labels"}.get(name, f"--{name}"), source, beside, ids)
