"""Networks by name, and networks of one size for a fair comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import being, checked
from fusiontheory.networks.base import FusionNetwork
from fusiontheory.networks.bilinear import Bilinear, LowRankBilinear
from fusiontheory.networks.concat import ConcatLinear, ConcatMLP
from fusiontheory.networks.coordinate import DotProduct, Hadamard
from fusiontheory.networks.cross_attention import CrossAttention, TwoWayCrossAttention
from fusiontheory.networks.gated import GatedFusion
from fusiontheory.networks.query_attention import BilinearQueryAttention, MLPQueryAttention
from fusiontheory.networks.token_attention import TokenCrossAttention
from fusiontheory.networks.unimodal import ImageOnly, TextOnly

__all__ = ["NETWORKS", "TOKEN_NETWORKS", "build_network", "with_parameters"]

NETWORKS: dict[str, type[FusionNetwork]] = {
    network.name: network
    for network in (
        ConcatLinear,
        ConcatMLP,
        ImageOnly,
        TextOnly,
        DotProduct,
        Hadamard,
        LowRankBilinear,
        Bilinear,
        CrossAttention,
        TwoWayCrossAttention,
        TokenCrossAttention,
        GatedFusion,
    )
}

TOKEN_NETWORKS: dict[str, type[FusionNetwork]] = {
    network.name: network for network in (BilinearQueryAttention, MLPQueryAttention)
}
"""Networks that take an image's tokens (B, m, d), and no vectors."""

_ALL = NETWORKS | TOKEN_NETWORKS


_NOT_HUGE = being("at most 1048576", lambda dimension: dimension <= 2**20)


@checked(d_v=_NOT_HUGE, d_t=_NOT_HUGE)
def build_network(name: str, d_v: int, d_t: int, **settings: Any) -> FusionNetwork:
    """Return the network of that name with freshly drawn weights.

    Args:
        name: one of ``NETWORKS`` or ``TOKEN_NETWORKS``.
        d_v, d_t: dimensions of the features.
        settings: of the network; see its class.

    Raises:
        InputError: for an unknown name, and for settings that the network does not have or
            cannot use.

    Example:
        >>> build_network("low-rank", 512, 512, rank=4).name
        'low-rank'
    """
    if name not in _ALL:
        raise InputError(f"name must be one of {', '.join(_ALL)}, got {name!r}")
    try:
        return _ALL[name](d_v, d_t, **settings)
    except TypeError as error:
        raise InputError(f"settings must be those of {name}, got {settings}: {error}") from error


@checked
def with_parameters(name: str, d_v: int, d_t: int, *, about: int, **settings: Any) -> FusionNetwork:
    """Return the network with the width whose number of parameters is nearest to ``about``.

    Args:
        name: a network with a width: hidden layers (scaled together), rank, or attention width
            (a multiple of the heads).
        d_v, d_t: dimensions of the features.
        about: number of parameters wanted.
        settings: of the network, apart from the width.

    Raises:
        InputError: for a network without a width, and a number below that of width 1.

    Example:
        >>> network = with_parameters("low-rank", 512, 512, about=295_554)
        >>> sum(p.numel() for p in network.parameters())
        295937
    """
    wanted = positive_integer("about", about)

    def count(size: int) -> int:
        # On the meta device parameters have shapes, and no memory.
        with torch.device("meta"):
            network = build_network(name, d_v, d_t, **_at_width(name, size, settings))
        return sum(parameter.numel() for parameter in network.parameters())

    smallest = count(1)
    if wanted < smallest:
        raise InputError(
            f"about must be at least {smallest}, the parameters of {name} at width 1, got {wanted}"
        )
    low, high = 1, 2
    while count(high) <= wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= wanted else (low, middle)
    nearest = min((low, high), key=lambda size: abs(count(size) - wanted))
    return build_network(name, d_v, d_t, **_at_width(name, nearest, settings))


def _at_width(name: str, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    if name not in _ALL:
        raise InputError(f"name must be one of {', '.join(_ALL)}, got {name!r}")
    return _ALL[name].at_width(size, settings)
