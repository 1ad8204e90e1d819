"""The page of mutants: what was tried, what survived, and why the equivalent ones do."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

REASONS: dict[str, str] = json.loads(
    Path(__file__).with_name("equivalent.json").read_text(encoding="utf-8")
)
"""Why mutants that survive cannot change a result, by their names."""

_MARKS = (
    ("<!-- mutants: made by python -m mutation --page -->", "<!-- end mutants -->"),
    ("<!-- fresh mutants: made by python -m mutation --salt -->", "<!-- end fresh mutants -->"),
)


def write(page: Path, rows: list[dict[str, Any]], fresh: bool) -> None:
    """Put the table into the page, in the place of the first sample or of a fresh one."""
    begin, end = _MARKS[fresh]
    before, mark, rest = page.read_text(encoding="utf-8").partition(begin)
    if not mark:
        raise SystemExit(f"{page} has no place for the table: {begin}")
    text = table(rows)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """Return counts by room, and the survivors, as Markdown."""
    tried = Counter(row["room"] for row in rows)
    survived = [row for row in rows if row["outcome"] == "survived"]
    equal = [row for row in survived if row["id"] in REASONS]
    left = [row for row in survived if row["id"] not in REASONS]
    lines = ["| room | tried | noticed | equivalent | survived |", "|---|---|---|---|---|"]
    for room in [*sorted(tried), "all"]:
        own = [sum(room in (row["room"], "all") for row in held) for held in (rows, equal, left)]
        lines.append(f"| {room} | {own[0]} | {own[0] - own[1] - own[2]} | {own[1]} | {own[2]} |")
    told = len(rows) - len(equal)
    share = 100 * (told - len(left)) / max(told, 1)
    lines += ["", f"Of those that are not equivalent {share:.1f} % were noticed."]
    if left:
        lines += ["", "Survived:", "", *(f"- {_named(row)}" for row in left)]
    if equal:
        lines += ["", "Equivalent, each with the reason:", ""]
        lines += [f"- {_named(row)}: {REASONS[row['id']]}" for row in equal]
    return "\n".join(lines)


def _named(row: dict[str, Any]) -> str:
    return f"`{row['path'].removeprefix('fusiontheory/')}`, {row['change']}"
