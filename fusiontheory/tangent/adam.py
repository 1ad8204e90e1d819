r"""The tangent kernel in Adam's metric, and whether a network stays near it.

*Metric.* Adam divides the gradient of each parameter by its root mean square. At f = 0 the
logistic loss has a slope of 1/2, so that a batch of B pairs, whose labels are independent of f,
has gradients of root mean square sigma_p / (2 sqrt(B)) with sigma_p^2 = E (df/dp)^2. Training is
then gradient flow with the kernel

    K(x, x') = sum_p df(x)/dp df(x')/dp / (sigma_p + 2 sqrt(B) epsilon)

for the time sqrt(B) eta U (U updates at rate eta), which is ridge 2 n / (sqrt(B) eta U): for a head
that is linear in v (x) t it is the form of docs/predictors.md.

*Staying near it.* With g_p = E y df/dp the first-order path of the training is w + t g / sigma, no
entry moving faster than Adam's step allows, and the matched signal grows by sum_p g_p^2 / sigma_p
a unit of time. `signal_growth` is what that becomes at the end of the path, over what it was: 1 for
a head that is linear in its parameters, whose kernel does not change, and near 1 for one that is
lazy. It takes first and second moments of the gradients at two points and no training.

Source: gradient flow in the tangent kernel, Jacot, Gabriel & Hongler, arXiv:1806.07572; lazy
training, Chizat, Oyallon & Bach, arXiv:1812.07956; metric and criterion are of this library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.tangent.kernel import checked_pairs, probe, trained_names

__all__ = ["adam_scales", "gradient_rms", "signal_growth"]

_Named: TypeAlias = dict[str, Tensor]
_Rows: TypeAlias = tuple[Tensor, Tensor]

EPSILON = 1e-8
"""What Adam adds to the root mean square of a gradient."""

_ROWS = 50


@checked
def gradient_rms(module: nn.Module, pairs: tuple[ArrayLike, ArrayLike]) -> dict[str, Tensor]:
    """Return sigma_p = (mean over pairs of (df/dp)^2)^(1/2), by name and shape of the parameters.

    Args:
        module: image (B, d_v), text (B, d_t) -> logits (B,); it is not changed.
        pairs: image and text features of n pairs.

    Raises:
        InputError: as `fusiontheory.tangent.tangent_kernel` does for a module and pairs; for a
            gradient that is not finite.

    Example:
        >>> from fusiontheory.networks import build_network
        >>> rms = gradient_rms(build_network("dot-product", 1, 1), ([[3.0]], [[2.0]]))
        >>> rms["scale"].item(), rms["bias"].item()
        (6.0, 1.0)
    """
    state, (image, text) = _prepared(module, pairs)
    one = grad(lambda w, v, t: functional_call(module, w, (v[None], t[None]))[0])
    per_pair = vmap(one, in_dims=(None, 0, 0))
    total = {name: torch.zeros_like(value) for name, value in state.items()}
    for start in range(0, len(image), _ROWS):
        rows = slice(start, start + _ROWS)
        for name, gradients in per_pair(state, image[rows], text[rows]).items():
            total[name] += (gradients**2).sum(dim=0)
    rms = {name: (value / len(image)).sqrt() for name, value in total.items()}
    for name, value in rms.items():
        if not torch.isfinite(value).all():
            raise InputError(
                "module must have a finite gradient on every pair, and squares of it that"
                f" {value.dtype} can hold, got others in its parameter {name}; scale the features"
                " or the weights down"
            )
    return rms


@checked
def adam_scales(
    module: nn.Module, pairs: tuple[ArrayLike, ArrayLike], batch_size: int = 256
) -> dict[str, Tensor]:
    """Return the factors (sigma_p + 2 sqrt(B) epsilon)^(-1/2) of `fusiontheory.tangent_kernel`.

    A parameter that no pair moves has 0.

    Args:
        module, pairs: as for `gradient_rms`.
        batch_size: B.

    Example:
        >>> from fusiontheory.networks import build_network
        >>> scales = adam_scales(build_network("dot-product", 1, 1), ([[2.0]], [[2.0]]))
        >>> round(scales["scale"].item(), 3)
        0.5
    """
    least = 2 * positive_integer("batch_size", batch_size) ** 0.5 * EPSILON
    return {
        name: torch.where(rms > 0, (rms + least) ** -0.5, torch.zeros_like(rms))
        for name, rms in gradient_rms(module, pairs).items()
    }


@checked
def signal_growth(
    module: nn.Module,
    pairs: tuple[ArrayLike, ArrayLike],
    label: ArrayLike,
    scales: Mapping[str, Tensor],
    time: float,
    batch_size: int = 256,
) -> float:
    """Return by what factor the growth of the matched signal changes along the first-order path.

    The pairs are taken in two halves, so that the sampling of the gradients does not count as
    signal. The path ends at ``time``, or before where it has brought the difference of the mean
    logits of matched and mismatched pairs to 2 (margins of one).

    Args:
        module: at its initial parameters; it is not changed.
        pairs: image and text features of n pairs, in random order.
        label: +1 matched, -1 mismatched, shape (n,).
        scales: of `adam_scales`.
        time: sqrt(B) eta U, of U updates at learning rate eta.
        batch_size: B: no parameter moves by more than time / sqrt(B).

    Returns:
        1.0 exactly for a head linear in its parameters; between about 1/2 and 2 a head is lazy.
        NaN where the two halves have no signal in common.

    Raises:
        InputError: for a time that is not above 0, or labels that do not fit.

    Example:
        >>> from fusiontheory.networks import build_network
        >>> _ = torch.manual_seed(0)
        >>> v, label = torch.randn(400, 4), torch.ones(400)
        >>> label[::2] = -1
        >>> t = torch.where(label[:, None] > 0, v, torch.randn(400, 4))
        >>> network = build_network("bilinear", 4, 4)
        >>> signal_growth(network, (v, t), label, adam_scales(network, (v, t)), 1.0)
        1.0
        >>> network = build_network("low-rank", 4, 4)
        >>> for parameter in network.parameters():
        ...     _ = parameter.data.mul_(0.1)
        >>> signal_growth(network, (v, t), label, adam_scales(network, (v, t)), 1.0) > 2
        True
    """
    state, rows = _prepared(module, pairs)
    y = torch.as_tensor(finite_array("label", label, 1)).to(rows[0])
    if len(y) != len(rows[0]):
        raise InputError(f"label must have one entry per pair, {len(rows[0])}, got {len(y)}")
    if not time > 0:
        raise InputError(f"time must be above 0, got {time}")
    for name, value in state.items():
        if name not in scales or scales[name].shape != value.shape:
            raise InputError(f"scales must have one for {name}, of shape {tuple(value.shape)}")
    squares = {name: scales[name].to(value) ** 2 for name, value in state.items()}
    half = len(y) // 2
    parts = [
        ((v[part], t[part]), y[part])
        for part in (slice(half), slice(half, None))
        for v, t in (rows,)
    ]
    first, other = (_mean_gradient(module, state, *part) for part in parts)
    start = _product(first, other, squares)
    if start == 0:
        return float("nan")
    end, limit = min(time, 1 / abs(start)), time / positive_integer("batch_size", batch_size) ** 0.5
    moved = {
        name: value + (end * squares[name] * first[name]).clamp(-limit, limit)
        for name, value in state.items()
    }
    after, beside = (_mean_gradient(module, moved, *part) for part in parts)
    if all(torch.allclose(after[name], first[name], rtol=1e-4) for name in state):
        return 1.0
    return _product(after, beside, squares) / start if start > 0 else float("nan")


def _prepared(module: nn.Module, pairs: tuple[ArrayLike, ArrayLike]) -> tuple[_Named, _Rows]:
    """Return parameters and pairs, or refuse what would fail later."""
    names = trained_names(module, None)
    state = {name: value.detach() for name, value in module.named_parameters() if name in names}
    like = next(iter(state.values()))
    rows = checked_pairs("pairs", pairs, like.dtype, like.device)
    probe(module, state, names, rows)
    return state, rows


def _mean_gradient(module: nn.Module, state: _Named, pairs: _Rows, label: Tensor) -> _Named:
    """Return the mean over pairs of y df/dp."""
    leaves = {name: value.clone().requires_grad_() for name, value in state.items()}
    with torch.enable_grad():
        mean = (functional_call(module, leaves, pairs) * label).mean()
        gradients = torch.autograd.grad(mean, list(leaves.values()), materialize_grads=True)
    return dict(zip(leaves, gradients, strict=True))


def _product(first: _Named, other: _Named, squares: _Named) -> float:
    return float(sum((squares[name] * first[name] * other[name]).sum() for name in first))
