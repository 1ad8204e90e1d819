"""Groups of commands that other packages add to the command line by an entry point.

Only the metadata of installed packages is read, and of them only those in the group
``fusiontheory.commands``; what stands behind a name is imported when the command is called.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any

import typer

from fusiontheory.checks import InputError
from fusiontheory.console import OneLineGroup

__all__ = ["GROUP", "add_installed"]

GROUP = "fusiontheory.commands"
"""Entry points of this group are commands: the name, and a typer app as ``package.module:app``."""


def add_installed(app: typer.Typer) -> None:
    """Add to a command line the commands that installed packages offer.

    Those whose package is not there, as the validation is not in a wheel, are left out of the help
    and say so when they are called.

    >>> add_installed(typer.Typer())
    """
    for one in {point.name: point for point in entry_points(group=GROUP)}.values():
        package = one.module.partition(".")[0]
        app.add_typer(
            typer.Typer(rich_markup_mode=None),
            name=one.name,
            cls=_group_of(one),
            help=f"The commands of the package {package}.",
            hidden=find_spec(package) is None,
            invoke_without_command=True,
            callback=_help_alone,
        )


def _help_alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _group_of(point: EntryPoint) -> type[OneLineGroup]:
    """Return a group whose commands are those of an entry point, loaded when one is asked for."""

    def loaded() -> Any:
        package = point.module.partition(".")[0]
        if find_spec(package) is None:
            raise InputError(
                f"the command {point.name} needs the package {package}, which is not installed"
                " here: it comes with the source, not with the wheel; clone the repository and run"
                " make run, or pip install -e . with its extra of that name"
            )
        return typer.main.get_command(point.load())

    class Installed(OneLineGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return list(loaded().list_commands(ctx))

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            return loaded().get_command(ctx, cmd_name)

    return Installed
