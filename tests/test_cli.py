"""The command line: three forms of output, one line and status 2 for whatever is wrong."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fusiontheory import console
from fusiontheory.checks import InputError
from fusiontheory.cli import app
from fusiontheory.console import OneLineCommand, application, progress_bar
from fusiontheory.symbolic import Orders

GIVEN = ["orders", "--d-v", "512", "--d-t", "512", "--eps-concat", "0.2", "--eps-attention", "0.1"]


def run(*arguments: str, command_line: typer.Typer = app) -> Any:
    return CliRunner().invoke(command_line, list(arguments))


def refuse_constant(token: str) -> None:
    raise AssertionError(f"{token} is no JSON")


def test_text_is_that_of_the_library() -> None:
    result = run(*GIVEN)
    assert result.exit_code == 0
    assert result.stdout == Orders(512, 512, 1, 0.2, 0.1).to_text() + "\n"
    assert "= 256\n" in result.stdout


def test_latex_is_that_of_the_library() -> None:
    result = run(*GIVEN, "--latex", "--rank", "8", "--rate", "slow", "--constant", "0.5")
    assert result.exit_code == 0
    assert result.stdout == Orders(512, 512, 0.5, 0.2, 0.1, 8, "slow").to_latex() + "\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (GIVEN, 2611200.0),
        (["orders"], None),
        (["orders", "--eps-concat", "0.1", "--eps-attention", "0.1"], None),
    ],
)
def test_json_parses_without_nan_or_infinity(arguments: list[str], expected: float | None) -> None:
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout, parse_constant=refuse_constant)
    assert record["dimension_ratio"] == 256.0
    assert record["crossover"] == (None if expected is None else pytest.approx(expected))
    assert expected is not None or record["verdict"].split(":")[0] in ("never", "not known")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--d-v", "0"], ["d_v", "at least 1", "got 0"]),
        (["--d-t", "-5"], ["d_t", "at least 1", "got -5"]),
        (["--d-v", "1.5"], ["--d-v", "integer"]),
        (["--d-v", "many"], ["--d-v", "integer"]),
        (["--d-v"], ["--d-v"]),
        (["--rank", "513"], ["rank", "at most min(d_v, d_t) = 512", "got 513"]),
        (["--rank", "0"], ["rank", "at least 1", "got 0"]),
        (["--constant", "-1"], ["constant", "at least 0", "got -1"]),
        (["--constant", "inf"], ["constant", "finite", "got inf"]),
        (["--eps-concat", "-0.1", "--eps-attention", "0"], ["eps_concat", "at least 0", "-0.1"]),
        (["--eps-concat", "0", "--eps-attention", "nan"], ["eps_attention", "finite", "got nan"]),
        (["--eps-concat", "0.1"], ["eps_concat and eps_attention", "together", "0.1 and None"]),
        (["--rate", "medium"], ["rate", "fast, slow", "'medium'"]),
        (["--json", "--latex"], ["--json and --latex", "exclude each other"]),
        (["--depth", "3"], ["--depth"]),
        (["extra"], ["extra"]),
    ],
)
def test_bad_input_takes_one_line_and_status_2(arguments: list[str], parts: list[str]) -> None:
    result = run("orders", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr


def test_unknown_command_takes_one_line_and_status_2() -> None:
    result = run("order")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1


def test_help_lists_every_command_and_is_shown_without_arguments() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "orders" in result.stdout
    assert run().stdout == result.stdout
    assert run().exit_code == 0
    assert "--eps-concat" in run("orders", "--help").stdout


def test_version() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("fusiontheory ")


def test_module_runs_and_answers_help_without_sympy() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "fusiontheory", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "orders" in done.stdout
    assert "sympy" not in done.stderr


def test_module_fails_in_one_line() -> None:
    command = [sys.executable, "-m", "fusiontheory", "orders", "--d-v", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "error: d_v must be at least 1, got 0\n"


class OutOfMemoryError(RuntimeError):
    """As PyTorch names its own."""


def single(error: BaseException | None, status: int | None = None) -> typer.Typer:
    command_line = application("One command.")

    @command_line.command(cls=OneLineCommand)
    def only(size: int = 1) -> int | None:
        if error is not None:
            raise error
        return status

    return command_line


def test_a_command_line_of_one_command_has_the_same_errors() -> None:
    broken = single(InputError("size must be even, got 1;\n  double it"))
    result = run(command_line=broken)
    assert result.exit_code == 2
    assert result.stderr == "error: size must be even, got 1; double it\n"
    full = run(command_line=single(OutOfMemoryError("CUDA out of memory. Tried to allocate")))
    assert full.exit_code == 2
    assert full.stderr.startswith("error: the device has too little memory for this; what is done")
    assert full.stderr.count("\n") == 1
    for error, line in (
        (ModuleNotFoundError("needs x: pip install 'y[x]'"), "needs x: pip install 'y[x]'"),
        (ModuleNotFoundError("No module named 'x'", name="x"), "this needs the package x, which"),
    ):
        without = run(command_line=single(error))
        assert without.exit_code == 2
        assert without.stderr.startswith(f"error: {line}")
        assert without.stderr.count("\n") == 1
    usage = run("--size", "x", command_line=single(None))
    assert usage.exit_code == 2
    assert usage.stderr.count("\n") == 1


def test_the_shell_completes_commands_and_options() -> None:
    for words, expected in (
        ("fusiontheory pre", "predict"),
        ("fusiontheory predict --he", "--head"),
    ):
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        asked["_FUSIONTHEORY_COMPLETE"] = "complete_bash"
        result = CliRunner().invoke(app, [], env=asked, prog_name="fusiontheory")
        assert result.stdout.split()[0] == expected


def test_a_warning_is_said_once_a_run() -> None:
    command_line = application("One command.")

    @command_line.command(cls=OneLineCommand)
    def only() -> None:
        for size in (1, 2, 1):
            with warnings.catch_warnings():  # which makes Python forget what was said
                warnings.simplefilter("always")
                warnings.warn(f"{size} is small", stacklevel=1)

    for _ in range(2):
        said = run(command_line=command_line).stderr
        assert said == "warning: 1 is small\nwarning: 2 is small\n"


def test_status_of_a_command() -> None:
    assert run(command_line=single(None)).exit_code == 0
    assert run(command_line=single(None, status=1)).exit_code == 1
    assert run(command_line=single(typer.Exit(3))).exit_code == 3
    aborted = run(command_line=single(typer.Abort()))
    assert (aborted.exit_code, aborted.stderr) == (1, "error: aborted\n")


def test_a_warning_that_is_to_be_an_error_is_one_line() -> None:
    result = run(command_line=single(UserWarning("this is small")))
    assert result.exit_code == 2
    assert result.stderr == "error: a warning, and they are asked to be errors: this is small\n"


def test_a_line_is_neither_coloured_nor_flooded_by_what_it_names() -> None:
    said = run(command_line=single(InputError("no \x1b[31m" + "k" * 10**5 + " here"))).stderr
    assert said.startswith("error: no \\x1b[31mkkk")
    assert said.endswith("kkk here\n")
    assert len(said) < 2100


def test_closed_streams_are_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with progress_bar() as bar:
        list(bar.track(range(1)))
    for error in (None, InputError("wrong")):
        monkeypatch.setattr(
            sys, "stdout", None
        )  # as Python has it where file descriptor 1 is closed
        with pytest.raises(SystemExit, match="2"):
            single(error)([], prog_name="tool")


def test_a_bug_is_not_dressed_up_as_bad_input() -> None:
    result = run(command_line=single(ZeroDivisionError("a bug")))
    assert isinstance(result.exception, ZeroDivisionError)


def test_progress_is_silent_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for colour in ("1", ""):
        monkeypatch.setenv("FORCE_COLOR", colour)
        with progress_bar() as bar:
            assert list(bar.track(range(3), description="draws")) == [0, 1, 2]
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_examples_run() -> None:
    results = doctest.testmod(console)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_standard_output_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fusiontheory", "orders"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert "cannot write" in done.stderr or "No space" in done.stderr
    assert len(done.stderr.splitlines()) == 1
