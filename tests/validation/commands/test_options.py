"""Every command's options are those on file, and groups of options become a command's own."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import typer
from typer.models import ArgumentInfo

from validation.__main__ import app

LISTED = Path(__file__).with_name("options.txt")


def listed(application: typer.Typer) -> Iterator[str]:
    """Yield a line for each command, and one for each of its parameters, sorted."""
    for command in application.registered_commands:
        function = command.callback
        assert function is not None
        name = command.name or function.__name__.replace("_", "-")
        yield f"{name}: {inspect.getdoc(function)}"
        hints = get_type_hints(function, include_extras=True)
        lines = []
        for parameter in inspect.signature(function).parameters.values():
            kind, *told = get_args(hints[parameter.name]) or (hints[parameter.name],)
            if kind is typer.Context:
                continue
            (info,) = told
            # typer keeps the first name of an option in the place of its default.
            names = [n for n in (info.default, *(info.param_decls or ())) if isinstance(n, str)]
            argument = isinstance(info, ArgumentInfo)
            shown = names or [("" if argument else "--") + parameter.name.replace("_", "-")]
            required = parameter.default is inspect.Parameter.empty
            default = "required" if required else f"{parameter.default!s}"
            type_ = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
            type_ = type_.replace("pathlib.", "")
            lines.append(f"  {' '.join(shown)} <{type_}> [{default}] {info.help}")
        yield from sorted(lines)


def test_options_are_those_on_file() -> None:
    assert list(listed(app)) == LISTED.read_text(encoding="utf-8").splitlines()
