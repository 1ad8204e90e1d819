"""Two lints of syntax trees: tensors name their device, and the command line reaches every one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("fusiontheory", "validation")
FACTORIES = {
    *("arange", "as_tensor", "empty", "eye", "from_numpy", "full", "linspace", "normal"),
    *("ones", "rand", "randint", "randn", "randperm", "tensor", "zeros"),
}

COMMANDS = ("validation/commands/", "validation/gpu/", "validation/clip/", "fusiontheory/commands/")
"""Where the options of commands are read."""

ON_THE_PROCESSOR = {
    "fusiontheory/alignment/contrastive.py": "heads of alignment are trained on the processor",
    "fusiontheory/networks": "networks are drawn on the processor, the same on every machine",
    "fusiontheory/training/initial.py": "initial weights are tried on the processor",
    "fusiontheory/training/dropout.py": "the mask that drops nothing moves with its network",
    "validation/trained/predictors/moving_kernel.py": "its networks are trained on the processor",
    "validation/extract": "pixels are decoded on the processor and moved by `scaled`",
    "validation/backbones": "weights and preprocessing are made on the processor, and moved",
    "fusiontheory/training/batches.py": "features are joined on the processor, and moved",
    "fusiontheory/training/estimator.py": "logits are back on the processor",
    "fusiontheory/training/progress.py": "no weights yet: a tensor of no numbers",
}
"""Where a tensor may be made without a device, and why that is right."""

PYTHON_ALONE = {
    "CompiledNetworks": "measured by `validation.gpu`; no command trains with it yet",
    "FusionClassifier": "for scikit-learn; it trains as a `MemberGroup`, which is reached",
    "member_groups": "for Python; `placed_groups` is the command line's",
    "train_members": "for Python; `train_recorded` is the command line's",
    "measure_curve": "for Python; a command computes inside `computing_on`",
    "measure_ridges": "for Python; a command computes inside `computing_on`",
    "placed": "of these two",
}
"""What takes a device and is not called by the command line, and why."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def without_device(tree: ast.Module) -> list[int]:
    """Return the lines of torch's factories that name no device and are not moved at once."""
    moved = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "to"
        for inner in ast.walk(node.func.value)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "torch"
        and node.func.attr in FACTORIES
        and not any(keyword.arg == "device" for keyword in node.keywords)
        and id(node) not in moved
    ]


def excused(path: str) -> str | None:
    return next((place for place in ON_THE_PROCESSOR if path.startswith(place)), None)


def test_no_tensor_is_made_without_a_device(every: list[tuple[str, ast.Module]]) -> None:
    found = {path: lines for path, tree in every if (lines := without_device(tree))}
    assert {path: lines for path, lines in found.items() if not excused(path)} == {}
    assert {excused(path) for path in found} == {*ON_THE_PROCESSOR}


def test_the_lint_sees_them() -> None:
    assert without_device(ast.parse("import torch\nx = torch.zeros(3)")) == [2]
    assert without_device(ast.parse("x = torch.zeros(3, device=d); torch.ones(2).to(d)")) == []


def names(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr


def is_device(name: str) -> bool:
    return any(word in name for word in ("device", "place", "gpus", "kind", "how"))


def takes_device(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Return whether a function has a parameter, or a class a field, of that name."""
    if isinstance(node, ast.ClassDef):
        return any(
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and line.target.id in ("device", "devices")
            for line in node.body
        ) or any(
            takes_device(line)
            for line in node.body
            if isinstance(line, ast.FunctionDef) and line.name == "__init__"
        )
    every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return any(argument.arg in ("device", "devices") for argument in every)


def called(body: ast.AST, handed: Callable[[ast.Call], bool]) -> Iterator[str]:
    """Return the names of what is called in a body with a device among the arguments."""
    for node in ast.walk(body):
        if isinstance(node, ast.Call):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if handed(node):
                yield from list(names(node.func))
                # Functions handed to what runs them: scatter_over(rows_that_fit, work, devices).
                yield from (name for value in given for name in names(value))


def by_name(call: ast.Call) -> bool:
    """Return whether an argument is named for a device, or settings are handed on whole."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    whole = any(keyword.arg is None for keyword in call.keywords)
    return whole or any(is_device(name) for value in given for name in names(value))


def of_object(call: ast.Call) -> bool:
    """Return whether an argument is the device that an object holds."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(
        isinstance(inner, ast.Attribute) and inner.attr in ("device", "devices", "gpus")
        for value in given
        for inner in ast.walk(value)
    )


def reached(every: list[tuple[str, ast.Module]]) -> set[str]:
    """Return the names that a device of the command line is handed to, step by step."""
    bodies: dict[str, list[ast.AST]] = {}
    known: set[str] = set()
    for path, tree in every:
        commands = path.startswith(COMMANDS)
        known.update(called(tree, by_name if commands else of_object))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                known.update([node.name] if commands else [])
                bodies.setdefault(node.name, []).append(node)
    waiting = set(known)
    while waiting:
        more = {
            name for body in bodies.get(waiting.pop(), []) for name in called(body, by_name)
        } - known
        known |= more
        waiting |= more
    return known


@pytest.fixture(scope="module")
def every() -> list[tuple[str, ast.Module]]:
    return list(trees())


def test_the_command_line_reaches_every_device(every: list[tuple[str, ast.Module]]) -> None:
    found = reached(every)
    taking = {
        node.name
        for _, tree in every
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and takes_device(node)
        and node.name != "__init__"
    }
    assert taking - found - {*PYTHON_ALONE} == set()
    assert {"MemberGroup", "tangent_kernel", "computing_on"} <= found


def test_an_unreachable_device_is_seen() -> None:
    library = "def train(device):\n    inner(device)\ndef inner(device): ...\ndef lost(device): ..."
    command = "def study(device):\n    train(device)"
    trees = [("fusiontheory/x.py", library), ("validation/commands/y.py", command)]
    found = reached([(path, ast.parse(text)) for path, text in trees])
    assert {"train", "inner"} <= found
    assert "lost" not in found
