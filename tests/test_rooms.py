"""From outside a room only its face is imported, and tests import no private names."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import grimp
import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[1]
CODE = ("fusiontheory", "validation", "experiments", "paper_figures")


def imports(folders):
    """Yield the importing module's name, the line, and where which name comes from."""
    for path in (p for folder in folders for p in sorted((ROOT / folder).rglob("*.py*"))):
        if path.suffix not in (".py", ".pyi"):
            continue
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                # A module's own package is one dot; only stubs of lazy faces use dots.
                origin = [*parts[: -node.level]] if node.level else []
                module = ".".join([*origin, *([node.module] if node.module else [])])
                for alias in node.names if module.split(".")[0] in CODE else ():
                    yield name, node.lineno, module, alias.name


def rooms_of(module):
    """Return the packages that a module lies in or is, outermost first."""
    parts = module.split(".")
    packages = (".".join(parts[:k]) for k in range(2, len(parts) + 1))
    return [p for p in packages if (ROOT / p.replace(".", "/") / "__init__.py").is_file()]


def test_only_faces_are_imported_from_outside():
    wrong = []
    for importer, line, module, name in imports(CODE):
        entered = [room for room in rooms_of(module) if not f"{importer}.".startswith(f"{room}.")]
        # A face may hand on from rooms of its own, and a module must be asked for by its name.
        if entered and (module != entered[-1] or rooms_of(f"{module}.{name}") != rooms_of(module)):
            wrong.append(f"{importer}:{line} imports {module}.{name}")
    assert not wrong, "\n".join(wrong)


def test_tests_import_no_private_names():
    wrong = [
        f"{importer}:{line} imports {module}.{name}"
        for importer, line, module, name in imports(("tests",))
        if name.startswith("_") and not name.endswith("__")
    ]
    assert not wrong, "\n".join(wrong)


def test_tests_of_the_library_import_no_experiment():
    wrong = [
        f"{importer}:{line} imports {module}.{name}"
        for importer, line, module, name in imports(("tests",))
        if module.split(".")[0] == "experiments" and not importer.startswith("tests.experiments.")
    ]
    assert not wrong, "\n".join(wrong)


STUBS = sorted(p for folder in CODE for p in (ROOT / folder).rglob("*.pyi"))


@pytest.mark.parametrize("stub", STUBS, ids=lambda p: ".".join(p.relative_to(ROOT).parent.parts))
def test_every_name_of_a_lazy_face_is_there(stub):
    """A stub is read when a name is asked for: a wrong one would show only then."""
    face = import_module(".".join(stub.relative_to(ROOT).parent.parts))
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    listed = next(ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign))
    assert sorted(face.__all__) == sorted(listed)
    for name in listed:
        assert getattr(face, name) is not None


@pytest.mark.parametrize(
    ("start", "forbidden"),
    [
        (["-c", "import fusiontheory"], ["numpy", "scipy", "pandas"]),
        (["-m", "fusiontheory", "--help"], ["scipy", "pandas"]),
        (["-m", "validation", "--help"], ["scipy", "pandas"]),
        (["-c", "from fusiontheory import predict_curve, HEADS, measure_curve"], []),
        (["-c", "from fusiontheory.tangent import KernelExpansion, CoordinateMoments"], []),
    ],
    ids=" ".join,
)
def test_starting_loads_little(start, forbidden):
    """Counted in modules, not in seconds: what no first call needs must not be loaded."""
    command = [sys.executable, "-X", "importtime", *start]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "fusiontheory" in loaded
    assert loaded.isdisjoint(["torch", "sympy", "matplotlib", "sklearn", *forbidden])


SCRIPTS = ("tests", "docs")
SOURCES = sorted(p for folder in (*CODE, *SCRIPTS) for p in (ROOT / folder).rglob("*.py"))


def test_files_and_functions_stay_short():
    """At most 400 lines a file, and 60 in a function's body, its docstring not counted."""
    wrong = []
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > 400:
            wrong.append(f"{path.relative_to(ROOT)} has {len(text.splitlines())} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                if body and node.end_lineno - body[0].lineno + 1 > 60:
                    wrong.append(f"{path.relative_to(ROOT)}: {node.name} is too long")
    assert not wrong, "\n".join(wrong)


def test_no_import_circle_but_of_features_and_their_reader():
    """`FeatureSet.load` reads files of other origin when asked; types alone make no circle."""
    graph = grimp.build_graph(*CODE, exclude_type_checking_imports=True)
    names = sorted(graph.modules)
    place = {name: row for row, name in enumerate(names)}
    arrows = np.array(
        [
            (place[name], place[other])
            for name in names
            for other in graph.find_modules_directly_imported_by(name) & place.keys()
        ]
    )
    matrix = coo_array((np.ones(len(arrows)), arrows.T), shape=(len(names), len(names)))
    _, part = connected_components(matrix, connection="strong")
    circles = [[names[row] for row in np.flatnonzero(part == k)] for k in np.unique(part)]
    assert [circle for circle in circles if len(circle) > 1] == [
        [
            "fusiontheory.data.features",
            "fusiontheory.data.reading",
            "fusiontheory.data.reading.read",
            "fusiontheory.data.reading.splits",
        ]
    ]
