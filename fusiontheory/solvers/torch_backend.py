"""Kernel ridge regression with PyTorch: the one module of this room that imports it.

    (K + delta I) alpha = y - b 1,      K = L L^T - delta I factorised once for all n of a ridge

A head's own ``gram``, written for NumPy arrays, runs on the device: `OnDevice` hands NumPy's
functions on to PyTorch. Everything is float64, but for the factor of the "mixed" precision: made in
float32, it is refined,

    alpha <- alpha + (L L^T)^{-1} (y - (K + delta I) alpha),      residuals in float64,

which contracts while the condition number stays below about 10^7; where it does not the factor is
made again in float64. Source: Higham & Mary, Acta Numerica 31 (2022), section 7.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.lib.mixins import NDArrayOperatorsMixin
from torch import Tensor

from fusiontheory.checks import InputError
from fusiontheory.heads import Head
from fusiontheory.solvers.kernel_ridge import PairFeatures, Places
from fusiontheory.solvers.nested import DualFit
from fusiontheory.solvers.place import Place
from fusiontheory.typing import AnyArray, Array

__all__ = [
    "OnDevice",
    "device_name",
    "devices",
    "dual_ridge",
    "eigh",
    "gram_blocks",
    "outputs",
    "refined",
]

_Done = TypeVar("_Done")

# Rows of the kernel at a time: its temporaries are so small beside the Gram matrix.
_BLOCK = 2048
# Refinement: relative residual that is enough, and steps after which it does not converge.
_ENOUGH, _STEPS = 1e-13, 40


def devices(asked: str) -> list[str]:
    """Return the devices that a request stands for; see `fusiontheory.solvers.devices`."""
    there = [f"cuda:{k}" for k in range(torch.cuda.device_count())]
    known = {"cpu": ["cpu"], "cuda": there, "auto": there or ["cpu"]}
    known |= {name: [name] for name in there}
    places = known.get(asked)
    if not places:
        names = ", ".join(["cpu", "auto", *(["cuda", *there] if there else [])])
        raise InputError(f"device must be one of {names} on this machine, got {asked!r}")
    return places


def device_name(device: str) -> str:
    """Return what the maker calls a device; that of the processor is "cpu".

    >>> device_name("cpu")
    'cpu'
    """
    place = torch.device(device)
    return torch.cuda.get_device_name(place) if place.type == "cuda" else device


_UFUNCS: dict[str, Callable[..., Tensor]] = {
    "conjugate": torch.conj,
    "power": torch.pow,
    "invert": torch.logical_not,
}
"""Functions whose name in PyTorch is another one."""


class OnDevice(NDArrayOperatorsMixin):
    """A tensor that NumPy's functions and operators accept, and that stays on its device.

    Args:
        tensor: of any device.

    Example:
        >>> x = OnDevice(torch.eye(2, device="cpu"))
        >>> np.sqrt(4 * x @ x.T).tensor
        tensor([[2., 0.],
                [0., 2.]])
    """

    def __init__(self, tensor: Tensor) -> None:
        """Keep the tensor."""
        self.tensor = tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of all axes."""
        return tuple(self.tensor.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.tensor.ndim

    @property
    def T(self) -> OnDevice:
        """The transpose of a matrix."""
        return OnDevice(self.tensor.mT)

    def __len__(self) -> int:
        """Return the size of the first axis."""
        return len(self.tensor)

    def __getitem__(self, key: Any) -> OnDevice:
        """Return a part, as NumPy indexes."""
        return OnDevice(self.tensor[key])

    def sum(self, axis: int | None = None) -> OnDevice:
        """Return the sum over an axis, or over everything."""
        return OnDevice(self.tensor.sum() if axis is None else self.tensor.sum(axis))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        """Call the function of PyTorch of the same name."""
        if method != "__call__":
            return NotImplemented
        out, where = settings.pop("out", (None,))[0], settings.pop("where", True)
        call = _UFUNCS.get(ufunc.__name__) or getattr(torch, ufunc.__name__, None)
        if settings or call is None:
            return NotImplemented
        result = call(*(self._tensor(value) for value in inputs))
        if out is None:
            return OnDevice(result)
        kept = out.tensor if where is True else torch.where(_bare(where), result, out.tensor)
        out.tensor = result if where is True else kept
        return out

    def _tensor(self, value: Any) -> Tensor:
        if isinstance(value, OnDevice):
            return value.tensor
        return torch.as_tensor(value, dtype=self.tensor.dtype, device=self.tensor.device)

    def __array_function__(
        self, function: Any, types: Any, args: tuple[Any, ...], settings: dict[str, Any]
    ) -> Any:
        """Call the function of PyTorch that stands for it."""
        call = _FUNCTIONS.get(function)
        return NotImplemented if call is None else OnDevice(call(*args, **settings))

    def __array__(self, *_: Any, **__: Any) -> Any:
        """Refuse to leave the device unseen."""
        raise TypeError("a head's kernel must stay on its device, got a NumPy conversion")


def _bare(value: Any) -> Any:
    return value.tensor if isinstance(value, OnDevice) else value


def _joined(parts: Sequence[OnDevice], axis: int = 0) -> Tensor:
    return torch.cat([part.tensor for part in parts], dim=axis)


_FUNCTIONS: dict[Any, Callable[..., Tensor]] = {
    np.clip: lambda x, low, high: torch.clamp(x.tensor, low, high),
    np.concatenate: _joined,
    np.hstack: lambda parts: _joined(parts, 1),
    np.einsum: lambda rule, *terms: torch.einsum(rule, *(term.tensor for term in terms)),
    np.outer: lambda a, b: torch.outer(a.tensor, b.tensor),
    np.sum: lambda x, axis=None: x.sum(axis).tensor,
    np.zeros_like: lambda x: torch.zeros_like(x.tensor),
    np.ones_like: lambda x: torch.ones_like(x.tensor),
    np.where: lambda c, a, b: torch.where(_bare(c), _bare(a), _bare(b)),
}
"""What heads may call beside ufuncs; another function is refused by NumPy, by name."""


def gram_blocks(
    head: Head, rows: tuple[Tensor, Tensor], columns: tuple[Tensor, Tensor]
) -> Iterator[tuple[slice, Tensor]]:
    """Yield parts of a head's kernel matrix: which rows, and the matrix (rows, columns).

    Args:
        head: its ``gram`` is called with `OnDevice` arrays.
        rows: image and text features, on one device.
        columns: likewise.
    """
    # NumPy's arrays to the type checker: a head is written for them.
    right: list[Any] = [OnDevice(side) for side in columns]
    for start in range(0, len(rows[0]), _BLOCK):
        part = slice(start, start + _BLOCK)
        left: list[Any] = [OnDevice(side[part]) for side in rows]
        yield part, _bare(head.gram(*left, *right))


def outputs(
    head: Head, train: PairFeatures, test: PairFeatures, places: Places, place: Place
) -> list[Array]:
    """Return the outputs on the test pairs, one array for each place (n, ridge).

    With too little memory on the device it is done on the processor, with a warning.
    """
    what = f"{head.name} at {places[-1][0]} pairs"
    return list(_where_it_fits(lambda on: _outputs(head, train, test, places, on), place, what).T)


def _where_it_fits(work: Callable[[Place], _Done], place: Place, what: str) -> _Done:
    """Return what is done on a device, or on the processor if its memory is too small."""
    try:
        return work(place)
    except torch.cuda.OutOfMemoryError:
        warnings.warn(
            f"{place.device} has too little memory for {what}: done on the processor",
            RuntimeWarning,
            stacklevel=3,
        )
    return work(Place("cpu", place.precision))


def _outputs(
    head: Head, train: PairFeatures, test: PairFeatures, places: Places, place: Place
) -> Array:
    most = max(n for n, _ in places)
    own = [_moved(side[:most], place.device) for side in (train.image, train.text)]
    other = [_moved(side, place.device) for side in (test.image, test.text)]
    label = _moved(train.label[:most, None], place.device)
    solve = _dual if head.features is None else _primal
    outputs: Array = solve(head, (own[0], own[1]), (other[0], other[1]), label, places, place)
    return outputs


def _moved(array: AnyArray, device: str) -> Tensor:
    return torch.as_tensor(np.asarray(array, dtype=np.float64), device=device)


def _dual(
    head: Head,
    own: tuple[Tensor, Tensor],
    other: tuple[Tensor, Tensor],
    label: Tensor,
    places: Places,
    place: Place,
) -> Array:
    gram = label.new_empty(len(label), len(label))
    for part, block in gram_blocks(head, own, own):
        gram[part] = block
    weights = label.new_zeros(len(label), len(places))
    constants = label.new_zeros(len(places))
    for ridge in dict.fromkeys(float(r) for _, r in places):
        columns = [k for k, (_, r) in enumerate(places) if float(r) == ridge]
        sizes = [places[k][0] for k in columns]
        solved = _nested(gram, label, sizes, ridge, True, place.precision)
        for k, (alpha, constant) in zip(columns, solved, strict=True):
            weights[: len(alpha), k], constants[k] = alpha[:, 0], constant[0]
    parts = [block @ weights + constants for _, block in gram_blocks(head, other, own)]
    return np.asarray(torch.cat(parts).cpu().numpy())


def _primal(
    head: Head,
    own: tuple[Tensor, Tensor],
    other: tuple[Tensor, Tensor],
    label: Tensor,
    places: Places,
    place: Place,
) -> Array:
    """Few features: float64 whatever the precision, as it takes no time."""
    del place
    assert head.features is not None
    features: Callable[..., Any] = head.features
    design, test = (_bare(features(*map(OnDevice, side))) for side in (own, other))
    columns = []
    for n, ridge in places:
        # Centred, as a mean far from 0 would cost digits of the normal matrix.
        mean, constant = design[:n].mean(0), label[:n].mean(0)
        x, y = design[:n] - mean, label[:n] - constant
        normal = x.T @ x
        normal.diagonal().add_(ridge)
        weights = torch.cholesky_solve(x.T @ y, torch.linalg.cholesky(normal))
        columns.append((test - mean) @ weights + constant)
    return np.asarray(torch.cat(columns, dim=1).cpu().numpy())


def _nested(
    gram: Tensor, label: Tensor, sizes: Sequence[int], ridge: float, intercept: bool, precision: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield alpha (n, T) and the constant (T,) at each n, from one factor."""
    most = max(sizes)
    factor = _factor(gram[:most, :most], ridge, precision)
    for n in sizes:
        sides = label[:n]
        if intercept:
            sides = torch.cat([sides, torch.ones_like(sides[:, :1])], dim=1)
        solved = refined(gram[:n, :n], ridge, factor[:n, :n], sides)
        if solved is None:
            factor = _factor(gram[:most, :most], ridge, "float64")
            solved = torch.cholesky_solve(sides, factor[:n, :n])
        if not intercept:
            yield solved, label.new_zeros(label.shape[1])
            continue
        # Stationarity in b: 1^T (K + delta)^{-1} (y - b 1) = 0.
        alpha, unit = solved[:, :-1], solved[:, -1:]
        constant = alpha.sum(0) / unit.sum()
        yield alpha - unit * constant, constant


def _factor(gram: Tensor, ridge: float, precision: str) -> Tensor:
    lower = precision == "mixed"
    matrix = gram.to(torch.float32) if lower else gram.clone()
    matrix.diagonal().add_(ridge)
    if not lower:
        factor: Tensor = torch.linalg.cholesky(matrix)
        return factor
    factor, failed = torch.linalg.cholesky_ex(matrix)
    return _factor(gram, ridge, "float64") if int(failed) else factor


def refined(gram: Tensor, ridge: float, factor: Tensor, sides: Tensor) -> Tensor | None:
    """Return (K + ridge I)^-1 sides to float64; None if the factor's digits do not suffice.

    Args:
        gram: K (n, n), float64.
        ridge: delta.
        factor: Cholesky factor of K + ridge I, float64 (then it is solved with, no more) or
            float32.
        sides: (n, T), float64.

    Example:
        >>> gram, sides = torch.eye(2, dtype=torch.float64), torch.ones(2, 1, dtype=torch.float64)
        >>> factor = torch.linalg.cholesky((gram + 2 * torch.eye(2)).float())
        >>> refined(gram, 2.0, factor, sides).ravel()
        tensor([0.3333, 0.3333], dtype=torch.float64)
    """
    if factor.dtype == sides.dtype:
        return torch.cholesky_solve(sides, factor)
    scale = torch.linalg.vector_norm(sides, dim=0)
    solution, before = torch.zeros_like(sides), float("inf")
    for _ in range(_STEPS):
        left = sides - gram @ solution - ridge * solution
        size = float((torch.linalg.vector_norm(left, dim=0) / scale).max())
        if size < _ENOUGH:
            return solution
        if not size < before / 2:
            # The residual has come down to its own rounding, or does not come down.
            return solution if before < _ENOUGH * len(sides) ** 0.5 else None
        before = size
        solution = solution + torch.cholesky_solve(left.to(factor.dtype), factor).to(sides.dtype)
    return None


def dual_ridge(
    gram: Array,
    labels: Array,
    sizes: list[int],
    ridges: list[float],
    intercept: bool,
    place: Place,
) -> Iterator[DualFit]:
    """Yield the fit at every ridge and n; the lower triangle of K is moved to the device.

    With too little memory on the device it is done on the processor, with a warning.
    """
    for ridge in ridges:
        yield from _where_it_fits(
            partial(_fits, gram, labels, sizes, ridge, intercept),
            place,
            f"a kernel of {len(gram)} items",
        )


def _fits(
    gram: Array, labels: Array, sizes: list[int], ridge: float, intercept: bool, place: Place
) -> list[DualFit]:
    whole = torch.as_tensor(np.tril(gram) + np.tril(gram, -1).T, device=place.device)
    label = _moved(labels, place.device)
    fits = []
    for n, (alpha, constant) in zip(
        sizes, _nested(whole, label, sizes, ridge, intercept, place.precision), strict=True
    ):
        # The residual y - b - K alpha is delta alpha.
        weights = np.asarray(alpha.cpu().numpy())
        training = ridge**2 * np.mean(weights**2, axis=0)
        fits.append(DualFit(n, ridge, weights, np.asarray(constant.cpu().numpy()), training))
    return fits


def eigh(matrix: Array, device: str) -> tuple[Array, Array]:
    """Return eigenvalues and vectors of a symmetric matrix; see `fusiontheory.solvers.eigh`."""

    def work(place: Place) -> tuple[Array, Array]:
        values, vectors = torch.linalg.eigh(_moved(matrix, place.device))
        return np.asarray(values.cpu().numpy()), np.asarray(vectors.cpu().numpy())

    return _where_it_fits(work, Place(device), f"a kernel of {len(matrix)} items")
