"""Which code made a record: a version that follows the imports of the function that was run."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked

__all__ = ["PLUMBING", "SEAMS", "closure", "code_version", "modules_version"]

PLUMBING = (
    "fusiontheory.checks",
    "fusiontheory.constraints",
    "fusiontheory.typing",
    "fusiontheory.data.reading",  # what it reads is in the fingerprint of the features
    "fusiontheory.store",
    "fusiontheory.console",
    "fusiontheory.parallel",
    "fusiontheory.threads",
    "fusiontheory.plotting",
)
"""Modules, with all that is below them, that refuse, keep, spread or draw numbers and change none.

Whoever adds a module here says that no edit of it can ever change a recorded number.
"""

SEAMS: dict[str, dict[str, str]] = {
    "fusiontheory.solvers.backend": {
        "measure_curve": "fusiontheory.solvers.kernel_ridge",
        "measure_ridges": "fusiontheory.solvers.kernel_ridge",
        "dual_ridge": "fusiontheory.solvers.nested",
    },
}
"""Modules that only choose an implementation: of each of their functions, the module that counts.

It is the one that is taken where nothing is chosen; records of another choice name it among the
functions of their `code_version`.
"""

# What a tree has of types; those of a class's fields are kept: a dataclass is made of them.
_TYPES = ("type_comment", "kind", "returns")
_WORDS = (
    *("fusiontheory.constraints", "fusiontheory.typing"),
    *("numpy.typing", "typing", "collections.abc", "__future__"),
)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@checked
def code_version(*functions: Callable[..., Any], registries: tuple[str, ...] = ()) -> str:
    """Return 12 hex digits that change when code that ``functions`` can reach does.

    What they can reach is the import closure of their modules within the repository: every module
    that one of them imports, at the top or inside a function, and so on. A name taken from a
    package's face counts as its defining module, not the whole package. Imports for type checkers
    alone and the modules of `PLUMBING` are left out. What counts of a module is its syntax tree
    without docstrings, without types of arguments, of what is returned and of variables, and
    without the decorator `checked`: comments, layout, documentation, types and refusals of
    arguments of another kind do not make another version. Types of a class's fields count. A table
    beside the module counts too where the module reads data of its package (`importlib.resources`)
    and names it in a string, as ``"calibration.json"``; a table that it writes does not.

    Args:
        functions: what computes the rows that are recorded; functions or classes.
        registries: names of modules that only list choices and are not followed; give the choice
            that is made among ``functions``. A new entry then leaves the others' versions alone.

    Raises:
        InputError: if there is none, or one has no Python source.

    Example:
        >>> from fusiontheory.data import draw_pairs
        >>> from fusiontheory.heads import linear_kernel
        >>> code_version(linear_kernel) == code_version(draw_pairs)
        False
    """
    if not functions:
        raise InputError("functions must hold at least one function, got none")
    return _version(tuple(_source(function) for function in functions), registries)


@cache
def _version(modules: tuple[tuple[str, Path], ...], registries: tuple[str, ...]) -> str:
    roots = tuple(dict.fromkeys(root for name, path in modules for root in _roots(name, path)))
    return modules_version([name for name, _ in modules], roots, registries)


@checked
def modules_version(
    names: Iterable[str], roots: tuple[Path, ...], registries: tuple[str, ...] = ()
) -> str:
    """Return the version of what modules can reach, as `code_version`, in folders of packages.

    Args:
        names: of the modules, such as ``fusiontheory.store.cells``.
        roots: folders that packages are looked for in, in this order.
        registries: as for `code_version`.
    """
    modules = _closure(names, roots, registries)
    lines = [f"{name} {_digest(path, _stamp(path))}" for name, path in sorted(modules.items())]
    tables = {table for path in modules.values() for table in _tables(path)}
    lines += [f"{table.name} {_table_digest(table, _stamp(table))}" for table in sorted(tables)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


@checked
def closure(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the modules whose code `code_version` covers, sorted.

    Example:
        >>> from fusiontheory.heads import linear_kernel
        >>> closure(linear_kernel)
        ('fusiontheory.heads.kernels',)
    """
    name, path = _source(function)
    return tuple(sorted(_closure([name], _roots(name, path))))


def _source(function: Callable[..., Any]) -> tuple[str, Path]:
    """Return the name and the file of the module that defines a function."""
    try:
        path = Path(inspect.getsourcefile(inspect.unwrap(function)) or "")
    except TypeError:
        path = Path()
    if path.suffix != ".py" or not path.is_file():
        raise InputError(f"functions must be defined in Python source files, got {function!r}")
    name = function.__module__
    if name == "__main__":
        # A module that is run as a script, by its own name where it has one.
        spec = getattr(sys.modules["__main__"], "__spec__", None)
        name = spec.name if spec else path.stem
    return name, path


def _roots(name: str, path: Path) -> tuple[Path, ...]:
    """Return the folders whose packages count: that of the module, and that of this library."""
    depth = name.count(".") + (path.name == "__init__.py")
    return tuple({path.resolve().parents[depth]: None, Path(__file__).resolve().parents[2]: None})


def _closure(
    names: Iterable[str], roots: tuple[Path, ...], left_out: tuple[str, ...] = ()
) -> dict[str, Path]:
    """Return the file of each module that the named ones can reach, themselves among them."""
    waiting = [place for name in names for place in _file(name, roots)]
    modules = dict(waiting)
    while waiting:
        for imported, file in _imports(*waiting.pop(), roots):
            if imported not in (*modules, *left_out) and not _is_plumbing(imported):
                modules[imported] = file
                waiting.append((imported, file))
    return modules


def _is_plumbing(name: str) -> bool:
    return any(name == plumbing or name.startswith(f"{plumbing}.") for plumbing in PLUMBING)


def _imports(name: str, path: Path, roots: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """Yield the modules of the repository that one module imports anywhere, but for types."""
    for node in _run_time_nodes(_tree(path, _stamp(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _file(alias.name, roots)
        elif isinstance(node, ast.ImportFrom):
            package = _absolute(node, name, path)
            for alias in node.names:
                yield from _defining(package, alias.name, roots)


def _run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree, without what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if _only_for_types(child):
            continue
        yield child
        yield from _run_time_nodes(child)


def _absolute(node: ast.ImportFrom, name: str, path: Path) -> str:
    if not node.level:
        return node.module or ""
    parts = name.split(".") + (["__init__"] if path.name == "__init__.py" else [])
    return ".".join([*parts[: -node.level], *([node.module] if node.module else [])])


def _defining(
    package: str, name: str, roots: tuple[Path, ...], seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Path]]:
    """Yield the module that defines ``name`` of ``package``: through the package's face."""
    submodule = list(_file(f"{package}.{name}", roots))
    faces = list(_file(package, roots))
    for face, path in faces:
        if name in SEAMS.get(face, {}):
            yield from _file(SEAMS[face][name], roots)
            continue
        if path.name != "__init__.py" or face in seen:
            yield face, path
            continue
        sources = [] if name == "*" else _exported(face, path, name)
        if sources:
            for module, original in sources:
                yield from _defining(module, original, roots, seen | {face})
        elif submodule:
            yield from submodule
        else:
            # Defined in the face itself, or everything of it.
            yield face, path
    if not faces:
        yield from submodule


def _exported(face: str, path: Path, name: str) -> list[tuple[str, str]]:
    """Return from which module, and under which name, a face has a name; lazy faces too.

    A face whose names stand in a stub beside it (``__init__.pyi``, as lazy_loader reads it) is
    followed through the stub.
    """
    stub = path.with_suffix(".pyi")
    return [
        (_absolute(node, face, path), alias.name)
        for file in (path, stub)
        if file.is_file()
        for node in ast.walk(_tree(file, _stamp(file)))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (alias.asname or alias.name) == name
    ]


def _file(name: str, roots: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """Yield the module of that name and its file, if a root has it."""
    for root in roots:
        base = root.joinpath(*name.split("."))
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path.is_file():
                yield name, path
                return


def _stamp(path: Path) -> tuple[int, int]:
    """Return what tells an edited file from the one that was read: time and size."""
    state = path.stat()
    return state.st_mtime_ns, state.st_size


@cache
def _tree(path: Path, stamp: tuple[int, int]) -> ast.Module:
    del stamp
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _digest(path: Path, stamp: tuple[int, int]) -> str:
    return hashlib.sha256(_canonical(_tree(path, stamp)).encode()).hexdigest()


def _tables(path: Path) -> Iterator[Path]:
    """Yield the JSON and CSV files beside a module that it reads as data of its package, sorted.

    It reads such data if it imports from ``importlib.resources``, and these if it names them in a
    string. What a module names otherwise, as studies name their results, it may write.
    """
    nodes = list(ast.walk(_tree(path, _stamp(path))))
    if not any(isinstance(n, ast.ImportFrom) and n.module == "importlib.resources" for n in nodes):
        return
    named = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    for file in sorted(path.parent.iterdir()):
        if file.suffix in (".json", ".csv") and file.name in named:
            yield file


@cache
def _table_digest(path: Path, stamp: tuple[int, int]) -> str:
    del stamp
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _canonical(node: Any) -> str:
    """Return a syntax tree as text: what can change a number, the same in every Python version.

    `ast.dump` names fields that are empty, which differ between versions.
    """
    if isinstance(node, list):
        return f"[{','.join(map(_canonical, node))}]"
    if isinstance(node, ast.arg):
        return f"arg({node.arg})"
    if not isinstance(node, ast.AST):
        return f"{type(node).__name__}:{node!r}"
    parts = []
    for field, value in ast.iter_fields(node):
        if field == "body" and isinstance(node, _DOCUMENTED):
            value = _without_docstrings(value)
        if field == "body" and isinstance(value, list):
            value = [one for one in value if not _brings_only_words(one)]
            if not isinstance(node, ast.ClassDef):
                value = [untyped for one in value for untyped in _untyped(one)]
        if field == "decorator_list":
            value = [one for one in value if _called(one) != "checked"]
        if value is None or value == [] or field in _TYPES:
            continue
        parts.append(f"{field}={_canonical(value)}")
    return f"{type(node).__name__}({','.join(parts)})"


def _brings_only_words(node: Any) -> bool:
    """Return whether a statement imports the decorator `checked` or types, and nothing else."""
    if isinstance(node, ast.If) and not node.orelse:
        return _only_for_types(node)
    return isinstance(node, ast.ImportFrom) and node.module in _WORDS


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _untyped(node: Any) -> list[Any]:
    """Return a statement without the type of its variable: none of a name for a type."""
    if not isinstance(node, ast.AnnAssign):
        return [node]
    names_a_type = isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"
    if node.value is None or names_a_type:
        return []
    return [ast.Assign(targets=[node.target], value=node.value)]


def _called(decorator: ast.expr) -> str:
    """Return the name of a decorator, with arguments or without."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.id if isinstance(node, ast.Name) else ""


def _without_docstrings(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a body without strings that are statements, which document and do nothing."""
    return [
        node
        for node in body
        if not (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )
    ]
