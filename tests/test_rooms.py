"""From outside a room only its face is imported, and tests import no private names."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = ("fusiontheory", "validation", "experiments", "paper_figures")


def imports(folders):
    """Yield the importing module's name, the line, and where which name comes from."""
    for path in (p for folder in folders for p in sorted((ROOT / folder).rglob("*.py"))):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in CODE:
                for alias in node.names:
                    yield name, node.lineno, node.module, alias.name


def rooms_of(module):
    """Return the packages that a module lies in or is, outermost first."""
    parts = module.split(".")
    packages = (".".join(parts[:k]) for k in range(2, len(parts) + 1))
    return [p for p in packages if (ROOT / p.replace(".", "/") / "__init__.py").is_file()]


def test_only_faces_are_imported_from_outside():
    wrong = []
    for importer, line, module, name in imports(("fusiontheory", "validation", "paper_figures")):
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
