"""Members of an ensemble: one dataset, one seed and one set of hyper-parameters each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.networks import (
    NETWORKS,
    TOKEN_NETWORKS,
    FusionNetwork,
    build_network,
    with_parameters,
)
from fusiontheory.training.dataset import PairDataset, widths
from fusiontheory.training.settings import positive_number

__all__ = ["Architecture", "Member", "all_members"]

_LARGEST_SEED = 2**63 - 1


@checked
@dataclass(frozen=True)
class Architecture:
    """A network by name, with its settings, and maybe a number of parameters to come near to.

    Args:
        head: one of `fusiontheory.networks.NETWORKS`, or of `TOKEN_NETWORKS` there, whose datasets
            have image tokens (images, tokens, d).
        settings: of the network; see its class.
        parameters: if given, the width is chosen so that the network has about so many.

    Raises:
        InputError: for an unknown head.

    Example:
        >>> Architecture("concat-mlp", {"hidden": [32]}).build(8, 8, seed=0).name
        'concat-mlp'
    """

    head: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    parameters: int | None = None

    def __post_init__(self) -> None:
        """Check the name."""
        known = (*NETWORKS, *TOKEN_NETWORKS)
        if self.head not in known:
            raise InputError(f"head must be one of {', '.join(known)}, got {self.head!r}")

    def build(self, d_v: int, d_t: int, seed: int = 0, scale: float = 1.0) -> FusionNetwork:
        """Return the network, in float32 on the CPU, with weights drawn with ``seed``.

        Args:
            d_v, d_t: dimensions of the features.
            seed: the same one gives the same weights, whatever was drawn before.
            scale: factor on every initial weight and bias.

        Raises:
            InputError: for settings that the network does not have or cannot use.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if self.parameters is None:
                network = build_network(self.head, d_v, d_t, **self.settings)
            else:
                network = with_parameters(
                    self.head, d_v, d_t, about=self.parameters, **self.settings
                )
        if scale != 1.0:
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.mul_(scale)
        return network.float()

    def describe(self) -> str:
        """Return name, settings and parameters as one JSON text."""
        return json.dumps([self.head, dict(self.settings), self.parameters], sort_keys=True)


@checked
@dataclass(frozen=True, eq=False)
class Member:
    """One run: what is trained on what, from which seed.

    Attributes:
        dataset: features and pairs.
        seed: of the initial weights, and of the order of the pairs unless ``order_seed`` is given.
        learning_rate, weight_decay: None for those of the training settings.
        init_scale: factor on the initial weights and biases.
        order_seed: of the order in which the pairs of each epoch come, and of the dropout.

    Raises:
        InputError: for a seed that is not from 0 to 2^63 - 1, a learning rate or scale that is
            not above 0, or a negative weight decay.
    """

    dataset: PairDataset
    seed: int = 0
    learning_rate: float | None = None
    weight_decay: float | None = None
    init_scale: float = 1.0
    order_seed: int | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("seed", "order_seed"):
            value = getattr(self, name)
            if value is not None and positive_integer(name, value, minimum=0) > _LARGEST_SEED:
                raise InputError(f"{name} must be below 2^63, got {value}")
        if self.learning_rate is not None:
            positive_number("learning_rate", self.learning_rate)
        if self.weight_decay is not None:
            non_negative("weight_decay", self.weight_decay)
        positive_number("init_scale", self.init_scale)

    @property
    def order_entropy(self) -> int:
        """The seed of the order of the pairs."""
        return self.seed if self.order_seed is None else self.order_seed

    def describe(self) -> str:
        """Return what tells this member from others as one JSON text."""
        values = (self.seed, self.learning_rate, self.weight_decay, self.init_scale)
        return json.dumps([self.dataset.fingerprint, *values, self.order_seed])


@checked
def all_members(
    datasets: Iterable[PairDataset],
    seeds: Sequence[int],
    learning_rates: Sequence[float | None] = (None,),
    weight_decays: Sequence[float | None] = (None,),
) -> list[Member]:
    """Return a member for each dataset, seed, learning rate and weight decay.

    Example:
        >>> import numpy as np
        >>> from fusiontheory.training import IndexedPairs
        >>> pairs = IndexedPairs([0, 1], [0, 1], [1, -1])
        >>> data = PairDataset("demo", np.eye(2), np.eye(2), np.arange(2), pairs)
        >>> len(all_members([data], seeds=range(5), learning_rates=[1e-3, 1e-2]))
        10
    """
    return [
        Member(dataset, seed, rate, decay)
        for dataset, rate, decay, seed in itertools.product(
            datasets, learning_rates, weight_decays, seeds
        )
    ]


def check_members(members: Sequence[Member], batch_size: int) -> None:
    """Raise InputError unless the members can share one architecture and batch size."""
    if not members:
        raise InputError("members must hold at least one member, got none")
    shapes = {widths(member.dataset) for member in members}
    if len(shapes) > 1:
        raise InputError(
            f"members must have features of one shape, got {' and '.join(map(str, sorted(shapes)))}"
        )
    smallest = min((len(member.dataset.train), member.dataset.name) for member in members)
    if batch_size > smallest[0]:
        raise InputError(
            f"batch_size must be at most the {smallest[0]} training pairs of {smallest[1]},"
            f" got {batch_size}"
        )


def check_labels(members: Sequence[Member]) -> None:
    """Raise InputError unless the training pairs of each member have both labels."""
    for member in members:
        label = member.dataset.train.label
        if (label == label[0]).all():
            raise InputError(
                "threshold 'scores' needs training pairs of both labels, got"
                f" {label[0]:+g} alone in {member.dataset.name}, n = {len(label)}"
            )
