"""What kind of argument an annotation asks for, and the words that refuse another.

A `Kind` takes an argument's name and value and returns the value, as an array where one is asked
for, or refuses it. Range, shape and meaning are the business of the function itself.
"""

from __future__ import annotations

import functools
import inspect
import operator
import os
import types
import typing
from collections import abc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.constraints.arrays import array_like, array_of
from fusiontheory.constraints.words import refuse

__all__ = ["Kind", "held_to", "kind_of"]

Kind = Callable[[str, Any], Any]


def kind_of(annotation: Any, space: Mapping[str, Any]) -> Kind | None:
    """Return what holds an argument to an annotation; None if that asks for nothing.

    Args:
        annotation: a type, or its source text.
        space: globals of the module, in which the text is read. A class that only type checkers
            import there is known by its name.

    Example:
        >>> kind_of("int | None", {})("rank", 1.5)
        Traceback (most recent call last):
        fusiontheory.checks.InputError: rank must be an integer, got 1.5
    """
    return held_to(annotation, space)[0]


def held_to(annotation: Any, space: Mapping[str, Any]) -> tuple[Kind | None, frozenset[Any]]:
    """Return the kind of an annotation, and the types that it returns as they are.

    Their own instances, that is, not those of subclasses. A dtype stands for arrays of it.

    >>> sorted(one.__name__ for one in held_to("int | str", {})[1])
    ['int', 'str']
    """
    if annotation is inspect.Parameter.empty:
        return None, frozenset()
    kind = _evaluated(annotation, space)
    if isinstance(kind, str):
        return _named(kind), frozenset()
    try:
        return _held_to(kind)
    except TypeError:  # it cannot be hashed
        return _kind(kind), _plain_types(kind)


@functools.cache
def _held_to(kind: Any) -> tuple[Kind | None, frozenset[Any]]:
    return _kind(kind), _plain_types(kind)


def _plain_types(kind: Any) -> frozenset[Any]:
    parts = typing.get_args(kind) if _is_union(kind) else (kind,)
    if repr(kind) == _ARRAY_LIKE:
        return frozenset({float, int, bool, np.float64, *_FLOATS})
    if _kind(kind) is _path or any(_kind(part) is None for part in parts):
        return frozenset()
    classes = (part for part in parts if inspect.isclass(part) and not typing.get_origin(part))
    plain: set[Any] = {c for c in classes if c in (int, float, str, bool) or _is_own(c)}
    plain |= {np.float64} if float in plain else set()
    plain |= _FLOATS if any(map(_is_float_array, parts)) else set()
    return frozenset(plain | ({type(None)} if {None, type(None)} & set(parts) else set()))


_FLOATS = frozenset({np.dtype(np.float64), np.dtype(np.float32)})


def _is_float_array(annotation: Any) -> bool:
    if typing.get_origin(annotation) is not np.ndarray:
        return False
    scalar = typing.get_args(typing.get_args(annotation)[1])[0]
    scalar = typing.get_origin(scalar) or scalar
    return inspect.isclass(scalar) and issubclass(scalar, np.floating)


def _is_own(cls: type) -> bool:
    return cls.__module__.startswith("fusiontheory") and not getattr(cls, "_is_protocol", False)


def _is_union(annotation: Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _evaluated(annotation: Any, space: Mapping[str, Any]) -> Any:
    """Return what the text of an annotation stands for; the text where it is none at run time."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, dict(space))
    except (NameError, TypeError):  # such as pd.Series[float], which is none at run time
        return annotation


def _kind(annotation: Any) -> Kind | None:
    simple = _SIMPLE.get(annotation) if isinstance(annotation, abc.Hashable) else None
    if simple is not None:
        return simple
    if repr(annotation) == _ARRAY_LIKE:
        return array_like
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if _is_union(annotation):
        return _either(inner)
    if origin is typing.Literal:
        return _one_of(inner)
    if origin is np.ndarray:
        return array_of(typing.get_args(inner[1])[0])
    if origin is tuple:
        return _tuple_of(inner)
    if origin in (list, abc.Sequence):
        return _sequence_of(_kind(inner[0]))
    if origin in (dict, abc.Mapping):
        return _mapping_of(_kind(inner[1]))
    if origin is abc.Callable:
        return _callable
    if origin is abc.Iterable:
        return _iterable_of(_kind(inner[0]))
    if typing.is_typeddict(annotation):
        return _mapping_of(None)
    if getattr(origin or annotation, "_is_protocol", False):
        return _duck(origin or annotation)
    if inspect.isclass(origin or annotation) and not _loose(origin or annotation):
        return _instance(origin or annotation)
    return None


_ARRAY_LIKE = repr(np.typing.ArrayLike)


def _loose(cls: type) -> bool:
    """Return whether a class says nothing of its instances at run time."""
    return cls in (object, type, Any)


def _integer(name: str, value: Any) -> Any:
    try:
        return int(operator.index(value))
    except TypeError:
        raise refuse(name, "an integer", value) from None


def _number(name: str, value: Any) -> Any:
    if isinstance(value, float | int):
        if isinstance(value, int) and abs(value) > 1e308:
            raise refuse(name, "a number of at most 1e308", value)
        # NumPy takes integers of more than 64 bits as objects, which have no logarithm.
        return float(value) if isinstance(value, int) and abs(value) >= 2**63 else value
    try:
        if isinstance(value, str | bytes) or np.ndim(value) or np.iscomplexobj(value):
            raise TypeError
        float(value)
    except (TypeError, ValueError, OverflowError):
        raise refuse(name, "a number", value) from None
    return value


def _text(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise refuse(name, "a string", value)
    return value


def _flag(name: str, value: Any) -> Any:
    if not isinstance(value, bool | np.bool_):
        raise refuse(name, "true or false", value)
    return value


def _path(name: str, value: Any) -> Any:
    if not isinstance(value, str | os.PathLike):
        raise refuse(name, "a path", value)
    text = os.fspath(value)
    if not isinstance(text, str) or "\0" in text or len(text.encode(errors="replace")) > 4000:
        raise refuse(name, "a path", text)
    if any(len(part.encode(errors="replace")) > 255 for part in Path(text).parts):
        raise refuse(name, "a path whose names have at most 255 bytes", text)
    return value


def _callable(name: str, value: Any) -> Any:
    if not callable(value):
        raise refuse(name, "a function", value)
    return value


def _iterable_of(item: Kind | None) -> Kind:
    def kind(name: str, value: Any) -> Any:
        if isinstance(value, str) and item is _text:
            return value  # one name where names are asked for
        if isinstance(value, str | bytes) or not isinstance(value, abc.Iterable):
            raise refuse(name, "a sequence", value)
        if isinstance(value, np.ndarray | list | tuple):
            return _sequence_of(item)(name, value)
        if item is None:
            return value
        if isinstance(value, abc.Iterator):
            return (item(name, one) for one in value)
        item(name, next(iter(value), None))  # the rest costs too much, or is made anew
        return value

    return kind


def _instance(cls: type) -> Kind:
    def kind(name: str, value: Any) -> Any:
        if not isinstance(value, cls):
            raise InputError(f"{name} must be a {cls.__name__}, got {type(value).__name__}")
        return value

    return kind


def _named(annotation: str) -> Kind | None:
    """Return the kind of instances of a class of this name; None if the text says more."""
    if not all(part.isidentifier() for part in annotation.split(".")):
        return None
    cls = annotation.rpartition(".")[2]

    def kind(name: str, value: Any) -> Any:
        if all(base.__name__ != cls for base in type(value).__mro__):
            raise InputError(f"{name} must be a {cls}, got {type(value).__name__}")
        return value

    return kind


def _duck(protocol: type) -> Kind:
    """Return the kind of what has the methods and attributes of a protocol."""
    wanted = [
        name
        for name in {**vars(protocol), **vars(protocol).get("__annotations__", {})}
        if not name.startswith("_") or name == "__call__"
    ]

    def kind(name: str, value: Any) -> Any:
        if missing := [one for one in wanted if not _has(value, one)]:
            raise refuse(name, f"a {protocol.__name__}, with {missing[0]}", value)
        return value

    return kind


def _has(value: Any, name: str) -> bool:
    """Return whether a value has an attribute, without computing a property that takes long."""
    return inspect.getattr_static(value, name, _NONE) is not _NONE or hasattr(value, name)


_NONE = object()


def _one_of(options: tuple[Any, ...]) -> Kind:
    def kind(name: str, value: Any) -> Any:
        if not isinstance(value, abc.Hashable) or value not in options:
            words = [str(option) for option in options]
            wanted = " or ".join(words) if len(words) < 3 else f"one of {', '.join(words)}"
            raise refuse(name, wanted, value)
        return value

    return kind


def _either(options: tuple[Any, ...]) -> Kind | None:
    """Return the kind of a union: the first that takes the value; the refusal of the last."""
    if str in options and any(option in _PATHS for option in options) and len(options) == 2:
        return _path
    kinds = [_kind(option) for option in options]
    if None in kinds:
        return None
    # Literals say more when they refuse, and numbers come before arrays of them.
    known = [kind for kind in kinds if kind is not None]

    def kind(name: str, value: Any) -> Any:
        refusals = []
        for one in known:
            try:
                return one(name, value)
            except InputError as error:
                refusals.append(error)
        said = [r for r, option in zip(refusals, options, strict=True) if option is not type(None)]
        if len(said) == 1:
            raise said[0]
        start = f"{name} must be "
        wanted = [str(r).partition(", got ")[0].removeprefix(start) for r in said]
        raise refuse(name, " or ".join(dict.fromkeys(wanted)), value)

    return kind


def _tuple_of(inner: tuple[Any, ...]) -> Kind:
    if len(inner) == 2 and inner[1] is Ellipsis:
        sequence = _sequence_of(_kind(inner[0]))
        return lambda name, value: tuple(sequence(name, value))
    kinds = [_kind(one) for one in inner]

    def kind(name: str, value: Any) -> Any:
        if not isinstance(value, tuple | list) or len(value) != len(kinds):
            raise refuse(name, f"{len(kinds)} values", value)
        return tuple(
            one if of is None else of(name, one) for of, one in zip(kinds, value, strict=True)
        )

    return kind if inner else _iterable_of(None)


def _sequence_of(item: Kind | None) -> Kind:
    def kind(name: str, value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.ndim:
            if item is not None and value.size:
                # Those of one dtype are alike; objects may each be something else.
                for one in value if value.dtype == object else value[:1]:
                    item(name, one)
            return value
        other = isinstance(value, str | bytes | Mapping | abc.Set | np.ndarray)
        if other or not (hasattr(value, "__len__") and hasattr(value, "__getitem__")):
            raise refuse(name, "a sequence", value)
        if item is None:
            return value
        held = [item(name, one) for one in value]
        return held if _became_another(held, value) else value

    return kind


def _mapping_of(item: Kind | None) -> Kind:
    def kind(name: str, value: Any) -> Any:
        if not isinstance(value, abc.Mapping):
            raise refuse(name, "a dictionary", value)
        if item is None:
            return value
        held = {key: item(f"{name}[{key!r}]", one) for key, one in value.items()}
        return held if _became_another(held.values(), value.values()) else value

    return kind


def _became_another(held: abc.Iterable[Any], given: abc.Iterable[Any]) -> bool:
    """Return whether something became an array or float; else it keeps what it is held in."""
    pairs = zip(held, given, strict=True)
    return any(isinstance(one, np.ndarray | float) and one is not was for one, was in pairs)


def _nothing(name: str, value: Any) -> Any:
    if value is not None:
        raise refuse(name, "None", value)
    return value


_SIMPLE: dict[Any, Kind] = {
    int: _integer,
    float: _number,
    str: _text,
    bool: _flag,
    type(None): _nothing,
    None: _nothing,
}
_PATHS = (os.PathLike, os.PathLike[str])
