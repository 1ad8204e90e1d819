"""Groups of commands that other packages add to the command line by an entry point.

Only the metadata of installed packages is read, and of them only those in the group
``fusiontheory.commands``; what stands behind a name is imported when the command is called.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from fusiontheory.checks import InputError

__all__ = ["GROUP", "add_installed"]

GROUP = "fusiontheory.commands"
"""Entry points of this group are commands: the name, and a typer app as ``package.module:app``."""

_ANY = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def add_installed(app: typer.Typer) -> None:
    """Add to a command line the commands that installed packages offer.

    Those whose package is not there, as the validation is not in a wheel, are left out of the help
    and say so when they are called.

    >>> add_installed(typer.Typer())
    """
    for one in {point.name: point for point in entry_points(group=GROUP)}.values():
        there = find_spec(one.module.partition(".")[0]) is not None
        help_text = f"The commands of the package {one.module.partition('.')[0]}."
        app.command(one.name, help=help_text, hidden=not there, context_settings=_ANY)(_call(one))


def _call(point: EntryPoint) -> Any:
    def command(
        context: typer.Context,
        arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    ) -> Any:
        package = point.module.partition(".")[0]
        if find_spec(package) is None:
            raise InputError(
                f"the command {point.name} needs the package {package}, which is not installed"
                " here: it comes with the source, not with the wheel; clone the repository and run"
                " make run, or pip install -e . with its extra of that name"
            )
        given = [*(arguments or []), *context.args] or ["--help"]
        path = context.command_path
        return point.load()(given, prog_name=path, standalone_mode=False)

    return command
