"""The seam between solvers and devices: NumPy where no device is asked for, PyTorch otherwise.

>>> with computing_on("cpu"):
...     placed()
Place(device='cpu', precision='float64')
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import scipy.linalg

from fusiontheory.checks import InputError
from fusiontheory.constraints import (
    being,
    checked,
    finite,
    non_negatives,
    positive_integers,
)
from fusiontheory.heads import Head
from fusiontheory.solvers import nested
from fusiontheory.solvers.kernel_ridge import (
    Measured,
    PairFeatures,
    Places,
    measured,
    with_ridges,
)
from fusiontheory.solvers.nested import DualFit
from fusiontheory.solvers.place import Place
from fusiontheory.typing import Array

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "computing_on",
    "device_code",
    "device_name",
    "devices",
    "dual_ridge",
    "eigh",
    "measure_curve",
    "measure_ridges",
    "placed",
]

_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)


def _torch() -> ModuleType:
    """Return the PyTorch side, loaded only where a device is asked for."""
    try:
        from fusiontheory.solvers import torch_backend
    except ModuleNotFoundError as error:
        raise InputError("device needs PyTorch: pip install 'fusiontheory[torch]'") from error
    return torch_backend


@checked
def devices(asked: str) -> list[str]:
    """Return the devices that a request stands for, each by its own name.

    Args:
        asked: "cpu"; "cuda", all that there are; "cuda:1", that one; "auto", all that there are,
            or the processor where there is none.

    Raises:
        InputError: if it is unknown or not there, or PyTorch is not installed.

    Example:
        >>> devices("cpu")
        ['cpu']
    """
    names: list[str] = _torch().devices(asked)
    return names


@checked
def device_name(device: str) -> str:
    """Return what the maker calls a device, for records; that of the processor is "cpu".

    >>> device_name("cpu")
    'cpu'
    """
    name: str = _torch().device_name(device)
    return name


def device_code() -> tuple[Callable[..., object], ...]:
    """Return what `fusiontheory.store.code_version` takes beside, for records of a device.

    >>> [function.__name__ for function in device_code()]
    ['outputs', 'dual_ridge']
    """
    torch_backend = _torch()
    return torch_backend.outputs, torch_backend.dual_ridge


@checked
@contextlib.contextmanager
def computing_on(device: str | None, precision: str = "float64") -> Iterator[None]:
    """Let `measure_curve`, `measure_ridges`, `dual_ridge` and `eigh` compute there in the block.

    Args:
        device: as `devices` takes it, of which the first is taken; None: NumPy.
        precision: one of `PRECISIONS`.

    Raises:
        InputError: as `devices` does, and for another precision.
    """
    place = None if device is None else Place(devices(device)[0], precision)
    token = _PLACE.set(place)
    try:
        yield
    finally:
        _PLACE.reset(token)


def placed(device: str | None = None, precision: str = "float64") -> Place | None:
    """Return where to compute: on a device, or where `computing_on` says; None is NumPy."""
    return _PLACE.get() if device is None else Place(devices(device)[0], precision)


@checked
def measure_curve(
    head: Head,
    train: PairFeatures,
    test: PairFeatures,
    sizes: Sequence[int],
    ridge: float | Sequence[float],
    *,
    device: str | None = None,
    precision: str = "float64",
) -> list[Measured]:
    """Train ``head`` on the first n training pairs for each n, and test each on all test pairs.

    Minimises sum_i (y_i - f(x_i) - b)^2 + ridge |f|^2 over f in the kernel's space and an
    intercept b that is not penalised: f(x) = k(x)^T (K + ridge I)^{-1} (y - b 1). One Cholesky
    factor serves every n of a ridge (`fusiontheory.solvers.dual_ridge`); heads with explicit
    features are solved in the primal.

    Args:
        head: its kernel, or features where it has them.
        train: at least max(sizes) pairs.
        test: test pairs.
        sizes: sample sizes, each at least 2.
        ridge: delta of K + delta I, absolute and above 0; one number, or one for each size.
        device: "cpu", "cuda", "cuda:1" or "auto" of PyTorch; None: that of the surrounding
            `computing_on`, and NumPy outside of one.
        precision: on a device, one of `PRECISIONS`.

    Raises:
        InputError: for sizes below 2 or above the number of training pairs, a ridge that is not
            above 0, or another number of ridges than of sizes; for a device that is not there.

    Example:
        >>> import numpy as np
        >>> from fusiontheory.heads import find_head
        >>> rng = np.random.default_rng(0)
        >>> v, y = rng.standard_normal((40, 3)), np.tile([1.0, -1.0], 20)
        >>> pairs = PairFeatures(v, v * y[:, None], y)
        >>> [m.accuracy for m in measure_curve(find_head("bilinear"), pairs, pairs, [40], 0.1)]
        [1.0]
    """
    places = with_ridges(sizes, ridge)
    return _measured(head, train, test, places, placed(device, precision))


@checked
def measure_ridges(
    head: Head,
    train: PairFeatures,
    test: PairFeatures,
    sizes: Sequence[int],
    ridges: Sequence[float],
    *,
    device: str | None = None,
    precision: str = "float64",
) -> list[Measured]:
    """Train and test ``head`` as `measure_curve` does, at every size and every ridge.

    The Gram matrices are made once; each ridge has one Cholesky factor.

    Args:
        head, train, test, sizes: as `measure_curve` takes them.
        ridges: each tried at every size.
        device, precision: as `measure_curve` takes them.

    Returns:
        Sizes in their order, and for each size the ridges in theirs.

    Raises:
        InputError: as `measure_curve` does.

    Example:
        >>> import numpy as np
        >>> from fusiontheory.heads import find_head
        >>> rng = np.random.default_rng(0)
        >>> v, y = rng.standard_normal((40, 3)), np.tile([1.0, -1.0], 20)
        >>> pairs = PairFeatures(v, v * y[:, None], y)
        >>> found = measure_ridges(find_head("bilinear"), pairs, pairs, [20, 40], [0.1, 1.0])
        >>> [(m.n, m.ridge) for m in found]
        [(20, 0.1), (20, 1.0), (40, 0.1), (40, 1.0)]
    """
    places = [(n, ridge) for n in sizes for ridge in ridges]
    return _measured(head, train, test, places, placed(device, precision))


def _measured(
    head: Head, train: PairFeatures, test: PairFeatures, places: Places, place: Place | None
) -> list[Measured]:
    """Return what `kernel_ridge.measured` does, its outputs computed at a place."""
    if place is None:
        return measured(head, train, test, places)
    outputs = _torch().outputs
    return measured(head, train, test, places, lambda *given: outputs(*given, place))


def _sizes_within(given: Mapping[str, Any]) -> None:
    """Refuse sizes above the rows of the kernel matrix or of the labels, which may be more."""
    rows = min(len(given["gram"]), len(given["labels"]))
    for n in given["sizes"]:
        if n > rows:
            raise InputError(f"sizes must be at most the {rows} rows of gram and labels, got {n}")


@checked(
    gram=being("square", lambda gram: gram.ndim == 2 and gram.shape[0] == gram.shape[1]),
    labels=finite(2),
    sizes=positive_integers,
    ridges=non_negatives,
    together=_sizes_within,
)
def dual_ridge(
    gram: Array,
    labels: Array,
    sizes: list[int],
    ridges: list[float],
    intercept: bool,
) -> Iterator[DualFit]:
    """Yield the fit at every n and ridge, as `fusiontheory.solvers.nested.dual_ridge` does.

    Inside `computing_on` the Cholesky factors are made on the device; eigendecompositions, which
    serve ridge 0 and many ridges, stay with NumPy.
    """
    place = placed()
    if place is None or min(ridges) <= 0:
        yield from nested.dual_ridge(gram, labels, sizes, ridges, intercept)
        return
    yield from _torch().dual_ridge(gram, labels, sizes, ridges, intercept, place)


@checked
def eigh(matrix: Array) -> tuple[Array, Array]:
    """Return the eigenvalues of a symmetric matrix, increasing, and its vectors as columns.

    Inside `computing_on` it is done on the device, in float64 whatever the precision.

    Args:
        matrix: (n, n), finite; the lower triangle is read.

    Example:
        >>> import numpy as np
        >>> values, vectors = eigh(np.diag([2.0, 1.0]))
        >>> values
        array([1., 2.])
    """
    place = placed()
    values, vectors = (
        scipy.linalg.eigh(matrix, check_finite=False)
        if place is None
        else _torch().eigh(matrix, place.device)
    )
    return values, vectors
