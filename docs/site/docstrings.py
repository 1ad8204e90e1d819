"""What docstrings of this library have that reStructuredText reads otherwise."""

from __future__ import annotations

import re
from typing import Any

_CODE = re.compile(r"(``.*?``)")
_SECTION = re.compile(r"(Args|Returns|Yields|Raises|Attributes|Examples?|Note|Source)\b.*:\s*$")
_BLOCK = ["", ".. code-block:: text", ""]


def mend(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Escape the bars of |x| outside of code; set formulas and tables as they are typed."""
    mended: list[str] = []
    section = typed = False
    for number, line in enumerate(lines):
        indented = line.startswith("    ")
        row = line.startswith("|") and line.rstrip().endswith("|")
        if line.strip() and not indented:
            section = _SECTION.match(line) is not None
        formula = indented and not section and not line.lstrip().startswith(">>>")
        starts = formula and (number == 0 or not lines[number - 1].strip())
        if (row or starts) and not typed:
            mended += _BLOCK
            typed = True
        elif line.strip() and typed and not (row or indented):
            mended.append("")
            typed = False
        if typed and line.strip():
            mended.append(line if indented else "    " + line)
        else:
            mended.append(line if _is_prompt(line) else _escaped(line))
    lines[:] = mended


def _is_prompt(line: str) -> bool:
    return line.lstrip().startswith((">>>", "..."))


def _escaped(line: str) -> str:
    parts = _CODE.split(line)
    return "".join(part if part.startswith("``") else part.replace("|", r"\|") for part in parts)
