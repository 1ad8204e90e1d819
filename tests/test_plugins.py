"""Commands of other packages: called by an entry point, left alone where the package is missing."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest
import typer
from typer.testing import CliRunner

from fusiontheory import plugins
from fusiontheory.console import application


def command_line(monkeypatch: pytest.MonkeyPatch, target: str) -> typer.Typer:
    point = EntryPoint("validate", target, plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    app = application("Base.", completion=True)

    @app.callback()
    def nothing() -> None:
        pass

    plugins.add_installed(app)
    return app


def test_the_command_of_an_installed_package_takes_its_own_options(monkeypatch) -> None:
    app = command_line(monkeypatch, "validation.__main__:app")
    result = CliRunner().invoke(app, ["validate", "run", "--help"])
    assert result.exit_code == 0
    assert "--test-pairs" in result.stdout
    assert "arrays" in CliRunner().invoke(app, ["validate"]).stdout
    assert "validate" in CliRunner().invoke(app, ["--help"]).stdout


def test_the_shell_completes_its_commands_and_their_options(monkeypatch) -> None:
    app = command_line(monkeypatch, "validation.__main__:app")
    for words, expected in (("base validate ar", "arrays"), ("base validate run --se", "--seeds")):
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        asked["_BASE_COMPLETE"] = "complete_bash"
        result = CliRunner().invoke(app, [], env=asked, prog_name="base")
        assert result.stdout.split()[0] == expected


def test_its_errors_take_one_line_and_status_2(monkeypatch) -> None:
    app = command_line(monkeypatch, "validation.__main__:app")
    result = CliRunner().invoke(app, ["validate", "run", "--seeds", "0"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "seeds must be at least 1, got 0" in result.stderr


def test_a_package_that_is_missing_says_so_when_it_is_called(monkeypatch) -> None:
    app = command_line(monkeypatch, "no_such_package.main:app")
    assert "validate" not in CliRunner().invoke(app, ["--help"]).stdout
    result = CliRunner().invoke(app, ["validate", "run"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "needs the package no_such_package, which is not installed" in result.stderr


def test_nothing_of_the_package_is_loaded_for_the_help(monkeypatch) -> None:
    app = command_line(monkeypatch, "json.no_such_module:app")
    assert CliRunner().invoke(app, ["--help"]).exit_code == 0
