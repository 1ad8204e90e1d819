"""Which mutants there are: all that Cosmic Ray makes of the rooms, but for some that say nothing.

Left out are changes of annotations, which do not run, of messages and of ``__all__``; the removal
of decorators that only check, cache or describe (`tests/test_fuzz.py` holds the first); and other
arithmetic than + - * / **, such as shifts, which any test of floats notices.

Whether a mutant is in the sample depends on a digest of its file, its line and its operator alone,
so that an edit of other lines leaves it there.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

_CURVES = ["tests/curves/test_predict.py"]
ROOMS = {
    "risk": ["tests/risk"],
    "signal": ["tests/signal", "tests/matching", *_CURVES],
    "matching": ["tests/matching", *_CURVES],
    "solvers": ["tests/solvers"],
    "store": ["tests/store"],
}
"""The rooms, and the tests that a mutant of each is tried with, beside the examples of its own."""

FIRST = 220
"""Mutants in the first sample, for which tests were written."""

_ARITHMETIC = {"Add", "Sub", "Mul", "Div", "Pow"}
_SAY_NOTHING = {"checked", "overload", "cache", "cached_property", "lru_cache", "wraps"}


@dataclass(frozen=True)
class Mutant:
    """One change to one file.

    Attributes:
        room: of the file.
        path: within the repository.
        operator: of Cosmic Ray.
        occurrence: the how-many-th place where the operator can act.
        line: of the place.
        statement: the lines of the statement there, without those of statements within it.
        id: name that stays while the line does.
    """

    room: str
    path: str
    operator: str
    occurrence: int
    line: int
    statement: tuple[int, ...]
    id: str

    def text(self, original: str) -> str:
        """Return the mutated file."""
        mutated = mutate_code(original, get_operator(self.operator)(), self.occurrence)
        if mutated is None or mutated == original:
            raise ValueError(f"{self.id} changes nothing")
        return str(mutated)

    def change(self, original: str) -> str:
        """Return the lines that differ, as they are and as they become."""
        one, other = original.splitlines(), self.text(original).splitlines()
        while one and other and one[0] == other[0]:
            one, other = one[1:], other[1:]
        while one and other and one[-1] == other[-1]:
            one, other = one[:-1], other[:-1]
        parts = (" ".join(line.strip() for line in lines) for lines in (one, other))
        return " → ".join(f"`{part}`" for part in parts)

    def rank(self, salt: str = "") -> str:
        """Return the digest by which mutants are drawn."""
        return hashlib.sha256(f"{salt}{self.id}".encode()).hexdigest()

    def row(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {"id": self.id, "room": self.room, "path": self.path, "line": self.line}


def sample(root: Path, count: int, salt: str = "") -> list[Mutant]:
    """Return so many of all mutants, the same ones while their lines are.

    Args:
        root: of the repository.
        count: how many.
        salt: any word: another one draws another sample, without what is in the first one.
    """
    first = sorted(mutants(root), key=lambda one: one.rank())
    if not salt:
        return first[:count]
    return sorted(first[FIRST:], key=lambda one: one.rank(salt))[:count]


def mutants(root: Path) -> list[Mutant]:
    """Return every mutant of the rooms, in the order of their files."""
    found = []
    for room in ROOMS:
        for path in sorted((root / "fusiontheory" / room).glob("*.py")):
            if path.name != "__init__.py":
                found += list(_mutants_of(room, path, root))
    return found


def _mutants_of(room: str, path: Path, root: Path) -> Iterator[Mutant]:
    text = path.read_text(encoding="utf-8")
    lines, parsed = text.splitlines(), ast.parse(text)
    silent, statements = _silent_places(parsed), _statements(parsed)
    tree, name = get_ast_from_path(path), str(path.relative_to(root))
    seen: Counter[str] = Counter()
    for operator_name in operator_names():
        operator_class = get_operator(operator_name)
        if operator_class.arguments() or not _is_asked(operator_name):
            continue
        operator = operator_class()
        places = [place for node in ast_nodes(tree) for place in operator.mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(places):
            if any(start <= (line, column) < end for start, end in silent):
                continue
            same = f"{name} {operator_name.removeprefix('core/')} {lines[line - 1].strip()}"
            seen[same] += 1
            own = statements.get(line, (line,))
            yield Mutant(room, name, operator_name, occurrence, line, own, f"{same} #{seen[same]}")


def _statements(tree: ast.Module) -> dict[int, tuple[int, ...]]:
    """Return for each line the lines of the innermost statement there."""
    found: dict[int, tuple[int, ...]] = {}
    for node in ast.walk(tree):  # outer nodes come first
        if isinstance(node, ast.stmt):
            last = node.end_lineno or node.lineno
            inner = [one.lineno for one in ast.walk(node) if isinstance(one, ast.stmt)][1:]
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            end = min([last, *(line - 1 for line in inner)])
            own = tuple(range(first, max(end, first) + 1))
            found |= dict.fromkeys(own, own)
    return found


def _is_asked(operator: str) -> bool:
    kind, _, change = operator.partition("/")[2].partition("_")
    if kind == "ReplaceBinaryOperator":
        return set(change.split("_")) <= _ARITHMETIC
    return kind != "ReplaceUnaryOperator" or "Invert" not in change


def _silent_places(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where changes are left out, as pairs of line and column."""
    nodes: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            nodes.append(node.annotation)
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            nodes.append(node.returns)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            nodes += [one for one in node.decorator_list if _name(one) in _SAY_NOTHING]
        if isinstance(node, ast.JoinedStr):
            nodes.append(node)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "_Array"):
            nodes.append(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            nodes.append(node)
    return [_span(node) for node in nodes]


def _span(node: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    # A decorator's mutation is placed at the sign before it.
    return (node.lineno, max(node.col_offset - 1, 0)), (node.end_lineno, node.end_col_offset)


def _name(decorator: ast.expr) -> str:
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
