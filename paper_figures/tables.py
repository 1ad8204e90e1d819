"""Stored tables, read and named in captions; figures written with the caption beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from fusiontheory.checks import InputError
from fusiontheory.console import OneLineCommand, application
from fusiontheory.plotting import save_figure
from fusiontheory.store import check_writable, write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLUMN", "DRAWN", "PAGE", "RUN_TRAINED", "Tables", "command", "for_setting", "seeds_of"]

COLUMN, PAGE = 3.5, 7.2
"""Inches: one column of a page of two, and the page."""

DRAWN = ("png", "svg", "pdf")

RUN_TRAINED = "python -m validation trained, then trained-report --out docs/results/trained"
"""What makes the tables of trained heads."""


@dataclass
class Tables:
    """Reads stored tables below a folder, and remembers which for the caption.

    Attributes:
        root: the folder.
        missing: names of what a figure wants and the tables do not have; a figure adds to it.
    """

    root: Path
    missing: list[str] = field(default_factory=list)
    _digests: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, columns: Sequence[str], run: str) -> pd.DataFrame:
        """Return a CSV table.

        Args:
            name: path below the root.
            columns: that it must have.
            run: what makes the table, for the message.

        Raises:
            InputError: if the file cannot be read, or lacks a column or any row.
        """
        try:
            table = pd.read_csv(self.root / name)
        except (OSError, ValueError) as error:
            raise self._unreadable(name, error, run) from error
        lacking = [column for column in columns if column not in table]
        if lacking or table.empty:
            what = f"the columns {', '.join(lacking)}" if lacking else "at least one row"
            raise InputError(f"results: {self.root / name} must have {what}; run {run}")
        self._note(name)
        return table

    def names(self, name: str, run: str) -> list[str]:
        """Return a JSON list of names, such as the cells that were not run.

        Raises:
            InputError: if the file cannot be read or holds something else.
        """
        try:
            names = json.loads((self.root / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._unreadable(name, error, run) from error
        if not isinstance(names, list) or not all(isinstance(entry, str) for entry in names):
            raise InputError(f"results: {self.root / name} must hold a list of names; run {run}")
        self._note(name)
        return names

    def facts(self, name: str, keys: Sequence[str], run: str) -> dict[str, Any]:
        """Return a JSON object.

        Raises:
            InputError: if the file cannot be read, or lacks a key.
        """
        try:
            facts = json.loads((self.root / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._unreadable(name, error, run) from error
        lacking = [key for key in keys if not isinstance(facts, dict) or key not in facts]
        if lacking:
            what = ", ".join(lacking)
            raise InputError(f"results: {self.root / name} must have {what}; run {run}")
        self._note(name)
        return dict(facts)

    def write(self, figure: Figure, out: Path, name: str, caption: str) -> list[Path]:
        """Write the figure as PNG, SVG and PDF, and its caption with sources and what is missing.

        Raises:
            InputError: if ``out`` cannot be written to.
        """
        files = save_figure(figure, out / name, DRAWN)
        sources = ", ".join(f"{file} (SHA-256 {digest})" for file, digest in self._digests.items())
        lines = [caption, f"Drawn from {sources}."]
        if self.missing:
            lines.append(f"Missing, in whole or in part ({len(self.missing)}):")
            lines += [f"- {entry}" for entry in self.missing]
        text = "\n".join(lines) + "\n"
        return [*files, write_atomically(out / f"{name}.txt", text.encode())]

    def _note(self, name: str) -> None:
        data = (self.root / name).read_bytes()
        self._digests[name] = hashlib.sha256(data).hexdigest()[:12]

    def _unreadable(self, name: str, error: Exception, run: str) -> InputError:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        return InputError(f"results: cannot read {self.root / name}: {reason}; run {run}")


def for_setting(table: pd.DataFrame, setting: str = "published") -> pd.DataFrame:
    """Return the rows of a setting of hyper-parameters; tables without the column are "published".

    >>> for_setting(pd.DataFrame({"n": [1, 2], "setting": ["published", "tuned"]}))["n"].tolist()
    [1]
    """
    if "setting" not in table:
        return table if setting == "published" else table.iloc[:0]
    return table[table["setting"].astype(str).str.startswith(setting)]


def seeds_of(table: pd.DataFrame) -> str:
    """Return how many seeds the rows of a table rest on, in words.

    >>> seeds_of(pd.DataFrame({"seeds": [1, 5]})), seeds_of(pd.DataFrame({"seeds": [5, 5]}))
    ('1 to 5 seeds', '5 seeds')
    """
    if table.empty:
        return "no seeds"
    low, high = table["seeds"].min(), table["seeds"].max()
    return f"{high} seeds" if low == high else f"{low} to {high} seeds"


def command(draw: Callable[[Path, Path], list[Path]], what: str) -> typer.Typer:
    """Return the command line of a figure.

    Args:
        draw: takes the folder of the project and the folder of the figures.
        what: the help.
    """
    app = application(what)

    @app.command(cls=OneLineCommand, help=what)
    def main(
        root: Annotated[Path, typer.Option(help="Folder of docs/ and experiments/.")] = Path(),
        out: Annotated[Path, typer.Option(help="Folder for the figures.")] = Path("docs/figures"),
    ) -> None:
        check_writable("out", out)
        say(draw(root, out))

    return app


def say(paths: Iterable[Path]) -> None:
    """Print paths, one a line."""
    for path in paths:
        typer.echo(path)
