"""Numbers in README and pages that look measured and name no table.

``python docs/numbers_unmarked.py`` counts them by page, and lists those of the pages it is given. A
number looks measured if it is a decimal fraction, or if a unit of results follows it (%, points,
seconds, MiB, times). It is right if a mark of `numbers_of_pages` stands behind it, and it needs
none in lines that a program writes, in code, in a formula, as a setting (``rho = 0.3, 0.6``,
``ridge 0.1``) or in a definition ("95 % interval", "beyond 2 standard errors"). What is neither
measured nor seen to be a setting says so itself, behind the number or behind several in a row::

    95 %<!-- setting -->
    4.1 to 5.1 points<!-- quoted: arXiv:2606.01207 -->
    at most 1.69<!-- derived --> times the variance

*derived* is a constant of mathematics or arithmetic. A whole section says it below its heading, on
a line of its own: ``<!-- settings -->``, or ``<!-- written before the run -->`` for a prediction in
words, which is left as it was.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = (
    *("README.md", "docs/**/*.md", "experiments/*.md", "experiments/*/README.md", "paper/*.md"),
    "validation/data/README.md",
)
"""Not the changelog, whose numbers are those of their day."""

_WORDS = (
    r"points?|per cent|seconds?|s(?!\^)|ms|minutes?|hours?|MiB|GiB|MB|GB|times|standard errors?"
)
_UNIT = rf"\s{{0,5}}(?:%|(?:{_WORDS})\b)"
_NUMBER = re.compile(
    rf"(?<![\w.^/{{}}:-])[-+−±~]?"
    rf"(?:\d+(?:,\d{{3}})*\.\d+(?![\w.]*\w)(?:e-?\d+)?|\d(?:[\d,]*\d)?(?={_UNIT}))"
)
_MARKED, _CONSTANT = "\x00", "\x01"
_NEXT = rf"(?:,|,? to|,? and|,? or) [-+−±~]?[\d.,]*\d(?:{_UNIT})?"
_RIGHT = re.compile(rf"(?:{_UNIT})?(?:{_MARKED}|(?:{_NEXT})*{_CONSTANT})")
_HAS_UNIT = re.compile(_UNIT)
_SETTING = re.compile(
    r"(?:[=<>≤≥^*/]|\b(?:ridges?|ridge of|balance|strengths?|level|Python|version|sigma|decay|"
    r"learning rate|learning rate of))\s?"
    r"(?:[\d.]+(?:e-?\d+)?(?:, | and | or | to |, \.\. ?))*$",
    re.IGNORECASE,
)
_DEFINITION = re.compile(
    r"(?:90|95) % (?:confidence )?intervals?"
    r"|(?:beyond|within|exceeds?|above|more than|at least) (?:2|3) standard errors"
)
_WRITTEN = re.compile(
    r"\A---\n.*?\n---\n|^```.*?^```|<!-- rows of (\w+) -->.*?<!-- end of \1 -->"
    r"|<!-- cells: .*?<!-- end of cells -->|<!-- [\w ]+: made by .*?<!-- end[\w ]* -->"
    r"|<!-- (\w+) -->\n\|.*?<!-- end of \2 -->|(?:\A|(?<=\n\n))(?:(?: {4}|\t)[^\n]*\n|\n)+",
    re.DOTALL | re.MULTILINE,
)
_SECTION = re.compile(
    r"^(#+) [^\n]*\n+<!-- (?:settings|written before the run) -->\n"
    r"(?:(?!^#+ ).*\n|^\1#+ .*\n)*",
    re.MULTILINE,
)
_INLINE = re.compile(
    r"`[^`\n]*(?:\n[^`\n]*)?`|\]\([^)]*\)|<!-- .*?-->|<[^>\n]*>|arXiv:\S+", re.DOTALL
)


def unmarked(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line of each number of a page that looks measured and has no mark, and the number.

    >>> list(unmarked("It is 2.3 points off."))
    [(1, '2.3')]
    >>> list(unmarked("It is 2.3<!-- bilinear_error --> points off at ridge 0.1, d = 0.5."))
    []
    """
    for hidden in (_WRITTEN, _SECTION):  # a section with the smaller ones in it
        text = hidden.sub(lambda found: "\n" * found[0].count("\n"), text)
    text = _INLINE.sub(_short, text)
    text = _DEFINITION.sub(lambda found: re.sub(r"\d", "n", found[0]), text)
    for found in _NUMBER.finditer(text):
        if _RIGHT.match(text, found.end()):
            continue
        before = text[max(0, found.start() - 80) : found.start()]
        if not _HAS_UNIT.match(text, found.end()) and _SETTING.search(before):
            continue
        yield text[: found.start()].count("\n") + 1, found[0]


def _short(found: re.Match[str]) -> str:
    """Return what stays of code, a link or a comment: a mark is one character, lines are lines."""
    lines = "\n" * found[0].count("\n")
    if not found[0].startswith("<!-- "):
        return " " + lines
    constant = re.match(r"<!-- (?:setting|derived|quoted)\b", found[0])
    return (_CONSTANT if constant else _MARKED) + lines


def pages() -> Iterator[Path]:
    """Yield the pages that people read."""
    for place in PLACES:
        yield from sorted(ROOT.glob(place))


if __name__ == "__main__":
    for path in pages():
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        found = list(unmarked(text))
        if found and not sys.argv[1:]:
            print(f"{len(found):4d} {name}")
        elif name in sys.argv[1:]:
            for line, number in found:
                print(f"{name}:{line}: {number}  {text.splitlines()[line - 1]}")
