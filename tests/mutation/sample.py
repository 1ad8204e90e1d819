"""Which mutants there are: all that Cosmic Ray makes of the rooms, but for some that say nothing.

Left out are changes of annotations, which do not run, of messages and of ``__all__``; the removal
of decorators that only check, cache or describe (`tests/test_fuzz.py` holds the first); and other
arithmetic than + - * / **, such as shifts, which any test of floats notices.
"""

from __future__ import annotations

import ast
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
    "training": ["tests/training/test_settings.py"],
    "simulate": ["tests/simulate"],
}
"""Tests that a mutant of a room is tried with."""

_SAMPLED = ("risk", "signal", "matching", "solvers", "store")
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
    """

    room: str
    path: str
    operator: str
    occurrence: int
    line: int

    @property
    def id(self) -> str:
        """Name that stays while the file does."""
        return f"{self.path}:{self.line} {self.operator}#{self.occurrence}"

    def text(self, original: str) -> str:
        """Return the mutated file."""
        mutated = mutate_code(original, get_operator(self.operator)(), self.occurrence)
        if mutated is None or mutated == original:
            raise ValueError(f"{self.id} changes nothing")
        return str(mutated)

    def first_tests(self, root: Path) -> list[str]:
        """Return the tests that are likeliest to notice: the file's own, then its examples."""
        own = [f"tests/{self.room}/test_{Path(self.path).stem}.py", self.path]
        return [name for name in own if (root / name).is_file()]

    def row(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {"id": self.id, "room": self.room, "path": self.path, "line": self.line}


def mutants(root: Path) -> list[Mutant]:
    """Return every mutant of the rooms, in the order of their files."""
    found = []
    for room in _SAMPLED:
        for path in sorted((root / "fusiontheory" / room).glob("*.py")):
            if path.name != "__init__.py":
                found += list(_mutants_of(room, path, root))
    return found


def _mutants_of(room: str, path: Path, root: Path) -> Iterator[Mutant]:
    silent = _silent_lines(ast.parse(path.read_text(encoding="utf-8")))
    tree = get_ast_from_path(path)
    for name in operator_names():
        operator_class = get_operator(name)
        if operator_class.arguments() or not _is_asked(name):
            continue
        operator = operator_class()
        places = [place for node in ast_nodes(tree) for place in operator.mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(places):
            if not any(start <= (line, column) < end for start, end in silent):
                yield Mutant(room, str(path.relative_to(root)), name, occurrence, line)


def _is_asked(operator: str) -> bool:
    kind, _, change = operator.partition("/")[2].partition("_")
    if kind == "ReplaceBinaryOperator":
        return set(change.split("_")) <= _ARITHMETIC
    return kind != "ReplaceUnaryOperator" or "Invert" not in change


def _silent_lines(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
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
