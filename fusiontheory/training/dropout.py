"""Dropout whose masks are given, so that one network and a stack of them can use the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from fusiontheory.constraints import checked

__all__ = ["DropoutMasks", "DroppedReLU", "with_dropout"]


class DroppedReLU(nn.Module):
    """max(x, 0) times a mask, a buffer that is 1 unless `torch.func.functional_call` gives one."""

    mask: Tensor

    def __init__(self) -> None:
        """Start with the mask that drops nothing."""
        super().__init__()
        self.register_buffer("mask", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the masked ReLU."""
        return torch.relu(x) * self.mask


def with_dropout(network: nn.Module) -> dict[str, int]:
    """Replace each ReLU after a linear layer in place; return the width of each mask by name.

    Example:
        >>> with_dropout(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)))
        {'1.mask': 3}
    """
    widths = {}
    for path, module in list(network.named_modules()):
        if not isinstance(module, nn.Sequential):
            continue
        for k, (before, layer) in enumerate(zip(module, list(module)[1:], strict=False), start=1):
            if isinstance(layer, nn.ReLU) and isinstance(before, nn.Linear):
                module[k] = DroppedReLU()
                widths[".".join(filter(None, [path, str(k), "mask"]))] = before.out_features
    return widths


@checked
class DropoutMasks:
    """Masks of K members, each from a generator of its own.

    Args:
        seeds: of the members.
        widths: of `with_dropout`.
        share: of entries that are 0; the others are 1 / (1 - share).
        device: where the masks are used; they are drawn on the CPU.
    """

    def __init__(
        self, seeds: Sequence[int], widths: dict[str, int], share: float, device: torch.device
    ) -> None:
        """Seed the generators."""
        self._widths, self._share, self._device = widths, share, device
        self._generators = [
            np.random.default_rng(np.random.SeedSequence([seed, 2])) for seed in seeds
        ]

    def draw(self, batch_size: int) -> dict[str, Tensor]:
        """Return the next masks by name, each (K, batch_size, width); none if nothing drops."""
        return {name: self._mask(batch_size, width) for name, width in self._widths.items()}

    def nothing(self) -> dict[str, Tensor]:
        """Return masks of one network that drop nothing, each (1,)."""
        return {name: torch.ones(1, device=self._device) for name in self._widths}

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the members alone."""
        self._generators = [self._generators[k] for k in rows]

    def _mask(self, batch_size: int, width: int) -> Tensor:
        drawn = [rng.random((batch_size, width), np.float32) for rng in self._generators]
        kept = torch.from_numpy(np.stack(drawn) >= self._share).to(self._device)
        return kept.float() / (1 - self._share)
