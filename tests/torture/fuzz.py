"""Calls of every public callable with plausible and with hostile arguments.

The callables are found by themselves from the `__all__` of the library and of each room. A call
may end in an `InputError`, in an error of the library's own that its docstring names, or in a
value: finite for finite arguments, unless the docstring says what is not or a warning does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import inspect
import io
import pkgutil
import random
import typing
import warnings
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fusiontheory
from fusiontheory.checks import InputError
from fusiontheory.networks import FusionNetwork
from torture.hostile import HOSTILE
from torture.limits import GIB, SECONDS, Overdue, held_mib, inside, limited, peak_mib, was_to_be_had

# Ground that takes an argument's name from the programmer, and what starts or serves commands.
_APART = ("checks", "constraints", "console", "cli", "commands", "plugins")
_NOT_FUZZED = tuple(f"fusiontheory.{name}" for name in _APART)


@dataclasses.dataclass(frozen=True)
class Target:
    """A public callable; a method has the class whose instances it is called on."""

    name: str
    function: Callable[..., Any]
    owner: type | None = None


@dataclasses.dataclass(frozen=True)
class Fault:
    """What a call did that it may not do."""

    target: str
    arguments: str
    what: str


def rooms() -> list[str]:
    """Return the library and every room of it, a package or a module."""
    found = pkgutil.walk_packages(fusiontheory.__path__, "fusiontheory.")
    names = [m.name for m in found if m.ispkg or m.name.count(".") == 1]
    kept = [n for n in names if not n.startswith(_NOT_FUZZED) and not n.endswith("__main__")]
    return ["fusiontheory", *kept]


def targets() -> list[Target]:
    """Return every public callable once, with the public methods of public classes."""
    found: dict[int, Target] = {}
    for room in rooms():
        module = importlib.import_module(room)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            is_class = inspect.isclass(value) and not typing.get_origin(value)
            if not (is_class or inspect.isfunction(value)):
                continue
            if not value.__module__.startswith("fusiontheory") or _skipped(value):
                continue
            found.setdefault(id(value), Target(f"{room}.{name}", value))
            for method, member in vars(value).items() if is_class else ():
                if method.startswith("_") or not _is_method(member):
                    continue
                of_class = isinstance(member, classmethod | staticmethod)
                label = f"{room}.{name}.{method}"
                called = getattr(value, method)
                found.setdefault(id(member), Target(label, called, None if of_class else value))
    return sorted(found.values(), key=lambda target: target.name)


def _skipped(value: Any) -> bool:
    if value is FusionNetwork:
        return True  # abstract
    if getattr(value, "_is_protocol", False) or getattr(value, "__name__", "") == "scatter_over":
        return True  # nobody's object; starts a process for each device that it is given
    return inspect.isclass(value) and issubclass(value, BaseException | tuple)


def _is_method(member: Any) -> bool:
    return inspect.isfunction(member) or isinstance(member, classmethod | staticmethod)


class Fuzzer:
    """Makes calls; what they return is kept as arguments for others.

    Args:
        seed: of the calls.
        folder: where what is written may go; paths among the arguments lie in it.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        """Prepare the values that calls start from."""
        self.random = random.Random(seed)
        self.rng = np.random.default_rng(seed)
        self.folder = folder
        self.targets = targets()
        self.pool: defaultdict[type, list[Any]] = defaultdict(list)
        # Values by the callables that return them come first; most classes need others.
        for kept in (self.rng, np.random.SeedSequence(seed), pd.DataFrame({"n": [1], "x": [0.5]})):
            self._keep(kept)
        for head in list(fusiontheory.HEADS.values())[:3]:
            self._keep(head)
        self.calls = self.accepted = self.refused = 0
        self.most_mib = 0.0

    def run(self, calls: int) -> Iterator[Fault]:
        """Make so many calls, each target in turn, and yield the faults."""
        order: list[Target] = []
        while self.calls < calls:
            if not order:
                order = self.random.sample(self.targets, len(self.targets))
            # Methods of a class without an instance so far are passed over, and do not count.
            fault = self.call(order.pop())
            if fault is not None:
                yield fault

    def call(self, target: Target) -> Fault | None:
        """Make one call and return its fault, if it has one; memory that it took is one."""
        arguments = self._arguments(target)
        if arguments is None:
            return None
        text = ", ".join(f"{k}={_shown(v)}" for k, v in arguments.items())
        self.calls += 1
        before = held_mib()
        what = self._fault(target, arguments)
        grown = peak_mib() - before
        self.most_mib = max(self.most_mib, grown)
        if grown > 1024 * GIB:
            what = f"{grown / 1024:.1f} GiB"
        return Fault(target.name, text, what) if what else None

    def _fault(self, target: Target, arguments: dict[str, Any]) -> str | None:
        owner = arguments.pop("self", None)
        positional = arguments.pop("*", ())
        try:
            given = (owner, *positional) if target.owner else positional
            result, warned = self._outcome(target.function, given, arguments)
        except InputError as error:
            self.refused += 1
            return f"more than {GIB} GiB: {error}"[:200] if was_to_be_had(error) else None
        except Overdue:
            return f"more than {SECONDS} s"
        except Exception as error:
            if _meant(error, target, {**arguments, "self": owner, "*": positional}):
                self.refused += 1
                return None
            return f"raw {type(error).__name__}: {str(error)[:200]}"
        self.accepted += 1
        if raw := [w for w in warned if issubclass(w.category, RuntimeWarning)]:
            return f"RuntimeWarning: {raw[0].message}"
        silent = not warned and _finite([positional, arguments, owner]) and not _finite(result)
        if silent and not _documented(target, result):
            return "silent NaN or infinity"
        self._keep(result)
        return None

    def _outcome(
        self, function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[Any, list[warnings.WarningMessage]]:
        with inside(self.folder), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            with contextlib.redirect_stdout(io.StringIO()), limited(SECONDS):
                result = function(*positional, **named)
                if inspect.isgenerator(result):
                    result = [value for value, _ in zip(result, range(50), strict=False)]
        return result, list(warned)

    def _keep(self, value: Any) -> None:
        values = value if isinstance(value, tuple | list) else [value]
        for one in values[:5]:
            if isinstance(one, int | float | str | np.ndarray | list | tuple | dict | None):
                continue
            kept = self.pool[type(one)]
            if len(kept) < 4:
                kept.append(one)
            elif self.random.random() < 0.1:
                kept[self.random.randrange(4)] = one

    def _arguments(self, target: Target) -> dict[str, Any] | None:
        """Return arguments by name; None while there is no instance to call a method on."""
        arguments: dict[str, Any] = {}
        if target.owner:
            if not self.pool[target.owner]:
                return None
            arguments["self"] = self.random.choice(self.pool[target.owner])
        try:
            parameters = list(inspect.signature(target.function).parameters.values())
        except ValueError:
            return None
        parameters = parameters[1:] if target.owner else parameters
        hints = _hints(target.function)
        size = Size(self.random)
        style = self.random.random()
        wrong = self.random.randrange(len(parameters)) if parameters else 0
        for k, parameter in enumerate(parameters):
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            has_default = parameter.default is not parameter.empty
            if has_default and self.random.random() < 0.5:
                continue
            hostile = style > 0.85 or (style > 0.35 and k == wrong)
            hint = hints.get(parameter.name, Any)
            value = self.hostile() if hostile else self.plausible(hint, parameter.name, size)
            if has_default and parameter.name in ("jobs", "scheduler", "device"):
                continue  # starts processes, or waits for one that is not there
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
                arguments["*"] = (*arguments.get("*", ()), value)
            else:
                arguments[parameter.name] = value
        return arguments

    def plausible(self, hint: Any, name: str, size: Size) -> Any:
        """Return a value that an annotation takes."""
        origin, inner = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, importlib.import_module("types").UnionType):
            if repr(hint) == repr(np.typing.ArrayLike):
                return self._array(name, size)
            return self.plausible(self.random.choice(inner), name, size)
        if origin is typing.Literal:
            return self.random.choice(inner)
        if origin is np.ndarray:
            scalar = typing.get_args(inner[1])[0]
            array = self._array(name, size)
            if inspect.isclass(scalar) and issubclass(scalar, np.bool_):
                return array > 0
            if inspect.isclass(scalar) and issubclass(scalar, np.integer):
                return np.abs(array * 3).astype(np.int64)
            return array
        if hint is None or hint is type(None):
            return None
        if hint is bool:
            return self.random.random() < 0.5
        if hint is int:
            return self.random.choice((1, 2, 3, 4, 5, size.d, size.n, 0, 10, 50))
        if hint is float:
            return self.random.choice((0.1, 0.5, 1.0, 2.0, 0.0, 3.7, 0.95, 1e-3, 100.0))
        if hint is str:
            return self._word(name)
        if origin is tuple and not (len(inner) == 2 and inner[1] is Ellipsis):
            return tuple(self.plausible(one, name, size) for one in inner)
        if repr(origin).endswith(("Sequence'>", "Iterable'>")) or origin in (list, tuple):
            values = [
                self.plausible(inner[0], name, size) for _ in range(self.random.randint(1, 3))
            ]
            return tuple(values) if origin is tuple else values
        if repr(origin).endswith("Mapping'>") or origin is dict:
            key = self.plausible(inner[0], name, size)
            key = key if isinstance(key, Hashable) else name
            return {key: self.plausible(inner[1], name, size)}
        if repr(origin).endswith("Callable'>"):
            return self.random.choice((abs, lambda *a: a[0], lambda *a: np.ones(size.d)))
        return self._instance(hint, name)

    def _instance(self, hint: Any, name: str) -> Any:
        # Neither protocols nor typed dictionaries can be asked for their instances.
        loose = typing.is_typeddict(hint) or getattr(hint, "_is_protocol", False)
        if inspect.isclass(hint) and not typing.get_origin(hint) and not loose:
            if issubclass(hint, Path) or hint.__name__ == "PathLike":
                return self.folder / self.random.choice(("a.csv", "b", "c.safetensors", "d.toml"))
            kept = [v for of, values in self.pool.items() if issubclass(of, hint) for v in values]
            if kept:
                return self.random.choice(kept)
            with contextlib.suppress(Exception):
                return hint()
        return self.hostile()

    def _word(self, name: str) -> str:
        words = (
            *fusiontheory.HEADS, "image", "text", "both", "matching", "under", "over", "fast",
            "slow", "v", "t", "auto", "looped", "flat", "concat-mlp", "mix", "additive",
        )  # fmt: skip
        return self.random.choice(words)

    def _array(self, name: str, size: Size) -> Any:
        if any(word in name for word in ("eigenvalue", "power", "kappa", "sizes", "ridges")):
            return np.sort(self.rng.uniform(0.1, 5.0, size.d))[::-1]
        if name in ("y", "labels", "label"):
            return np.where(self.rng.random(size.n) < 0.5, 1.0, -1.0)
        if name in ("n", "strengths", "sigmas", "at"):
            return self.random.choice(([4], [8, 16], 32, 0.5))
        if name in ("image", "text", "v", "t", "x", "X", "a", "b") or self.random.random() < 0.2:
            return self.rng.standard_normal((size.n, size.d))
        if "moment" in name or name in ("kernel", "gram", "covariance", "cross", "second"):
            side = self.rng.standard_normal((size.d, size.d))
            return side @ side.T / size.d
        shape = self.random.choice(((size.d,), (size.d, size.d), (size.n,), (3,), ()))
        array = self.rng.standard_normal(shape)
        return np.abs(array) if self.random.random() < 0.5 else array

    def hostile(self) -> Any:
        """Return a value that little code expects."""
        return self.random.choice(HOSTILE)()


class Size:
    """Rows and columns that the plausible arrays of one call share."""

    def __init__(self, drawn: random.Random) -> None:
        """Draw them."""
        self.n, self.d = drawn.choice((8, 12, 20)), drawn.choice((1, 3, 4))


def _meant(error: Exception, target: Target, arguments: Mapping[str, Any]) -> bool:
    """Return whether an error is the library's own, scikit-learn's contract, or the caller's."""
    if type(error).__module__.startswith("fusiontheory"):
        return True
    owner = target.owner or getattr(target.function, "__self__", target.function)
    estimator = hasattr(owner, "get_params") or "estimator" in arguments
    if estimator and isinstance(error, ValueError | TypeError | OverflowError):
        return True  # `check_estimator` holds estimators to these
    # What a function among the arguments raises is not ours to restate.
    given = [*arguments.values(), *(v for a in arguments.values() for v in _fields(a))]
    return isinstance(error, TypeError | AttributeError) and any(map(callable, given))


def _fields(value: Any) -> Iterable[Any]:
    return getattr(value, "__dict__", {}).values() if dataclasses.is_dataclass(value) else ()


def _hints(function: Any) -> dict[str, Any]:
    plain = inspect.unwrap(getattr(function, "__func__", function))
    if inspect.isclass(plain):
        space = vars(importlib.import_module(plain.__module__))
        plain = inspect.unwrap(plain.__init__)
    else:
        space = getattr(plain, "__globals__", {})
    hints = {}
    for name, hint in getattr(plain, "__annotations__", {}).items():
        try:
            hints[name] = eval(hint, dict(space)) if isinstance(hint, str) else hint
        except (NameError, AttributeError, TypeError):
            hints[name] = Any
    return hints


def _shown(value: Any) -> str:
    text = f"array{value.shape}" if isinstance(value, np.ndarray) else ""
    with contextlib.suppress(Exception):
        text = text or " ".join(repr(value).split())
    return text if len(text) < 80 else f"{text[:76]} ..."


def _documented(target: Target, result: Any) -> bool:
    """Return whether the docstring says that a result may be infinite or NaN."""
    text = (inspect.getdoc(target.function) or "") + (inspect.getdoc(type(result)) or "")
    if target.owner:
        text += inspect.getdoc(target.owner) or ""
    return any(word in text for word in ("NaN", "nan", "infinit", "inf "))


def _finite(value: Any, depth: int = 0) -> bool:
    """Return whether all numbers that a value holds are finite."""
    if depth > 9:
        return True
    if isinstance(value, np.ndarray | np.floating | float):
        array = np.asarray(value)
        return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
    if isinstance(value, pd.DataFrame):
        return _finite(value.select_dtypes("number").to_numpy(dtype=float))
    if isinstance(value, Mapping):
        return all(_finite(one, depth + 1) for one in value.values())
    if isinstance(value, list | tuple):
        return all(_finite(one, depth + 1) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return all(_finite(one, depth + 1) for one in getattr(value, "__dict__", {}).values())
    return True
