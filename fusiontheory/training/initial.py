"""Networks at their initial weights: a gradient that is finite, logits of order one."""

from __future__ import annotations

import json
from functools import lru_cache

import torch
from torch import Tensor

from fusiontheory.checks import InputError
from fusiontheory.constraints import between, checked
from fusiontheory.networks import FusionNetwork
from fusiontheory.training.dataset import PairDataset
from fusiontheory.training.members import Architecture

__all__ = ["check_gradient", "unit_logit_scale"]

# Pairs that a gradient is tried on.
_TRIED = 8
# Random pairs, of unit vectors, on which the spread of logits is taken.
_PROBE = 512
_RANGE = (2.0**-10, 2.0**10)
_STEPS = 30


def check_gradient(network: FusionNetwork, dataset: PairDataset) -> None:
    """Raise InputError if logits or gradients of the first training pairs are not finite.

    It names the network and the parameter. Features of the wrong shape are refused by the network.
    """
    pairs = dataset.train
    image = torch.tensor(dataset.image[pairs.image[:_TRIED]]).float()
    text = torch.tensor(dataset.text[pairs.text[:_TRIED]]).float()
    logits = network(image, text)
    if not torch.isfinite(logits).all():
        raise InputError(
            "head must have finite logits at its initial weights, got"
            f" {logits[~torch.isfinite(logits)].tolist()[0]} of"
            f" {network.name} on {dataset.name}; scale the features or the weights down"
        )
    named = dict(network.named_parameters())
    gradients = torch.autograd.grad(logits.sum(), list(named.values()), materialize_grads=True)
    for name, gradient in zip(named, gradients, strict=True):
        if not torch.isfinite(gradient).all():
            raise InputError(
                "head must have a finite gradient at its initial weights, got one of"
                f" {network.name} that is not, in its parameter {name}, on {dataset.name}"
            )


@checked(d_v=between(1, 2**20), d_t=between(1, 2**20))
def unit_logit_scale(architecture: Architecture, d_v: int, d_t: int) -> float:
    """Return the factor on the initial weights at which logits have a standard deviation of 1.

    It is over pairs of independent random vectors of unit length, for the weights of seed 0, so
    that a head has one factor for all data and seeds of the same dimensions. PyTorch's initial
    weights give vectors of unit length logits of 0.001 to 0.1, and training starts slowly.

    Args:
        architecture: of the network.
        d_v, d_t: dimensions of the features.

    Raises:
        InputError: if no factor from 1/1024 to 1024 does it.

    Example:
        >>> 20 < unit_logit_scale(Architecture("dot-product"), 512, 512) < 25  # of scale 1, 0.044
        True
    """
    return _unit_scale(architecture.describe(), d_v, d_t)


@lru_cache(maxsize=64)
def _unit_scale(described: str, d_v: int, d_t: int) -> float:
    head, settings, parameters = json.loads(described)
    architecture = Architecture(head, settings, parameters)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        image, text = (_unit_rows(d) for d in (d_v, d_t))

    def spread(scale: float) -> float:
        with torch.no_grad():
            return float(architecture.build(d_v, d_t, 0, scale)(image, text).std())

    low, high = _RANGE
    if not spread(low) <= 1 <= spread(high):
        raise InputError(
            f"head must have logits of spread 1 at a factor from {low:g} to {high:g} on its initial"
            f" weights, got {spread(low):.3g} to {spread(high):.3g} of {head}"
        )
    for _ in range(_STEPS):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if spread(middle) < 1 else (low, middle)
    # Three digits, so that no machine's rounding makes it another setting.
    return float(f"{(low * high) ** 0.5:.3g}")


def _unit_rows(d: int) -> Tensor:
    return torch.nn.functional.normalize(torch.randn(_PROBE, d), dim=1)
