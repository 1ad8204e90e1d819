"""Every command of docs/gpu.md is one that this project has, with options that it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

pytest.importorskip("torch")

from fusiontheory.cli import app as library
from validation.__main__ import app as validation
from validation.clip.__main__ import app as clip
from validation.gpu.__main__ import app as gpu

ROOT = Path(__file__).resolve().parents[2]
LINES = [
    line.strip().partition(" #")[0].strip()
    for line in (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("    ")
]
TARGETS = {"gpu": gpu, "clip": clip}


def parsed(app: typer.Typer, words: list[str]) -> list[str]:
    """Parse a command line without running it, and return what is none of its options."""
    command = typer.main.get_command(app)
    commands = getattr(command, "commands", None)
    if commands is not None:
        command, words = commands[words[0]], words[1:]
    context = command.make_context(command.name, words)
    return list(context.args)


def test_the_guide_has_commands_of_every_kind() -> None:
    for start in ("make gpu", "make clip", "python -m validation ", "fusiontheory "):
        assert any(line.startswith(start) for line in LINES), start


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_targets_are_there_with_their_options(line: str) -> None:
    target, *settings = shlex.split(line)[1:]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    given = dict(setting.split("=", 1) for setting in settings)
    assert parsed(TARGETS[target], shlex.split(given.get("ARGS", ""))) == []


@pytest.mark.parametrize("line", [one for one in LINES if "-m validation " in f"{one} "])
def test_commands_of_validation_are_there_with_their_options(line: str) -> None:
    words = shlex.split(line)
    rest = parsed(validation, words[words.index("validation") + 1 :])
    # What launch does not know it hands on to study.
    assert not rest or "launch" in words
    assert parsed(validation, ["study", *rest]) == []


@pytest.mark.parametrize("line", [one for one in LINES if one.startswith("fusiontheory ")])
def test_commands_of_the_library_are_there_with_their_options(line: str) -> None:
    assert parsed(library, shlex.split(line)[1:]) == []
