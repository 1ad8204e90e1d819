"""A whole table of a page, from a stored table, by the comment above it.

The comment has five or six parts with semicolons between: the table and the rows, as in
`numbers_of_tables`; the columns whose values name the lines; the column whose values name the
columns, or nothing; what stands in a cell; and how names are written in the page::

    <!-- cells: experiments/rank/results.csv; n > 64; head; n; {risk.mean():.2f}; head=Head -->
    | ... |
    <!-- end of cells -->

What stands in a cell is text with ``{expression:format}`` in it, each one number of the cell's
rows. Without a column across there are several such texts, with ``|`` between and each after its
heading:
``mean error = {error.abs().mean():.2f} | largest = {error.abs().max():.1f}``. A cell without
rows is a dash.
"""

from __future__ import annotations

import re

import pandas as pd
from numbers_of_tables import in_folder, rows_of, value_of, written

_FIELD = re.compile(r"\{([^{}]+):([^{}:]*)\}")


def cells(place: str, folder: str = "") -> str:
    """Return the lines of a table.

    Args:
        place: what stands in its comment, after ``cells:``.
        folder: of the page.

    Raises:
        ValueError: the place does not have five or six parts, or a heading is there twice.
    """
    parts = [" ".join(part.split()) for part in place.split(";")]
    if len(parts) not in (5, 6):
        raise ValueError(f"{place!r} has {len(parts)} parts, not 5 or 6.")
    name, rows, down, across, cell, *rest = parts
    names = _names(rest[0] if rest else "")
    table = rows_of(in_folder(name, folder), rows)
    keys = [key.strip() for key in down.split(",")]
    texts = {"": cell} if across else _headed(cell)
    columns = list(table[across].unique()) if across else list(texts)
    head = [*(names.get(key, key) for key in keys), *(_named(one, names) for one in columns)]
    lines = [head, ["---"] * len(head)]
    by = [*keys, across] if across else keys
    groups = dict(list(table.groupby(by, sort=False, dropna=False)))
    for key in dict.fromkeys(group[: len(keys)] for group in groups):
        wanted = (
            ((key, texts[one]) for one in columns)
            if not across
            else (((*key, one), cell) for one in columns)
        )
        lines.append(
            [
                *(_named(part, names) for part in key),
                *(_cell(groups.get(place), text) for place, text in wanted),
            ]
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(rows: pd.DataFrame | None, text: str) -> str:
    if rows is None:
        return "–"
    return _FIELD.sub(lambda found: written(value_of(rows, found[1]), found[2]), text)


def _headed(text: str) -> dict[str, str]:
    found = [part.rsplit(" = ", 1) for part in text.split(" | ")]
    if len({head for head, _ in found}) < len(found):
        raise ValueError(f"{text!r} has a heading twice.")
    return {head.strip(): cell.strip() for head, cell in found}


def _names(text: str) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in text.split(", ") if part)
    return {old.strip(): new.strip() for old, new in pairs}


def _named(value: object, names: dict[str, str]) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return names.get(text, text)
