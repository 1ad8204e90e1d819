"""The command line ``fusiontheory``: its commands are modules of `fusiontheory.commands`.

Nothing is computed here. A group of commands that another installed package gives under the entry
point group ``fusiontheory.commands`` (such as ``validate`` of the validation) is loaded when it is
called, by that package's own name: the library imports none of them. An `InputError` becomes one
line and status 2 in `fusiontheory.console`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from fusiontheory.commands import COMMANDS, STORE
from fusiontheory.console import application
from fusiontheory.plugins import add_installed

__all__ = ["app"]

app = application(
    "Predict and measure which fusion of two modalities learns from fewer samples.", completion=True
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from fusiontheory import __version__

        typer.echo(f"fusiontheory {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


for _command in COMMANDS:
    app.command()(_command)
app.add_typer(STORE, name="store")
add_installed(app)
