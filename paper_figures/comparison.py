"""Draw the comparison at column width: ``python -m paper_figures.comparison --report report``.

Nothing is computed and nothing is trained: everything drawn stands in the tables of the report.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from fusiontheory.checks import InputError
from fusiontheory.console import OneLineCommand, application
from fusiontheory.plotting import plot_comparison, save_figure
from fusiontheory.store import check_writable, write_atomically

__all__ = ["draw"]

COLUMN_WIDTH = 3.5
"""Inches: one column of a page of two."""

_TABLES = ("comparison.csv", "curves.csv")

app = application("Draw the figures for print from the tables of a report.")


def draw(report: Path, out: Path, width: float = COLUMN_WIDTH) -> list[Path]:
    """Write ``comparison.png``, ``.svg``, ``.pdf`` and ``comparison.txt``, the caption.

    Args:
        report: folder that `validation.kernel.report.write_report` wrote.
        out: folder for the figures, made if need be.
        width: of the figure, in inches; panels stack below 5.

    Returns:
        The files written.

    Raises:
        InputError: if ``out`` cannot be written to or a table cannot be read.
    """
    check_writable("out", out)
    comparison, curves = (_read(report / name) for name in _TABLES)
    figure = plot_comparison(comparison, curves, width)
    files = save_figure(figure, out / "comparison", ("png", "svg", "pdf"))
    caption = _caption(comparison, [report / name for name in _TABLES])
    return [*files, write_atomically(out / "comparison.txt", caption.encode())]


@app.command(cls=OneLineCommand)
def main(
    report: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("report"),
    out: Annotated[Path, typer.Option(help="Folder for the figures.")] = Path("docs/figures"),
    width: Annotated[float, typer.Option(help="Inches.")] = COLUMN_WIDTH,
) -> None:
    """Draw the comparison of predicted and measured accuracy, at column width if not told."""
    for path in draw(report, out, width):
        typer.echo(path)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"report: cannot read {path}: {reason}; write the report first") from error


def _caption(comparison: pd.DataFrame, tables: list[Path]) -> str:
    sizes, seeds = comparison["n"], comparison["seeds"]
    runs = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    # Digests of the tables say which report it was; its page says how that one was made.
    sources = ", ".join(
        f"{path.name} (SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:12]})"
        for path in tables
    )
    return (
        "Accuracy of image-text matching against the number of training pairs, "
        f"n = {sizes.min()} to {sizes.max()}, on {' and '.join(comparison['condition'].unique())} "
        "features. Lines and bands: predicted, no fitted parameter. Points: measured, mean and "
        f"95 % interval over {runs} seeds. Dashed: chance.\n"
        f"Drawn from the report's {sources}; {len(comparison)} measured cells.\n"
    )


if __name__ == "__main__":
    app()
