"""The walks from moments to a predicted accuracy, by profile: ``python docs/walk.py``.

Two: that of the prediction itself, and that of the diagnosis of the features, which moments carry
from the first time that it is asked for.

Every call of a function of the library during ``predict_curve("concat-mlp", ...)`` is watched. A
passage is a call from one module into another, counted once for each two modules; it goes back if
it enters a room that a call below it has left and not returned to.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import fusiontheory as ft

LIBRARY = Path(ft.__file__).resolve().parent
GROUND = ("checks", "constraints", "typing", "parallel", "threads")
"""No stays on the way: they check an argument or limit threads, and pass on no numbers."""


JOINED = (
    ("signal.staircase", "signal.ritz"),
    ("curves.models", "moments.means"),
    ("moments.means", "moments.sample"),
    ("matching.scores", "matching.mean_predictor"),
    ("matching.kernel_signal", "matching.leverage"),
    ("risk.spectrum", "risk.ridge"),
    ("signal.lanczos", "signal.ritz_functions", "signal.staircase", "signal.ritz"),
)
"""Files that follow each other on the way, and could be one."""
_MOST = 400  # lines of a file
_NAMED = 3
"""So many modules are named that take another one, so that not every new one makes the page old."""
_STEP = 20
"""Lines of files are told to so many, so that not every edit makes the page old."""


@dataclass
class Walk:
    """Modules in the order in which they take part, and passages between them."""

    modules: list[str] = field(default_factory=list)
    passages: list[tuple[str, str]] = field(default_factory=list)
    back: list[tuple[str, str]] = field(default_factory=list)

    def step(self, stack: list[str], module: str) -> None:
        """Note a call into ``module`` from the last of ``stack``."""
        if module not in self.modules:
            self.modules.append(module)
        if not stack or stack[-1] == module or (stack[-1], module) in self.passages:
            return
        self.passages.append((stack[-1], module))
        if room(module) != room(stack[-1]) and room(module) in map(room, stack):
            self.back.append((stack[-1], module))

    def joined(self, *files: Sequence[str]) -> tuple[int, int]:
        """Return how many modules and passages were left if some files were one each.

        >>> walk = Walk(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
        >>> walk.joined(("a", "b")), walk.joined(("a", "b", "c"))
        ((2, 1), (1, 0))
        """
        name = {module: group[0] for group in files for module in group}
        ends = ((name.get(a, a), name.get(b, b)) for a, b in self.passages)
        modules = {name.get(module, module) for module in self.modules}
        return len(modules), len({(a, b) for a, b in ends if a != b})

    def to_text(self) -> str:
        """Return rooms, modules, passages and passages back, one line each.

        >>> walk = Walk()
        >>> walk.step(["curves.predict"], "matching.curve")
        >>> print(walk.to_text())
        1 rooms, 1 passages between rooms
        1 modules, 1 passages, 0 of them back to a room that was left
        <BLANKLINE>
        curves -> matching
        <BLANKLINE>
        matching.curve
        <BLANKLINE>
        curves.predict -> matching.curve
        """
        count = f"{len(self.modules)} modules, {len(self.passages)} passages, {len(self.back)} of"
        between = dict.fromkeys((room(a), room(b)) for a, b in self.passages if room(a) != room(b))
        rooms = dict.fromkeys(map(room, self.modules))
        lines = [
            f"{len(rooms)} rooms, {len(between)} passages between rooms",
            f"{count} them back to a room that was left",
            "",
            *(" -> ".join(pair) for pair in between),
            "",
            *self.modules,
            "",
        ]
        for passage in self.passages:
            lines.append(" -> ".join(passage) + ("  (back)" if passage in self.back else ""))
        return "\n".join(lines)


def room(module: str) -> str:
    """Return the room of a module: the first part of its name."""
    return module.split(".")[0]


def module_of(frame: FrameType) -> str | None:
    """Return the module of the library that a frame runs, None for the ground and all others."""
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(LIBRARY) or frame.f_code.co_name == "<module>":
        return None
    name = ".".join(path.relative_to(LIBRARY).with_suffix("").parts)
    return None if room(name) in GROUND else name


def watch(function: Callable[[], Any]) -> Walk:
    """Return the walk of a call."""
    walk = Walk()
    frames: list[str] = []
    seen: dict[str, str | None] = {}

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        key = f"{code.co_filename}:{code.co_name}"
        if key not in seen:
            seen[key] = module_of(frame)
        module = seen[key]
        if module is None:
            return
        if event == "call":
            walk.step(frames, module)
            frames.append(module)
        else:
            frames.pop()

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return walk


def prediction() -> tuple[ft.Moments, Callable[[], Any]]:
    """Return moments, and a call of ``predict_curve`` on them that nothing has been kept for."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((300, 8))
    image = shared + rng.standard_normal((300, 8))
    moments = ft.Moments.from_features(image, shared)
    return moments, lambda: ft.predict_curve("concat-mlp", moments, [64, 512], ridge=1.0)


def walks() -> tuple[str, str, str]:
    """Return both walks as text, what joining would leave, and who else takes which module.

    Every module is loaded before.
    """
    prediction()[1]()
    moments, predict = prediction()
    diagnosis = watch(lambda: moments.diagnosis)
    predicted = watch(predict)
    text = (
        f"The prediction, of moments that carry their diagnosis\n\n{predicted.to_text()}\n\n"
        f"The diagnosis of the features\n\n{diagnosis.to_text()}"
    )
    return text, joinable(predicted), apart(predicted)


def joinable(walk: Walk) -> str:
    """Return a line for each of `JOINED`: its length, and modules and passages of the walk then."""
    lines = ["lines  modules  passages  one file of"]
    for files in JOINED:
        modules, passages = walk.joined(files)
        told = _STEP * round(_length(files) / _STEP)
        lines.append(f"{told:5}  {modules:7}  {passages:8}  {', '.join(files)}")
    short = [files for files in JOINED if _length(files) <= _MOST]
    modules, passages = walk.joined(*short)
    lines.append(f"       {modules:7}  {passages:8}  all of these with at most {_MOST} lines")
    return "\n".join(lines)


def apart(walk: Walk) -> str:
    """Return a line for each module of the walk: others of the library that take it too."""
    lines = []
    for module, by in takers(walk.modules).items():
        asked = {start for start, end in walk.passages if end == module}
        others = sorted(by - asked)
        said = ", ".join(others[:_NAMED]) or "nobody"
        more = " and others" if len(others) > _NAMED else ""
        lines.append(f"{module:23} {said}{more}")
    return "\n".join([f"{'module':23} taken by others too", *lines])


def takers(modules: Iterable[str]) -> dict[str, set[str]]:
    """Return by module those of the library that import something that it defines, by any face."""
    found: dict[str, set[str]] = {module: set() for module in modules}
    faces = tuple(f"fusiontheory.{name}" for name in {room(module) for module in found})
    for path in LIBRARY.rglob("*.py"):
        own = ".".join(path.relative_to(LIBRARY).with_suffix("").parts)
        if path.name == "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            homes = [node.module]  # within a room a module is imported itself
            if node.module in faces:
                face = import_module(node.module)
                homes = [getattr(getattr(face, a.name), "__module__", "") for a in node.names]
            for home in homes:
                if (name := home.removeprefix("fusiontheory.")) in found:
                    found[name].add(own)
    return found


def _length(files: Sequence[str]) -> int:
    paths = [LIBRARY.joinpath(*name.split(".")).with_suffix(".py") for name in files]
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


if __name__ == "__main__":
    print("\n\n".join(walks()))
