"""Tangent kernel of a PyTorch network at its parameters, in bounded memory.

K(x, x') = sum_p df(x)/dp df(x')/dp over the parameters as the module holds them (the standard
parametrisation): a layer of fan-in N counts N times what it counts in the parametrisation
whose kernel has a limit at infinite width (`fusiontheory.heads.relu_tangent_kernel`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, DTypeLike
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.typing import AnyArray

__all__ = ["expected_tangent_kernel", "tangent_kernel"]

_Pairs: TypeAlias = tuple[ArrayLike, ArrayLike]
_Named: TypeAlias = dict[str, Tensor]

DEFAULT_MEMORY = 2 * 2**30
# Two blocks of gradients are held at once; a third is made while one of them is.
_BLOCKS_HELD = 3
# Rows to a block: fewer make the products slow, more make the activations large.
_FEW_ROWS, _MOST_ROWS = 64, 512


@checked
def tangent_kernel(
    module: nn.Module,
    pairs_a: _Pairs,
    pairs_b: _Pairs | None = None,
    *,
    memory: int = DEFAULT_MEMORY,
    parameters: Iterable[str] | None = None,
    dtype: DTypeLike = np.float64,
    device: str = "cpu",
    scales: Mapping[str, Tensor] | None = None,
) -> AnyArray:
    """Return the Gram matrix J_a J_b^T of the network's gradients, shape (n, n').

    Gradients are made for a block of pairs at a time, and where these are still too many for a
    part of the parameters at a time. Cost: n n' P multiplications (half of them without
    ``pairs_b``) and gradients of n (1 + n' / (2 x rows in a block)) pairs.

    Args:
        module: image (B, d_v), text (B, d_t) -> logits (B,); neither its parameters nor its
            mode are changed.
        pairs_a: image and text features of n pairs; features may have more dimensions.
        pairs_b: of n' pairs; ``pairs_a`` if None, and then the result is symmetric.
        memory: bytes for the gradients, beside the result and the features; the module's
            activations for 512 pairs come on top.
        parameters: names, as in ``module.named_parameters()``; all that require gradients if
            None.
        dtype: float64 or float32, of the computation and of the result.
        device: where, such as "cuda:1"; the module stays where it is.
        scales: factor on the gradient of each parameter, by name and of its shape, such as
            `fusiontheory.tangent.adam_scales`; parameters without one have 1.

    Raises:
        InputError: before any work, for a module without parameters or whose output is not (B,)
            or depends on none of them, pairs with NaN or of sizes that do not fit, unknown
            names, a device that is not there, less memory than three gradients of the largest
            parameter, and a gradient on the first pair that is not finite. After it, if another
            pair's is not, or is too large to be squared.

    Source: Jacot, Gabriel & Hongler, arXiv:1806.07572.

    Example:
        >>> from fusiontheory.networks import build_network
        >>> image, text = np.eye(2), 2 * np.eye(2)
        >>> tangent_kernel(build_network("bilinear", 2, 2), (image, text))  # (v.v')(t.t') + 1
        array([[5., 1.],
               [1., 5.]])
    """
    settings = (memory, parameters, _precision(dtype), _place(device), scales)
    gram = _gram(module, pairs_a, pairs_b, *settings)
    array: AnyArray = gram.cpu().numpy()
    if not np.isfinite(array).all():
        raise InputError(
            "module must have a finite gradient on every pair, and squares of it that"
            f" {array.dtype} can hold, got others in {(~np.isfinite(array)).any(axis=1).sum()} of"
            f" {len(array)} rows of the kernel; scale the features or the weights down"
        )
    return array


def _gram(
    module: nn.Module,
    pairs_a: _Pairs,
    pairs_b: _Pairs | None,
    memory: int,
    parameters: Iterable[str] | None,
    precision: torch.dtype,
    place: torch.device,
    scales: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Return the matrix of `tangent_kernel` on the device."""
    first = checked_pairs("pairs_a", pairs_a, precision, place)
    second = None if pairs_b is None else checked_pairs("pairs_b", pairs_b, precision, place)
    state: _Named = {
        name: tensor.detach().to(place, precision if tensor.is_floating_point() else tensor.dtype)
        for name, tensor in itertools.chain(module.named_parameters(), module.named_buffers())
    }
    chosen = trained_names(module, parameters)
    factors = _factors(scales, {name: state[name] for name in chosen})
    for pairs in (first, first if second is None else second):
        probe(module, state, chosen, pairs)
    budget = positive_integer("memory", memory) // (_BLOCKS_HELD * precision.itemsize)
    groups = list(_groups({name: state[name].numel() for name in chosen}, budget))
    n = len(first[0])
    columns = n if second is None else len(second[0])
    result = torch.zeros((n, columns), dtype=precision, device=place)
    for names in groups:
        size = sum(state[name].numel() for name in names)
        rows = min(max(budget // size, 1), _MOST_ROWS)
        gradients = _gradient_function(module, state, names, factors)
        if second is None:
            _add_symmetric(result, gradients, first, rows)
        else:
            _add_rectangular(result, gradients, first, second, rows)
    return result


@checked
def expected_tangent_kernel(
    build: Callable[[], nn.Module],
    seeds: Sequence[int],
    pairs_a: _Pairs,
    pairs_b: _Pairs | None = None,
    **settings: Any,
) -> AnyArray:
    """Return the mean of `tangent_kernel` over random initialisations, shape (n, n').

    Args:
        build: makes the module; called once after each ``torch.manual_seed(seed)``. The random
            state is as before afterwards.
        seeds: at least one.
        pairs_a, pairs_b: as for `tangent_kernel`.
        settings: the other arguments of `tangent_kernel`.

    Raises:
        InputError: if there is no seed, and as for `tangent_kernel`.

    Example:
        >>> from fusiontheory.networks import build_network
        >>> pairs = np.eye(2), np.eye(2)
        >>> build = lambda: build_network("low-rank", 2, 2, rank=200)
        >>> expected_tangent_kernel(build, range(9), pairs).shape
        (2, 2)
    """
    drawn = [positive_integer("seeds", seed, minimum=0) for seed in seeds]
    if not drawn:
        raise InputError("seeds must have at least one seed, got none")
    total: AnyArray | None = None
    for seed in drawn:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = build()
        kernel = tangent_kernel(module, pairs_a, pairs_b, **settings)
        if total is None:
            total = kernel
        else:
            total += kernel
    assert total is not None
    total /= len(drawn)
    return total


def _precision(dtype: DTypeLike) -> torch.dtype:
    known = {np.dtype(np.float64): torch.float64, np.dtype(np.float32): torch.float32}
    try:
        return known[np.dtype(dtype)]
    except (KeyError, TypeError) as error:
        raise InputError(f"dtype must be float32 or float64, got {dtype!r}") from error


def _place(device: str) -> torch.device:
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, TypeError) as error:
        there = ["cpu"] + [f"cuda:{k}" for k in range(torch.cuda.device_count())]
        raise InputError(f"device must be one of {', '.join(there)}, got {device!r}") from error


def checked_pairs(
    name: str, pairs: _Pairs, precision: torch.dtype, place: torch.device
) -> tuple[Tensor, Tensor]:
    if not isinstance(pairs, tuple | list) or len(pairs) != 2:
        raise InputError(f"{name} must be two arrays, image and text, got {type(pairs).__name__}")
    image, text = (
        finite_array(f"{side} of {name}", array, (2, 3))
        for side, array in zip(("image", "text"), pairs, strict=True)
    )
    if len(image) != len(text):
        raise InputError(
            f"{name} must have one image and one text per pair, got {len(image)} and {len(text)}"
        )
    return (
        torch.tensor(image, dtype=precision, device=place),
        torch.tensor(text, dtype=precision, device=place),
    )


def trained_names(module: nn.Module, names: Iterable[str] | None) -> list[str]:
    known = {name: tensor.requires_grad for name, tensor in module.named_parameters()}
    if not any(known.values()):
        raise InputError(f"module must have parameters, got {type(module).__name__} without any")
    if names is None:
        return [name for name, trained in known.items() if trained]
    chosen = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        got = unknown[0] if unknown else "none"
        raise InputError(f"parameters must be among {', '.join(known)}, got {got}")
    return chosen


def probe(
    module: nn.Module, state: _Named, chosen: list[str], pairs: tuple[Tensor, Tensor]
) -> None:
    """Run two pairs, so that what cannot work fails before the work."""
    image, text = (rows[:1].repeat(2, *[1] * (rows.ndim - 1)) for rows in pairs)
    leaves = {name: state[name].clone().requires_grad_() for name in chosen}
    with torch.enable_grad():
        try:
            output = functional_call(module, {**state, **leaves}, (image, text))
        except (RuntimeError, TypeError, IndexError, ValueError) as error:
            shapes = f"image {tuple(pairs[0].shape)} and text {tuple(pairs[1].shape)}"
            raise InputError(f"pairs must fit the module, got {shapes}: {error}") from error
        if not isinstance(output, Tensor) or output.shape != (2,):
            got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise InputError(f"module must return one logit per pair, (2,) for 2 pairs, got {got}")
        gradients: Sequence[Tensor | None] = []
        if output.requires_grad:
            gradients = torch.autograd.grad(output.sum(), list(leaves.values()), allow_unused=True)
    check_finite(dict(zip(leaves, gradients, strict=False)))
    if all(gradient is None for gradient in gradients):
        raise InputError(
            f"module must be differentiable in {', '.join(chosen)}; its output depends on none"
        )


def check_finite(gradients: Mapping[str, Tensor | None]) -> None:
    """Refuse gradients of a probe that are not finite, by parameter; it waits for the device."""
    for name, gradient in gradients.items():
        if gradient is not None and not torch.isfinite(gradient).all():
            raise InputError(
                "module must have a finite gradient on every pair, got NaN or infinite values on"
                f" the first pair in its parameter {name}; the output has no slope there (as a"
                " root or a logarithm at 0), or features or weights are too large"
            )


def _groups(sizes: dict[str, int], budget: int) -> Iterator[list[str]]:
    """Yield names in groups of which ``budget`` numbers hold a good block, one tensor at least."""
    largest = max(sizes, key=lambda name: sizes[name])
    if sizes[largest] > budget:
        raise InputError(
            f"memory must hold {_BLOCKS_HELD} gradients of {largest} ({sizes[largest]} numbers"
            f" each), got room for {_BLOCKS_HELD * budget} numbers"
        )
    most = max(budget // _FEW_ROWS, sizes[largest])
    group: list[str] = []
    filled = 0
    for name, size in sizes.items():
        if group and filled + size > most:
            yield group
            group, filled = [], 0
        group.append(name)
        filled += size
    yield group


_Gradients: TypeAlias = Callable[[tuple[Tensor, Tensor], slice], list[Tensor]]


def _factors(scales: Mapping[str, Tensor] | None, state: _Named) -> _Named:
    """Return the scales that are given, as the parameters are held."""
    for name, factor in (scales or {}).items():
        if name not in state or factor.shape != state[name].shape:
            shape = tuple(state[name].shape) if name in state else "no such parameter"
            raise InputError(
                f"scales must have the shape of each parameter they name, got {tuple(factor.shape)}"
                f" for {name} ({shape})"
            )
    return {name: factor.to(state[name]) for name, factor in (scales or {}).items()}


def _gradient_function(
    module: nn.Module, state: _Named, names: list[str], factors: _Named
) -> _Gradients:
    fixed = {name: tensor for name, tensor in state.items() if name not in names}
    varied = {name: state[name] for name in names}

    def logit(weights: _Named, image: Tensor, text: Tensor) -> Tensor:
        output: Tensor = functional_call(module, {**fixed, **weights}, (image[None], text[None]))
        return output[0]

    per_pair = vmap(grad(logit), in_dims=(None, 0, 0))

    def gradients(pairs: tuple[Tensor, Tensor], rows: slice) -> list[Tensor]:
        made = per_pair(varied, pairs[0][rows], pairs[1][rows])
        for name in names:
            if name in factors:
                made[name] *= factors[name]
        # One matrix per parameter: joining them would hold them twice.
        return [made[name].reshape(len(made[name]), -1) for name in names]

    return gradients


def _add_product(target: Tensor, left: list[Tensor], right: list[Tensor]) -> None:
    for a, b in zip(left, right, strict=True):
        target.addmm_(a, b.T)


def _blocks(n: int, rows: int) -> list[slice]:
    return [slice(start, min(start + rows, n)) for start in range(0, n, rows)]


def _add_symmetric(
    result: Tensor, gradients: _Gradients, pairs: tuple[Tensor, Tensor], rows: int
) -> None:
    blocks = _blocks(len(result), rows)
    for index, own in enumerate(blocks):
        left = gradients(pairs, own)
        _add_product(result[own, own], left, left)
        # Rounding differs above and below the diagonal.
        result[own, own] = (result[own, own] + result[own, own].T) / 2
        for other in blocks[:index]:
            _add_product(result[own, other], left, gradients(pairs, other))
            # Assigned, not added: the lower half has the sum over all groups so far.
            result[other, own] = result[own, other].T


def _add_rectangular(
    result: Tensor,
    gradients: _Gradients,
    first: tuple[Tensor, Tensor],
    second: tuple[Tensor, Tensor],
    rows: int,
) -> None:
    for own in _blocks(result.shape[0], rows):
        left = gradients(first, own)
        for other in _blocks(result.shape[1], rows):
            _add_product(result[own, other], left, gradients(second, other))
