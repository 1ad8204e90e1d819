"""Tables beside those that a study seals: one way to ask for them, and which code made them.

A module such as `experiments.large_n.halves` looks at one more question of a study and writes its
table beside the sealed ones. What its command line gives is read by `arguments`, so that a word
that is not meant ends before anything is made or replaced. `write_side_table` notes in
``side_tables.json`` of the folder which function made the table, in which version, and when.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from fusiontheory.store import check_kept, code_version, write_atomically

__all__ = ["NOTES", "arguments", "check_side_tables", "side_tables", "write_side_table"]

NOTES = "side_tables.json"
"""In a study's folder: by table who made it, the code's version, when, and the table's digest."""


def arguments(
    about: str | None,
    kinds: dict[str, Callable[[str], Any] | tuple[str, ...]] | None = None,
    given: Sequence[str] | None = None,
    **defaults: Any,
) -> list[Any]:
    """Return what a command line gives, in the order of ``kinds``.

    Anything else ends the process with status 2 and a usage.

    Args:
        about: what the module does, its docstring.
        kinds: by the argument's name the function that reads it, or the words that it may be.
        given: words of the command line; those of this process if not given.
        **defaults: of arguments that may be left out.

    Example:
        >>> arguments("Demo.", {"count": int}, ["3"])
        [3]
        >>> arguments("Demo.", {"count": int}, [], count=40)
        [40]
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, kind in (kinds or {}).items():
        rule: dict[str, Any] = {"choices": kind} if isinstance(kind, tuple) else {"type": kind}
        if name in defaults:
            rule |= {"nargs": "?", "default": defaults[name]}
        parser.add_argument(name, **rule)
    return list(vars(parser.parse_args(given)).values())


def write_side_table(
    path: Path, table: pd.DataFrame, made_by: Callable[..., Any], float_format: str | None = "%.6g"
) -> None:
    """Write a table and note beside it which code made it.

    Args:
        path: of the table, in the folder of its study.
        table: its rows; the index is left out.
        made_by: the public function that computes them.
        float_format: of its numbers; None: all their digits.

    Raises:
        InputError: if the table would hold less than the one that is there.
    """
    check_kept(path.parent, {path.stem: table})
    text = table.to_csv(index=False, float_format=float_format, lineterminator="\n").encode()
    write_atomically(path, text)
    notes = _notes(path.parent)
    notes[path.name] = {
        "made_by": f"{_module(made_by)}:{made_by.__name__}",
        "code": code_version(made_by),
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "digest": _digest(text),
    }
    text = (json.dumps(notes, indent=1, sort_keys=True) + "\n").encode()
    write_atomically(path.parent / NOTES, text)


def side_tables(folder: Path) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield the name of each side table of a study, its facts, and the code's version now.

    Tables of code that is gone have no ``made_by``, and no version.
    """
    for name, facts in _notes(folder).items():
        module, _, function = facts.get("made_by", "").partition(":")
        made_by = getattr(import_module(module), function) if module else None
        yield name, facts, "" if made_by is None else code_version(made_by)


def check_side_tables(folder: Path) -> list[str]:
    """Return what is wrong: tables that are not as noted, and notes of tables that are gone."""
    wrong = []
    for name, facts in _notes(folder).items():
        path = folder / name
        if not path.exists():
            wrong.append(f"{path} is noted and not there")
        elif _digest(path.read_bytes()) != facts["digest"]:
            wrong.append(f"{path} is not the table that was written")
    return wrong


def _notes(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / NOTES
    notes: dict[str, dict[str, str]] = json.loads(path.read_bytes()) if path.exists() else {}
    return notes


def _module(function: Callable[..., Any]) -> str:
    """Return the name of a function's module, its own where it is run as a script."""
    if function.__module__ != "__main__":
        return function.__module__
    spec = sys.modules["__main__"].__spec__
    return spec.name if spec else "__main__"


def _digest(text: bytes) -> str:
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()
