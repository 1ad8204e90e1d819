"""Annotations of public callables as constraints of their arguments: one form of refusal for all.

A public function or class is decorated with `checked`. Each call then goes through three steps:

1. every argument is held against its annotation, and one of another kind is refused by name before
   any work starts; what an array is asked of is converted (lists, objects, long doubles); then
   against the rules that the decorator names for it, such as ``degree=between(1, 64)``;
2. the body runs, with its own checks of range, shape and meaning;
3. what NumPy or Python still refuse there, such as shapes that do not fit together or a singular
   matrix, and an overflow that reaches the result, is said again as an `InputError` with the
   arguments in one line. `TypeError`, `AttributeError` and their like are not: with arguments of
   the right kinds they are our mistakes.

None of this changes what a function returns for arguments that it takes, so that the version of
the code that made a record leaves the decorator out (`fusiontheory.store.code_version`).
"""

from __future__ import annotations

import dataclasses
import errno
import functools
import inspect
import sys
import types
from collections.abc import Callable, Container, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar, cast, overload

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.constraints.kinds import Kind, held_to
from fusiontheory.constraints.rules import instead
from fusiontheory.constraints.words import short

__all__ = ["checked"]

_Target = TypeVar("_Target", bound=Callable[..., Any])

Together = Callable[[Mapping[str, Any]], None]

_REFUSED = (ArithmeticError, IndexError, KeyError, MemoryError, OSError, RuntimeError, ValueError)
"""What a body raises at values that are of the right kind but cannot be used; LinAlgError is a
ValueError, and PyTorch raises RuntimeError at shapes."""

_OF_TENSORS = (
    "utf-8",
    "allocate memory",
    "size",
    "shape",
    "dimension",
    "dtype",
    "expected",
    "must match",
    "tensor",
    "device",
)
"""Words of PyTorch's RuntimeErrors at tensors that do not fit together."""

_WATCHED = ContextVar("overflow is watched by a call further out", default=False)

_OF_VALUES = (
    "0-d",
    "0-dimensional",
    "JSON serializable",
    "has no len()",
    "is not iterable",
    "unhashable type",
    "Cannot cast",
    "can't multiply sequence",
    "numpy.float64' ",
    "'NoneType' and 'NoneType'",
    "'str' and 'str'",
    "argument must be a string",
    "not supported between instances",
    "Overflow when unpacking",
    "object too deep",
    "resolved dtypes",
    "size-1 arrays",
    "length-1 arrays",
    "ufunc '",
    "unsized object",
)
"""Words of TypeErrors at values, such as arrays of another dimension than a body expects."""


@dataclasses.dataclass(frozen=True)
class _Rules:
    """What the decorator names: rules of single arguments, and of all of them together."""

    single: Mapping[str, Kind] = dataclasses.field(default_factory=dict)
    together: Together | None = None
    annotations: bool = True


_NO_RULES = _Rules()


@overload
def checked(target: _Target, /) -> _Target: ...
@overload
def checked(
    *, annotations: bool = True, together: Together | None = None, **rules: Kind
) -> Callable[[_Target], _Target]: ...
def checked(
    target: Any = None,
    /,
    *,
    annotations: bool = True,
    together: Together | None = None,
    **rules: Kind,
) -> Any:
    """Hold the arguments of a function, or of a class and its public methods, to their annotations.

    Args:
        target: the function or class.
        annotations: false where the body says itself what is wrong with each argument.
        together: takes all arguments by name and refuses those that do not fit together.
        rules: for arguments, of a class those that make it: what takes name and value and returns
            the value or refuses it, such as `between`, `finite` and `shaped` make. One of
            `instead` is asked in place of the annotation.

    Raises:
        InputError: by what is returned, for an argument of another kind than its annotation says,
            against its rule, or one that the body cannot work with.

    Example:
        >>> @checked
        ... def volume(side: float, dimensions: int = 3) -> float:
        ...     return side**dimensions
        >>> volume(2.0)
        8.0
        >>> volume(2.0, "three")
        Traceback (most recent call last):
        fusiontheory.checks.InputError: dimensions must be an integer, got 'three'
        >>> from fusiontheory.constraints import between
        >>> @checked(dimensions=between(1, 9))
        ... def corners(dimensions: int) -> int:
        ...     return 2**dimensions
        >>> corners(10)
        Traceback (most recent call last):
        fusiontheory.checks.InputError: dimensions must be from 1 to 9, got 10
    """
    if target is None:
        return lambda later: _decorated(later, _Rules(rules, together, annotations))
    return _decorated(target, _NO_RULES)


def _decorated(target: _Target, rules: _Rules) -> _Target:
    if not inspect.isclass(target):
        return cast(_Target, _wrapped(target, target.__name__, None, rules))
    own = vars(target)
    if "__init__" in own:
        cast(Any, target).__init__ = _wrapped(own["__init__"], target.__name__, target, rules)
    for name, member in list(own.items()):
        if name.startswith("_"):
            continue
        label = f"{target.__name__}.{name}"
        if isinstance(member, classmethod | staticmethod):
            setattr(target, name, type(member)(_wrapped(member.__func__, label, target)))
        elif inspect.isfunction(member):
            setattr(target, name, _wrapped(member, label, target))
    return target


def _wrapped(
    function: Callable[..., Any],
    label: str,
    owner: type | None,
    rules: _Rules = _NO_RULES,
) -> Any:
    """Return the function with its arguments held to its annotations and to rules."""
    kinds = functools.cache(lambda: _kinds(function, owner, rules))

    def call(*args: Any, **kwargs: Any) -> Any:
        # The library's own calls come through here too, a thousand for a few curves: what passes
        # as it is costs a look-up.
        wanted = kinds()
        for value, passing in zip(args, wanted.plain):  # noqa: B905 (a strict one is slower)
            of = type(value)
            if of not in passing and not (of is array and value.dtype in passing):
                args, kwargs = fit(wanted, args, kwargs)
                break
        else:
            if kwargs:
                kwargs = named(wanted, kwargs)
        if wanted.together is not None:
            wanted.together(given(args, kwargs))
        try:
            return function(*args, **kwargs) if watched.get() else outermost(function, args, kwargs)
        except (*refused, TypeError) as error:
            said = restated(error, label, kinds(), args, kwargs)
            if said is error:
                raise
            raise said from error

    def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from function(*args, **kwargs)
        except refused as error:
            said = restated(error, label, kinds(), args, kwargs)
            if said is error:
                raise
            raise said from error

    steps.__code__ = _unseen(steps.__code__)

    def call_of_steps(*args: Any, **kwargs: Any) -> Any:
        wanted = kinds()
        args, kwargs = fit(wanted, args, kwargs)
        if wanted.together is not None:
            wanted.together(given(args, kwargs))
        return steps(*args, **kwargs)

    # Names of the wrapper come from its closure, so that it can share the globals of the
    # function: doctest looks there for the module that an example is of.
    fit, named, refused, restated = _fit, _fit_named, _REFUSED, _restated
    array, outermost, watched = np.ndarray, _outermost, _WATCHED
    given = functools.partial(_given, functools.cache(lambda: inspect.signature(function)))
    plain = inspect.unwrap(function)
    chosen = call_of_steps if inspect.isgeneratorfunction(function) else call
    wrapper = types.FunctionType(
        _unseen(chosen.__code__), plain.__globals__, function.__name__, None, chosen.__closure__
    )
    return functools.update_wrapper(wrapper, function)


def _given(
    signature: Callable[[], inspect.Signature], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Mapping[str, Any]:
    """Return all arguments by name, with those that are left out."""
    bound = signature().bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.arguments


def _unseen(code: types.CodeType) -> types.CodeType:
    """Return the code under a name of file that `warnings.warn` leaves out as it counts levels.

    A warning of a body then points to who called the function, as it does without the wrapper.
    Until Python 3.12 has `skip_file_prefixes` everywhere, names of importlib's are the one way.
    """
    return code.replace(co_filename="<checked, left out like importlib._bootstrap>")


def _outermost(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function and refuse an overflow on the way to a result that is not finite."""
    flags: list[str] = []
    token = _WATCHED.set(True)
    # Flags alone prove nothing: some builds of BLAS raise them at random.
    watch = np.errstate(
        over="call", invalid="call", divide="call", call=lambda flag, _: flags.append(flag)
    )
    try:
        with watch:
            result = function(*args, **kwargs)
    finally:
        _WATCHED.reset(token)
    if flags and not _finite(result):
        raise FloatingPointError(f"{flags[0]} on the way to the result")
    return result


_outermost.__code__ = _unseen(_outermost.__code__)


@dataclasses.dataclass(frozen=True)
class _Part:
    """A parameter: what holds arguments to it, and the types, or dtypes, that pass as they are."""

    name: str
    kind: Kind | None
    plain: frozenset[Any]

    def fit(self, value: Any) -> Any:
        """Return a value held to the parameter; InputError for one of another kind."""
        if self.kind is None or type(value) in self.plain:
            return value
        return self.kind(self.name, value)


class _Every:
    """All types."""

    def __contains__(self, one: object) -> bool:
        return True


_EVERY = _Every()


@dataclasses.dataclass(frozen=True)
class _Kinds:
    """The parameters of a function, by place and by name."""

    positional: tuple[_Part, ...]
    named: dict[str, _Part]
    plain: tuple[Container[Any], ...]
    together: Together | None


def _kinds(function: Callable[..., Any], owner: type | None, rules: _Rules) -> _Kinds:
    """Return the kinds that the annotations of a function and its rules ask for."""
    own = inspect.unwrap(function).__globals__
    space = vars(sys.modules[owner.__module__]) if owner else own
    positional, named = list[_Part](), dict[str, _Part]()
    for name, parameter in inspect.signature(function).parameters.items():
        asked = parameter.annotation if rules.annotations else parameter.empty
        kind, types = held_to(asked, space)
        if name in rules.single:
            kind, types = _both(kind, rules.single[name]), frozenset()
        if kind is not None and parameter.default is None:
            kind, types = _optional(kind), types | {type(None)}
        part = _Part(name, kind, types)
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            positional.append(part)
        if kind is not None and parameter.kind is not parameter.VAR_POSITIONAL:
            named[name] = part
    plain = [_EVERY if part.kind is None else part.plain for part in positional]
    if owner and plain and plain[0] is _EVERY:
        plain[0] = frozenset({owner})  # that is self, mostly
    return _Kinds(tuple(positional), named, tuple(plain), rules.together)


def _both(kind: Kind | None, rule: Kind) -> Kind | None:
    if isinstance(rule, instead):
        return rule.kind
    if kind is None:
        return rule
    return lambda name, value: rule(name, kind(name, value))


def _optional(kind: Kind) -> Kind:
    return lambda name, value: None if value is None else kind(name, value)


def _fit(
    kinds: _Kinds, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments, each held against its kind; InputError for one of another kind."""
    held = [part.fit(value) for part, value in zip(kinds.positional, args, strict=False)]
    return (*held, *args[len(held) :]), _fit_named(kinds, kwargs)


def _fit_named(kinds: _Kinds, kwargs: dict[str, Any]) -> dict[str, Any]:
    for name, value in kwargs.items():
        if name in kinds.named:
            kwargs[name] = kinds.named[name].fit(value)
    return kwargs


def _finite(result: Any) -> bool:
    """Return whether all numbers in a result, or in what it holds, are finite."""
    if isinstance(result, np.ndarray):
        return result.dtype.kind not in "fc" or bool(np.isfinite(result).all())
    if isinstance(result, float | np.floating):
        return bool(np.isfinite(result))
    if isinstance(result, list | tuple):
        return all(map(_finite, result))
    if isinstance(result, Mapping):
        return all(map(_finite, result.values()))
    if dataclasses.is_dataclass(result):
        return all(map(_finite, vars(result).values())) if hasattr(result, "__dict__") else True
    if hasattr(result, "select_dtypes"):
        return _finite(result.select_dtypes("number").to_numpy(dtype=float))
    return True


def _restated(
    error: Exception, label: str, kinds: _Kinds, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Exception:
    """Return what is to be raised of a refusal: ours as it is, another with the arguments."""
    if isinstance(error, InputError) or type(error).__module__.startswith(
        ("fusiontheory", "validation", "experiments", "sklearn")
    ):
        return error
    if isinstance(error, NotImplementedError) and not type(error).__module__.startswith("sympy"):
        return error
    if isinstance(error, OSError) and error.errno not in (errno.ENAMETOOLONG, errno.ELOOP):
        return error
    if type(error) is RuntimeError and not any(
        words in str(error).lower() for words in _OF_TENSORS
    ):
        return error
    if isinstance(error, TypeError) and not any(words in str(error) for words in _OF_VALUES):
        return error
    given = {part.name: value for part, value in zip(kinds.positional, args, strict=False)}
    given = {k: v for k, v in {**given, **kwargs}.items() if k not in ("self", "cls")}
    words = ", ".join(f"{name} = {short(value)}" for name, value in given.items())
    why = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, np.linalg.LinAlgError):
        why = f"a matrix is singular or its decomposition does not converge ({why})"
    if isinstance(error, MemoryError) or "allocate memory" in why:
        why = f"not enough memory ({why})"
    return InputError(f"{label} needs arguments that fit together, got {words}: {why}")
