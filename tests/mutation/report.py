"""The page of mutants: what was tried, what survived, and why the equivalent ones do."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

_BEGIN, _END = "<!-- mutants: made by python -m mutation --page -->", "<!-- end mutants -->"


def write(page: Path, rows: list[dict[str, Any]]) -> None:
    """Put the table into the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    text = table(rows)
    page.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """Return counts by room, and the survivors, as Markdown."""
    tried = Counter(row["room"] for row in rows)
    survived = Counter(row["room"] for row in rows if row["outcome"] == "survived")
    lines = ["| room | tried | noticed | survived |", "|---|---|---|---|"]
    for room in tried:
        lines.append(
            f"| {room} | {tried[room]} | {tried[room] - survived[room]} | {survived[room]} |"
        )
    whole, left = sum(tried.values()), sum(survived.values())
    lines += [f"| all | {whole} | {whole - left} | {left} |", ""]
    names = [f"- `{row['id']}`" for row in rows if row["outcome"] == "survived"]
    return "\n".join([*lines, "Survived:", "", *names, ""] if names else lines)
