"""Code versions follow the imports: what can change a record does, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fusiontheory.checks import InputError
from fusiontheory.store import closure, code_version, modules_version, provenance

FILES = {
    "__init__.py": "",
    "measure.py": "from toy.room import deep\n\ndef measure():\n    return deep()\n",
    "room/__init__.py": (
        "from toy.room.first import deep\nfrom toy.room.second import apart\n"
        "__all__ = ['apart', 'deep']\n"
    ),
    "room/first.py": (
        '"""First."""\nfrom typing import TYPE_CHECKING\n'
        "if TYPE_CHECKING:\n    from toy.types import Kind\n"
        'def deep() -> "Kind":\n    """Deep."""\n    from toy.lazy import value\n'
        "    return value()\n"
    ),
    "room/second.py": "def apart():\n    return 1\n",
    "lazy.py": "import toy.leaf\n\ndef value():\n    return toy.leaf.VALUE\n",
    "leaf.py": "VALUE = 1  # one\n",
    "types.py": "Kind = int\n",
}
COVERED = ["measure.py", "room/first.py", "lazy.py", "leaf.py"]


@pytest.fixture
def toy(tmp_path):
    """Return (folder, version): a small package, and the version of what it measures."""
    folder = tmp_path / "toy"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    def version() -> str:
        return modules_version(["toy.measure"], (tmp_path,))

    return folder, version


@pytest.mark.parametrize("name", COVERED)
def test_an_edit_deep_in_the_closure_makes_another_version(toy, name):
    folder, version = toy
    before = version()
    with (folder / name).open("a") as file:
        file.write("\nEXTRA = 2\n")
    assert version() != before


@pytest.mark.parametrize("name", sorted(set(FILES) - set(COVERED)))
def test_an_edit_outside_the_closure_keeps_the_version(toy, name):
    """The face itself, its other modules, and what only type checkers read."""
    folder, version = toy
    before = version()
    with (folder / name).open("a") as file:
        file.write("\nEXTRA = 2\n")
    assert version() == before


def test_documentation_and_layout_keep_the_version(toy):
    folder, version = toy
    before = version()
    text = (folder / "room/first.py").read_text()
    text = text.replace('"""Deep."""', '"""Other words."""  # and a remark')
    (folder / "room/first.py").write_text(text.replace('"""First."""', '"""F."""\n\n\n'))
    (folder / "leaf.py").write_text("# another remark\nVALUE = (\n    1\n)\n")
    assert version() == before
    (folder / "leaf.py").write_text("VALUE = 1.0\n")
    assert version() != before


TYPED = """
from typing import TYPE_CHECKING, TypeAlias
if TYPE_CHECKING:
    from toy.types import Kind
Number: TypeAlias = int
def value(more: "Kind" = 2) -> Number:
    found: Number = VALUE + more
    return found
"""


def test_types_keep_the_version_but_for_those_of_fields(toy):
    folder, version = toy
    path, text = folder / "leaf.py", (folder / "leaf.py").read_text()
    path.write_text(text + "def value(more=2):\n    found = VALUE + more\n    return found\n")
    before = version()
    path.write_text(text + TYPED)
    assert version() == before
    path.write_text(text + TYPED.replace('more: "Kind" = 2', "more: int = 3"))
    assert version() != before
    for kind in ("int", "float"):
        path.write_text(f"VALUE = 1\nclass Field:\n    x: {kind} = 1\n")
        assert version() != before
        before = version()


@pytest.mark.parametrize("rules", ["", "(n=between(1, 9))"])
def test_the_decorator_that_refuses_keeps_the_version(toy, rules):
    folder, version = toy
    path, before = folder / "room/first.py", version()
    text = path.read_text()
    head = "from fusiontheory.constraints import between, checked\n"
    path.write_text(head + text.replace("def deep", f"@checked{rules}\ndef deep"))
    assert version() == before
    path.write_text("import functools\n" + text.replace("def deep", "@functools.cache\ndef deep"))
    assert version() != before


def test_a_lazy_face_leads_to_the_defining_module(toy):
    folder, version = toy
    before = version()
    lazy = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
    lazy += "    from toy.room.first import deep\n    from toy.room.second import apart\n"
    lazy += "def __getattr__(name):\n    from importlib import import_module\n"
    lazy += "    return getattr(import_module('toy.room.first'), name)\n"
    (folder / "room/__init__.py").write_text(lazy)
    assert version() == before


@pytest.mark.parametrize("dots", [".", "toy.room."])
def test_a_face_with_a_stub_leads_to_the_defining_module(toy, dots):
    """The names of a lazy face stand in its stub, which itself is no code that runs."""
    folder, version = toy
    before = version()
    (folder / "room/__init__.py").write_text(
        "import lazy_loader\n"
        "__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)\n"
    )
    stub = folder / "room/__init__.pyi"
    stub.write_text(f"from {dots}first import deep\nfrom {dots}second import apart\n")
    assert version() == before
    stub.write_text(stub.read_text() + "from .first import deep as profound\n")
    assert version() == before
    stub.write_text(f"from {dots}second import apart as deep\n")
    assert version() != before


def test_a_table_counts_that_a_module_reads_and_none_that_it_writes(toy):
    folder, version = toy
    reads = "from importlib.resources import files\n"
    (folder / "leaf.py").write_text(f'{reads}VALUE = 1\nFILE = "widths.json"\n')
    (folder / "room/first.py").write_text(
        (folder / "room/first.py").read_text() + '\nOUT = "results.csv"\n'
    )
    for path in (folder / "widths.json", folder / "other.json", folder / "room/results.csv"):
        path.write_text("[1.0]")
    before = version()
    for path in (folder / "other.json", folder / "room/results.csv"):
        path.write_text("[2.0]")
        assert version() == before
    (folder / "widths.json").write_text("[2.5]")
    assert version() != before


def test_plumbing_is_left_out(toy, monkeypatch):
    folder, version = toy
    monkeypatch.setattr(provenance, "PLUMBING", ("toy.lazy",))
    before = version()
    (folder / "leaf.py").write_text("VALUE = 3\n")
    assert version() == before


def test_a_registry_is_not_followed_and_what_is_chosen_counts(toy):
    """A new entry of a list of choices leaves the versions of the others alone."""
    folder, _ = toy
    (folder / "list.py").write_text("from toy.leaf import VALUE\nCHOICES = [VALUE]\n")
    (folder / "measure.py").write_text("from toy.list import CHOICES\n")

    def version(*chosen: str) -> str:
        return modules_version(["toy.measure", *chosen], (folder.parent,), ("toy.list",))

    before, with_leaf = version(), version("toy.leaf")
    (folder / "leaf.py").write_text("VALUE = 3\n")
    assert version() == before
    assert version("toy.leaf") != with_leaf


def test_relative_imports_count(toy):
    folder, version = toy
    (folder / "lazy.py").write_text("from . import leaf\n\ndef value():\n    return leaf.VALUE\n")
    before = version()
    (folder / "leaf.py").write_text("VALUE = 3\n")
    assert version() != before


def test_bad_functions():
    with pytest.raises(InputError, match="at least one function"):
        code_version()
    with pytest.raises(InputError, match="Python source files, got <built-in function len>"):
        code_version(len)


@pytest.mark.parametrize("place", ["matching/curve.py", "risk/ridge.py", "moments/paired.py"])
def test_theory_is_outside_what_measures(place):
    """An edit of the theory leaves measured records valid."""
    from fusiontheory.simulate import measure_unit
    from validation.kernel import measure_cell

    module = "fusiontheory." + place.removesuffix(".py").replace("/", ".")
    for measure in (measure_cell, measure_unit):
        assert module not in closure(measure)
    from validation.kernel import predict_cell

    assert module in closure(predict_cell)


def test_an_edit_of_a_copied_module_changes_what_uses_it(tmp_path, monkeypatch):
    """The library itself, copied: deep in the closure, outside it, and a docstring."""
    root = Path(provenance.__file__).parents[2]
    for name in ("fusiontheory", "validation"):
        shutil.copytree(
            root / name, tmp_path / name, ignore=shutil.ignore_patterns("data", "__pycache__")
        )

    def version() -> str:
        return modules_version(["validation.kernel.measure"], (tmp_path,))

    before = version()
    for name, same in (
        ("risk/ridge.py", True),
        ("matching/model.py", True),
        ("heads/kernels.py", False),
        ("solvers/kernel_ridge.py", False),
    ):
        path = tmp_path / "fusiontheory" / name
        text = path.read_text()
        path.write_text(f"{text}\nEXTRA = 1\n")
        assert (version() == before) is same, name
        path.write_text(text.replace('"""', '"""Said otherwise. ', 1))
        assert version() == before, name
        path.write_text(text)
