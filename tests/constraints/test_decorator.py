"""One form of refusal: arguments against annotations and rules, and what NumPy refuses."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

import fusiontheory as ft
from fusiontheory.constraints import (
    array_like,
    as_many,
    being,
    between,
    checked,
    finite,
    in_memory,
    instead,
    positive_integers,
    ragged,
    shaped,
    single,
)
from fusiontheory.constraints.kinds import held_to
from fusiontheory.risk import learned


def test_arguments_are_held_to_annotations():
    @checked
    def scaled(x: np.typing.NDArray[np.float64], by: float, names: tuple[str, ...] = ()) -> float:
        return float(x.sum() * by)

    assert scaled([1, 2], np.float32(2)) == 6
    assert scaled(np.ones(2, dtype=np.longdouble), by=1) == 2
    for bad, words in (
        ((None, 1.0), "x must be an array of numbers, got NoneType"),
        (([1j], 1.0), "x must be an array of real numbers, got complex ones"),
        (([1.0], "2"), "by must be a number, got '2'"),
        (([1.0], 1.0, "ab"), "names must be a sequence, got 'ab'"),
        (([1.0], 1.0, [1]), "names must be a string, got 1"),
    ):
        with pytest.raises(ft.InputError, match=words):
            scaled(*bad)


def test_what_numpy_refuses_is_said_with_the_arguments():
    with pytest.raises(ft.InputError, match=r"learned needs arguments that fit together.*\(2,\)"):
        learned(np.ones(2), np.ones(3))


def test_rules_are_held_after_annotations():
    @checked(n=between(1, 64), share=between(0, 1, below=True), x=finite(1, 2, least=2))
    def kept(n: int, share: float, x: np.typing.NDArray[np.float64]) -> int:
        return n

    assert kept(64, 0.0, [1.0, 2.0]) == 64
    for bad, words in (
        ((65, 0.0, [1.0, 2.0]), "n must be from 1 to 64, got 65"),
        ((0, 0.0, [1.0, 2.0]), "n must be from 1 to 64, got 0"),
        (("1", 0.0, [1.0, 2.0]), "n must be an integer, got '1'"),
        ((1, 1.0, [1.0, 2.0]), "share must be from 0 to below 1, got 1.0"),
        ((1, np.nan, [1.0, 2.0]), "share must be from 0 to below 1, got nan"),
        ((1, 0.0, [1.0]), "x must hold at least 2 values, got 1"),
        ((1, 0.0, [1.0, np.inf]), "x must be finite"),
    ):
        with pytest.raises(ft.InputError, match=words):
            kept(*bad)


def test_a_rule_of_shape_on_a_class():
    @checked(x=shaped(0, 2))
    class Table:
        def __init__(self, x: np.typing.NDArray[np.float64]) -> None:
            self.x = x

    assert Table(np.zeros((0, 2))).x.shape == (0, 2)
    for shape in ((3, 1), (2,)):
        with pytest.raises(ft.InputError, match="x must have 2 dimensions of at least 0, 2"):
            Table(np.zeros(shape))


def test_an_overflow_that_reaches_the_result_is_refused_and_no_other():
    @checked
    def scaled(x: float, by: float) -> float:
        return float(np.float64(x) * by)

    @checked
    def bounded(x: float) -> float:
        return min(scaled(x, x), 1.0)

    assert bounded(1e300) == 1.0
    with pytest.raises(ft.InputError, match="overflow on the way to the result"):
        scaled(1e300, 1e300)
    assert scaled(np.inf, 1.0) == np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bounded(2.0) == 1.0


def test_mistakes_of_the_library_are_not_dressed_as_refusals():
    @checked
    def wrong(x: float) -> float:
        return x.shape  # type: ignore[attr-defined,no-any-return]

    with pytest.raises(AttributeError):
        wrong(1.0)


def test_holding_to_a_protocol_computes_nothing():
    class Sized(Protocol):
        @property
        def size(self) -> int: ...

    class Costly:
        @cached_property
        def size(self) -> int:
            raise AssertionError("was computed")

    @checked
    def taken(thing: Sized) -> str:
        return "taken"

    taken.__globals__["Sized"] = Sized
    try:
        assert taken(Costly()) == "taken"
        with pytest.raises(ft.InputError, match="thing must be a Sized, with size, got a object"):
            taken(object())
    finally:
        del taken.__globals__["Sized"]


def test_a_warning_points_to_who_called():
    @checked
    def warned(x: float) -> float:
        warnings.warn("so", stacklevel=2)
        return x

    @checked
    def steps(x: float) -> Iterator[float]:
        warnings.warn("so", stacklevel=2)
        yield x

    for call in (lambda: warned(1.0), lambda: list(steps(1.0))):
        with pytest.warns(UserWarning, match="so") as caught:
            call()
        assert Path(caught[0].filename).name == Path(__file__).name


def test_a_checked_function_is_pickled_by_its_name():
    assert pickle.loads(pickle.dumps(learned)) is learned


def test_rules_of_all_arguments_and_in_place_of_an_annotation():
    @checked(
        sizes=positive_integers, x=instead(ragged), together=as_many("x", "y", at_most="sizes")
    )
    def rows(x: NDArray[np.float64], y: NDArray[np.float64], sizes: Sequence[int] = ()) -> int:
        return len(x)

    assert rows([[1.0], [1.0, 2.0]], [1.0, 2.0], [2]) == 2
    for arguments, words in (
        (([[1.0]], [1.0, 2.0]), "x and y must have as many rows, got 1 and 2"),
        (([[1.0]], [1.0], [2]), "sizes must be at most the 1 rows, got 2"),
        (([[1.0]], [1.0], [0]), "sizes must be at least 1, got 0"),
        ((1.0, [1.0]), "x must be a sequence of arrays, got 1.0"),
        (("ab", [1.0]), "x must be a sequence of arrays, got 'ab'"),
    ):
        with pytest.raises(ft.InputError, match=words):
            rows(*arguments)


def test_types_that_pass_quickly_are_those_that_their_kinds_return():
    values = (1, 1.5, True, "x", None, np.float64(2.0), np.ones(2), np.ones(2, dtype=np.float32))
    for annotation in ("int", "float", "str", "bool", "float | None", "ArrayLike", "_Array | str"):
        space = {"ArrayLike": ArrayLike, "_Array": NDArray[np.float64]}
        kind, passing = held_to(annotation, space)
        keys = [v.dtype if isinstance(v, np.ndarray) else type(v) for v in values]
        found = [v for v, key in zip(values, keys, strict=True) if key in passing]
        assert found
        assert all(kind("x", value) is value for value in found)


def test_paths_and_iterators_are_held_as_they_come():
    @checked
    def kept(path: str | os.PathLike[str] = "a", values: Iterable[float] = ()) -> list[float]:
        return list(values)

    for path in ("a\0b", "x" * 300, "x" * 5000):
        with pytest.raises(ft.InputError, match="path must be a path"):
            kept(path)
    assert kept(values=iter([1.0, 2.0])) == [1.0, 2.0]
    with pytest.raises(ft.InputError, match="values must be a number, got 'a'"):
        kept(values=iter([1.0, "a"]))


def test_arrays_inside_of_sequences_and_dictionaries_are_converted():
    @checked
    def kept(
        parts: Sequence[NDArray[np.float64]], named: Mapping[str, NDArray[np.floating[Any]]]
    ) -> object:
        return parts, named

    given = [np.ones(2)], {"a": np.ones(2, dtype=np.float32)}
    assert all(one is other for one, other in zip(kept(*given), given, strict=True))
    parts, named = kept([[1, 2]], {"a": [3, 4]})
    assert parts[0].dtype == named["a"].dtype == np.float64
    for bad in (([[1.0], [[1.0], [1.0, 2.0]]], {}), ([], {"a": [None]}), ([], {"a": ["b"]})):
        with pytest.raises(ft.InputError, match="must be an array"):
            kept(*bad)


def test_integers_beyond_64_bits_among_numbers_are_floating_point():
    @checked
    def logarithms(sizes: tuple[float, ...], widths: dict[str, float]) -> float:
        return float(np.log(sizes).sum() + np.log(list(widths.values())).sum())

    assert logarithms((2**70, 2), {"a": 2**64}) == pytest.approx(135 * np.log(2))
    assert logarithms((4,), {}) == pytest.approx(np.log(4))


def test_each_object_of_an_array_is_held_to_the_annotation():
    @checked
    def least(ridges: list[float]) -> float:
        return min(ridges)

    assert least(np.array([2.0, 1.0], dtype=object)) == 1.0
    with pytest.raises(ft.InputError, match="ridges must be a number, got 'a'"):
        least(np.array([2.0, "a"], dtype=object))


def test_rules_of_what_numbers_can_be_and_of_memory():
    @checked(
        x=array_like, y=single, k=being("even", lambda k: k % 2 == 0),
        together=in_memory("n", lambda given: given["n"] * 2**10),
    )  # fmt: skip
    def kept(x: NDArray[Any], y: NDArray[np.float64], k: int, n: int = 2**19) -> int:
        return n

    assert kept(np.ones(2), [1e38, -np.inf, np.nan], 2) == 2**19
    for arguments, words in (
        ((np.ones(2, dtype=complex), [1.0], 2), "x must be an array of real numbers"),
        ((np.ones(2), [1e39], 2), r"y must be at most 3.4e\+38, got 1e\+39"),
        ((np.ones(2), [1.0], 3), "k must be even, got 3"),
        ((np.ones(2), [1.0], 2, 2**20), "n must be less: 1048576 would take 8 GiB"),
    ):
        with pytest.raises(ft.InputError, match=words):
            kept(*arguments)
