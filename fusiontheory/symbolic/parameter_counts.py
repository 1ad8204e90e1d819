"""Parameters of the fusion networks as formulas, and how many of them matter.

Each formula is in sympy and follows the module of the same name in `fusiontheory.networks`
layer by layer: a linear layer from a to b dimensions has (a + 1) b parameters. The identifiable
dimension is the number of directions in which the function itself can change, where it is known:
v^T U V^T t keeps its value under (U A, V A^-T), which costs r^2 of the r (d_v + d_t).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import sympy as sp

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import at_most, being, checked, short

__all__ = [
    "COUNTS",
    "CountFormula",
    "count_formula",
    "identifiable_dimension",
    "parameter_count",
    "query_key_dimension",
]

D_V, D_T, WIDTH, RANK, CHUNKS, OUTPUTS = sp.symbols("d_v d_t w r k o", positive=True)
_SYMBOLS = {
    "d_v": D_V,
    "d_t": D_T,
    "width": WIDTH,
    "rank": RANK,
    "chunks": CHUNKS,
    "outputs": OUTPUTS,
}


@dataclass(frozen=True)
class CountFormula:
    """Number of parameters of a network, in sympy.

    Attributes:
        expression: in d_v, d_t, w (width), r (rank), k (chunks), o (outputs), h_1, h_2, ...
            (hidden widths).
        identifiable: dimension of the set of its functions; None where it is not known.

    Example:
        >>> count_formula("low-rank").latex
        '1 + r \\\\left(d_{t} + d_{v}\\\\right)'
        >>> print(count_formula("low-rank").identifiable)
        r*(d_t + d_v - r) + 1
    """

    expression: sp.Expr
    identifiable: sp.Expr | None

    @property
    def latex(self) -> str:
        """The expression in LaTeX."""
        text: str = sp.latex(self.expression, order="none")
        return text


_COUNTED = being("an integer or an expression", lambda count: not isinstance(count, bool))


@checked(d_v=_COUNTED, d_t=_COUNTED, width=_COUNTED)
def query_key_dimension(d_v: Any, d_t: Any, width: Any, heads: int = 1) -> Any:
    """Return the dimension of the set of query-key products W_q^T W_k, of rank width / heads each.

    heads * c (d_v + d_t - c) with c = width / heads, for c at most min(d_v, d_t); numbers or
    sympy expressions. It counts what the weights can express; with a single key the output
    depends on none of it.

    Raises:
        InputError: if ``heads`` is not a positive integer, or c exceeds a dimension.

    Example:
        >>> query_key_dimension(512, 512, width=64)
        61440
        >>> print(query_key_dimension(D_V, D_T, WIDTH))
        w*(d_t + d_v - w)
    """
    for name, value in (("d_v", d_v), ("d_t", d_t), ("width", width)):
        if not isinstance(value, Integral | sp.Expr):
            raise InputError(f"{name} must be an integer or an expression, got {short(value)}")
    per_head = sp.sympify(width) / positive_integer("heads", heads)
    if per_head.is_number and any(bool(per_head > sp.sympify(d)) for d in (d_v, d_t)):
        raise InputError(
            f"width must be at most heads x min(d_v, d_t), got {width} for {heads} heads,"
            f" {d_v} and {d_t}"
        )
    return heads * per_head * (d_v + d_t - per_head)


def _linear(inputs: Any, outputs: Any) -> Any:
    return (inputs + 1) * outputs


def _mlp(inputs: Any, hidden: Sequence[Any], outputs: Any) -> Any:
    total = sp.Integer(0)
    for width in hidden:
        total, inputs = total + _linear(inputs, width), width
    return total + _linear(inputs, outputs)


def _attention(d_query: Any, d_key: Any) -> Any:
    """Query, key, value and output projections."""
    return _linear(d_query, WIDTH) + 2 * _linear(d_key, WIDTH) + _linear(WIDTH, WIDTH)


def _same(expression: Any) -> CountFormula:
    return CountFormula(expression, expression)


def _unknown(expression: Any) -> CountFormula:
    return CountFormula(expression, None)


def _unimodal(inputs: Any, hidden: Sequence[Any]) -> CountFormula:
    total = _mlp(inputs, hidden, OUTPUTS)
    # Of two outputs only the difference counts; with ReLU layers see `concat-mlp`.
    return _unknown(total) if hidden else CountFormula(total, _linear(inputs, 1))


@dataclass(frozen=True)
class _Network:
    """How a formula follows from the hidden widths, and the settings' default values."""

    formula: Callable[[Sequence[Any]], CountFormula]
    defaults: dict[str, Any]
    hidden: tuple[int, ...] | None = None


_LOW_RANK = CountFormula(RANK * (D_V + D_T) + 1, RANK * (D_V + D_T - RANK) + 1)
COUNTS: dict[str, _Network] = {
    "concat-linear": _Network(lambda _: _same(_linear(D_V + D_T, 1)), {}),
    "concat-mlp": _Network(
        lambda hidden: _unknown(_mlp(D_V + D_T, hidden, OUTPUTS)), {"outputs": 2}, (256, 128)
    ),
    "image-only": _Network(lambda hidden: _unimodal(D_V, hidden), {"outputs": 1}, ()),
    "text-only": _Network(lambda hidden: _unimodal(D_T, hidden), {"outputs": 1}, ()),
    "dot-product": _Network(lambda _: _same(sp.Integer(2)), {}),
    # Without a projection the width is None; see `count_formula`.
    "hadamard": _Network(lambda _: _same(_linear(D_V, 1)), {"width": None}),
    "low-rank": _Network(lambda _: _LOW_RANK, {"rank": 16}),
    "bilinear": _Network(lambda _: _same(D_V * D_T + 1), {}),
    "cross-attention": _Network(
        lambda hidden: _unknown(_attention(D_V, D_T) + _mlp(WIDTH, hidden, OUTPUTS)),
        {"width": 256, "outputs": 2},
        (512, 256, 128),
    ),
    "two-way-attention": _Network(
        lambda hidden: _unknown(
            _attention(D_V, D_T) + _attention(D_T, D_V) + _mlp(2 * WIDTH, hidden, OUTPUTS)
        ),
        {"width": 256, "outputs": 2},
        (256, 128),
    ),
    "token-attention": _Network(
        lambda hidden: _unknown(
            _attention(D_V / CHUNKS, D_T / CHUNKS) + _mlp(WIDTH, hidden, OUTPUTS)
        ),
        {"chunks": 8, "width": 64, "outputs": 1},
        (64,),
    ),
    "gated": _Network(
        lambda _: _unknown(
            _linear(D_V + D_T, WIDTH) + _linear(D_V, WIDTH) + _linear(D_T, WIDTH) + WIDTH + 1
        ),
        {"width": 128},
    ),
    # Query, key and value have no biases; d_v is the dimension of a token.
    "token-bilinear": _Network(lambda _: _unknown(2 * WIDTH * (D_V + D_T) + 1), {"width": 64}),
    "token-mlp": _Network(
        lambda hidden: _unknown(WIDTH * (2 * D_V + D_T) + _mlp(WIDTH + D_T, hidden, OUTPUTS)),
        {"width": 64, "outputs": 1},
        (128,),
    ),
}


def _projected_hadamard() -> CountFormula:
    """P v * Q t under a linear layer is v^T P^T diag(w) Q t: a matrix of rank w, and a bias."""
    return CountFormula(WIDTH * (D_V + D_T) + _linear(WIDTH, 1), WIDTH * (D_V + D_T - WIDTH) + 1)


@checked(hidden_layers=at_most(1000))
def count_formula(
    name: str, *, hidden_layers: int | None = None, projected: bool = False
) -> CountFormula:
    """Return the formula of a network's number of parameters.

    Args:
        name: one of ``COUNTS``, the names of the networks.
        hidden_layers: number of hidden layers h_1, h_2, ..., at most 1000; the network's default
            if None.
        projected: of the Hadamard network, whether it has projections of width w.

    Raises:
        InputError: for an unknown name, hidden layers where the network has none, and a
            projection of another network.

    Example:
        >>> print(count_formula("concat-linear").expression)
        d_t + d_v + 1
        >>> print(count_formula("concat-mlp", hidden_layers=1).expression)
        h_1*(d_t + d_v + 1) + o*(h_1 + 1)
    """
    network = _find(name)
    if projected:
        if name != "hadamard":
            raise InputError(f"projected must be False for {name}, got True")
        return _projected_hadamard()
    if hidden_layers is None:
        layers = len(network.hidden or ())
    else:
        layers = positive_integer("hidden_layers", hidden_layers, minimum=0)
    if layers and network.hidden is None:
        raise InputError(f"hidden_layers must be 0 for {name}, got {hidden_layers}")
    return network.formula(sp.symbols(f"h_1:{layers + 1}", positive=True))


@checked
def parameter_count(name: str, **sizes: Any) -> int:
    """Return the number of parameters of a network.

    Args:
        name: one of ``COUNTS``.
        sizes: ``d_v`` and ``d_t``, and the network's settings that are not to be its defaults:
            ``hidden`` (a sequence), ``outputs``, ``width``, ``rank``, ``chunks``. ``heads`` and
            ``residual`` change no count and are not taken.

    Raises:
        InputError: for an unknown name or size, a missing dimension, sizes that are not
            positive integers, or that are not a network's.

    Example:
        >>> parameter_count("concat-mlp", d_v=512, d_t=512)
        295554
        >>> parameter_count("low-rank", d_v=512, d_t=512, rank=64)
        65537
    """
    formula, numbers = _with_sizes(name, sizes)
    return int(formula.expression.subs(numbers))


@checked
def identifiable_dimension(name: str, **sizes: Any) -> int | None:
    """Return the dimension of the set of a network's functions, None where it is not known.

    Args:
        name: one of ``COUNTS``.
        sizes: as `parameter_count` takes them.

    Raises:
        InputError: as `parameter_count` does.

    Example:
        >>> identifiable_dimension("low-rank", d_v=512, d_t=512, rank=16)
        16129
        >>> identifiable_dimension("concat-mlp", d_v=512, d_t=512) is None
        True
    """
    formula, numbers = _with_sizes(name, sizes)
    return None if formula.identifiable is None else int(formula.identifiable.subs(numbers))


def _with_sizes(name: str, sizes: dict[str, Any]) -> tuple[CountFormula, dict[sp.Symbol, int]]:
    """Return the formula and the value of each of its symbols."""
    network = _find(name)
    hidden = sizes.pop("hidden", network.hidden)
    allowed = {"d_v": None, "d_t": None, **network.defaults}
    unknown = sorted(set(sizes) - set(allowed))
    if unknown or (hidden is not None and network.hidden is None):
        got = unknown[0] if unknown else "hidden"
        raise InputError(f"sizes of {name} must be among {', '.join(allowed)}, got {got}")
    values = {**allowed, **sizes}
    projected = name == "hadamard" and values["width"] is not None
    if name == "hadamard" and not projected:
        values.pop("width")
        if values["d_v"] != values["d_t"]:
            raise InputError(
                f"d_v and d_t must be equal for {name} without a width,"
                f" got {values['d_v']} and {values['d_t']}"
            )
    layers = [positive_integer("hidden", width) for width in hidden or ()]
    formula = count_formula(name, hidden_layers=len(layers), projected=projected)
    numbers = {_SYMBOLS[key]: positive_integer(key, value) for key, value in values.items()}
    numbers.update(zip(sp.symbols(f"h_1:{len(layers) + 1}", positive=True), layers, strict=True))
    chunks = numbers.get(CHUNKS, 1)
    if numbers[D_V] % chunks or numbers[D_T] % chunks:
        raise InputError(
            f"chunks must divide d_v and d_t, got {chunks} for {numbers[D_V]} and {numbers[D_T]}"
        )
    return formula, numbers


def _find(name: str) -> _Network:
    if name not in COUNTS:
        raise InputError(f"name must be one of {', '.join(COUNTS)}, got {name!r}")
    return COUNTS[name]
