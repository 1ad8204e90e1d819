"""Stacked networks whose losses and gradient are one compiled function, a CUDA graph on a GPU.

No command uses them: whether they pay is measured by ``python -m validation.gpu``, and has not
been on any GPU yet. What compilation has to keep is tested against `StackedNetworks`, attention
above all: PyTorch 2.13 compiles attention of five dimensions wrongly, without an error.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import grad

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.networks import FusionNetwork
from fusiontheory.training.batches import Batch
from fusiontheory.training.networks import StackedNetworks, logistic_losses
from fusiontheory.training.settings import TrainingSettings

__all__ = ["CompiledNetworks"]


@checked
class CompiledNetworks(StackedNetworks):
    """`StackedNetworks` with a compiled update; the first of each shape takes seconds to minutes.

    Args:
        networks, rates, decays, seeds, settings, device: as `StackedNetworks` takes them.

    Raises:
        InputError: for settings with dropout, whose masks are drawn anew at each update.
    """

    def __init__(
        self,
        networks: Sequence[FusionNetwork],
        rates: Sequence[float],
        decays: Sequence[float],
        seeds: Sequence[int],
        settings: TrainingSettings,
        device: torch.device,
    ) -> None:
        """Stack the weights on the device; nothing is compiled yet."""
        if settings.dropout:
            raise InputError(f"dropout must be 0 to compile an update, got {settings.dropout:g}")
        super().__init__(networks, rates, decays, seeds, settings, device)
        mode = "reduce-overhead" if device.type == "cuda" else "default"
        self._compiled = torch.compile(self._gradient_and_losses, mode=mode, dynamic=False)

    def update(self, batch: Batch) -> Tensor:
        """Take one optimiser step on each member's batch; return its losses (K,) before it."""
        gradient, losses = self._compiled(self._weights, *batch)
        # Out of the graph's own memory, which the next update writes to.
        self._gradient.copy_(gradient)
        self._optimiser.step()
        kept: Tensor = losses.clone()
        return kept

    def _gradient_and_losses(
        self, weights: Tensor, image: Tensor, text: Tensor, label: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the gradient (K, P) of the sum of the losses, and the losses (K,)."""

        def total(stacked: Tensor) -> tuple[Tensor, Tensor]:
            logits = self._forward(self._places.views(stacked), image, text, {}, None)
            losses = logistic_losses(logits, label, weight)
            return losses.sum(), losses

        gradient, losses = grad(total, has_aux=True)(weights)
        return gradient, losses
