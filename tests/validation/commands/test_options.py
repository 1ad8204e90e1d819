"""Every command's options are those on file, and groups of options become a command's own."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest
import typer
from typer.models import ArgumentInfo
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.console import OneLineCommand, application, grouped
from validation.__main__ import app

ROOT = Path(__file__).parents[3]
LISTED = Path(__file__).with_name("options.txt")


def listed(application: typer.Typer) -> Iterator[str]:
    """Yield a line for each command, and one for each of its parameters, sorted."""
    for command in application.registered_commands:
        function = command.callback
        assert function is not None
        name = command.name or function.__name__.replace("_", "-")
        # Examples, which follow the first sentence, are no options.
        yield f"{name}: {(inspect.getdoc(function) or '').partition(chr(10) * 2)[0]}"
        hints = get_type_hints(function, include_extras=True)
        lines = []
        for parameter in inspect.signature(function).parameters.values():
            hint = hints[parameter.name]
            if get_origin(next(iter(get_args(hint)), None)) is Annotated:
                hint = get_args(hint)[0]  # Python 3.10 takes a default of None for another type
            kind, *told = get_args(hint) or (hint,)
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


# Groups


@dataclass(frozen=True)
class Numbers:
    """Settings that one command needs together."""

    sizes: Annotated[str, typer.Option(help="Sizes.")]
    seeds: Annotated[int, typer.Option("--seeds", "-s", help="Seeds.")] = 10
    strict: Annotated[bool, typer.Option("--strict", help="Be strict.")] = False

    def __post_init__(self) -> None:
        """Check the seeds."""
        if self.seeds < 1:
            raise InputError(f"seeds must be at least 1, got {self.seeds}")


@dataclass(frozen=True)
class More(Numbers):
    """The same, and names."""

    name: Annotated[list[str] | None, typer.Option(help="Names; repeat it.")] = None


def said(*arguments: str) -> tuple[int, str]:
    """Run a command of one group that prints what it got."""
    command_line = application("Count.")

    @command_line.command(cls=OneLineCommand)
    @grouped
    def count(
        context: typer.Context,
        folder: Annotated[str, typer.Argument(help="Folder.")],
        numbers: More,
        quiet: Annotated[bool, typer.Option("--quiet", help="Say less.")] = False,
    ) -> None:
        """Count what is there."""
        typer.echo(f"{folder} {numbers} {quiet} {context.info_name}")

    result = CliRunner().invoke(command_line, list(arguments))
    return result.exit_code, result.output


def test_a_group_becomes_options_and_is_built_again() -> None:
    whole = said("here", "--sizes", "4,8", "-s", "3", "--strict", "--name", "a", "--name", "b")
    numbers = More(sizes="4,8", seeds=3, strict=True, name=["a", "b"])
    assert whole == (0, f"here {numbers} False count\n")
    # What is not given has the default of the field.
    assert said("here", "--sizes", "4", "--quiet") == (0, f"here {More(sizes='4')} True count\n")


def test_help_of_a_group_is_that_of_its_fields() -> None:
    status, text = said("--help")
    assert status == 0
    for words in ("--sizes", "[required]", "--seeds", "-s", "[default: 10]", "Names; repeat it."):
        assert words in text
    assert "numbers" not in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "sizes"),  # a field without default must be given
        (("--sizes", "4", "--seeds", "0"), "seeds must be at least 1, got 0"),
        (("--sizes", "4", "--seeds", "a"), "--seeds"),
        (("--sizes", "4", "--size", "4"), "--size"),
    ],
)
def test_refusals_of_a_group_take_one_line(options: tuple[str, ...], words: str) -> None:
    status, text = said("here", *options)
    assert (status, text.count("\n")) == (2, 1), text
    assert words in text


def test_one_name_twice_is_refused() -> None:
    def count(numbers: Numbers, more: More, seeds: int = 1) -> None:
        """Have all of them twice, and seeds three times."""

    with pytest.raises(TypeError, match="count has seeds, sizes, strict twice among its options"):
        grouped(count)


def test_a_grouped_function_is_called_with_options() -> None:
    @grouped
    def count(numbers: Numbers, times: int = 2) -> object:
        """Return what it got."""
        return numbers, times

    assert count(sizes="1", times=3) == (Numbers("1"), 3)
    assert count.__name__ == "count"
    assert get_type_hints(count) == {"sizes": str, "seeds": int, "strict": bool, "times": int}
    with pytest.raises(TypeError, match="sizes"):
        count()


def test_commands_have_few_parameters() -> None:
    """Options come in groups: no function of the rooms that commands are made of has many."""
    wrong = []
    for room in ("commands", "pipeline", "extract", "kernel"):
        for path in sorted((ROOT / "validation" / room).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef):
                    count = len(node.args.args) + len(node.args.kwonlyargs)
                    wrong += [f"{path.name}: {node.name} has {count}"] if count > 8 else []
    assert not wrong, "\n".join(wrong)


def test_the_command_line_starts_without_the_study() -> None:
    """A command imports what it needs; before that nothing of validation but commands is there."""
    code = "import sys, validation.__main__; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    loaded = [name for name in done.stdout.split() if name.startswith("validation.")]
    assert loaded
    rooms = {name.split(".")[1] for name in loaded}
    assert rooms == {"__main__", "commands"}
