"""Networks in training: one of them as plain PyTorch has it, or many stacked along an axis."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Protocol

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.functional import softplus
from torch.nn.utils import parameters_to_vector

from fusiontheory.constraints import checked
from fusiontheory.networks import FusionNetwork
from fusiontheory.training.batches import Batch
from fusiontheory.training.dropout import DropoutMasks, with_dropout
from fusiontheory.training.settings import TrainingSettings

__all__ = ["LoopedNetwork", "Networks", "StackedNetworks", "logistic_losses"]


class Networks(Protocol):
    """K networks of one architecture in training."""

    @property
    def weights(self) -> Tensor:
        """All parameters of each network, shape (K, P); they may change with the next update."""
        ...

    def update(self, batch: Batch) -> Tensor:
        """Take one optimiser step on each member's batch; return its losses (K,) before it."""
        ...

    def gradient_norms(self) -> Tensor:
        """Return the Euclidean norms (K,) of the gradients of the last update."""
        ...

    def logits(self, weights: Tensor, image: Tensor, text: Tensor) -> Tensor:
        """Return the logits (k, B) of networks with any weights (k, P), without gradients."""
        ...

    def shift(self, by: Tensor) -> None:
        """Add ``by`` (K,) to the logits of each network, through the bias of its output."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the networks alone."""
        ...


def logistic_losses(logits: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """Return sum_i weight_i log(1 + exp(-label_i logit_i)) of each row of (K, B).

    >>> one = torch.ones(1, 1)
    >>> logistic_losses(0 * one, one, one)
    tensor([0.6931])
    """
    return (weight * softplus(-label * logits.float())).sum(dim=1)


class _Shapes:
    """Names, shapes and places of the parameters of one network in a vector of all of them."""

    def __init__(self, network: FusionNetwork) -> None:
        self.shapes = {name: value.shape for name, value in network.named_parameters()}

    def views(self, weights: Tensor) -> dict[str, Tensor]:
        """Return the parameters of (..., P) by name, as views."""
        sizes = [shape.numel() for shape in self.shapes.values()]
        parts = torch.split(weights, sizes, dim=-1)
        return {
            name: part.reshape(*part.shape[:-1], *shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def _shifted(bias: Tensor, by: Tensor) -> Tensor:
    """Return output biases (K, 1) or (K, 2) whose logits are larger by ``by`` (K,).

    >>> _shifted(torch.zeros(1, 2), torch.ones(1))
    tensor([[-0.5000,  0.5000]])
    """
    weight = bias.new_tensor([1.0] if bias.shape[1] == 1 else [-0.5, 0.5])
    return bias + by.to(bias)[:, None] * weight


def build_optimiser(
    settings: TrainingSettings, groups: list[dict[str, object]]
) -> torch.optim.Optimizer:
    """Return PyTorch's fused optimiser of parameter groups with lr and weight_decay."""
    if settings.optimiser == "sgd":
        return torch.optim.SGD(groups, momentum=settings.momentum, fused=True)
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(groups, fused=True)
    return torch.optim.Adam(groups, fused=True)


@contextlib.contextmanager
def _precision(settings: TrainingSettings, device: torch.device) -> Iterator[None]:
    lower = settings.dtype == "bfloat16"
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=lower):
        yield


@checked
class LoopedNetwork:
    """One network with PyTorch's own module, gradients and optimiser; K = 1.

    Args:
        network: with its initial weights; it is trained in place.
        rate: learning rate.
        decay: weight decay.
        seed: of the dropout.
        settings: optimiser, dtype and dropout.
        device: where.
    """

    def __init__(
        self,
        network: FusionNetwork,
        rate: float,
        decay: float,
        seed: int,
        settings: TrainingSettings,
        device: torch.device,
    ) -> None:
        """Move the network to the device."""
        widths = with_dropout(network) if settings.dropout else {}
        self._masks = DropoutMasks([seed], widths, settings.dropout, device)
        self._network = network.to(device)
        self._parameters = list(network.parameters())
        self._settings, self._device = settings, device
        self._places = _Shapes(network)
        groups: list[dict[str, object]] = [
            {"params": self._parameters, "lr": rate, "weight_decay": decay}
        ]
        self._optimiser = build_optimiser(settings, groups)

    @property
    def weights(self) -> Tensor:
        """All parameters, shape (1, P); a copy."""
        return parameters_to_vector([p.detach() for p in self._parameters])[None]

    def update(self, batch: Batch) -> Tensor:
        """Take one optimiser step; return the loss (1,) before it."""
        with _precision(self._settings, self._device):
            logits = self._forward(batch.image[0], batch.text[0])
        losses = logistic_losses(logits[None], batch.label, batch.weight)
        # Parameters that the logit does not depend on get a zero gradient, not none.
        gradients = torch.autograd.grad(losses.sum(), self._parameters, materialize_grads=True)
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        self._optimiser.step()
        return losses.detach()

    def _forward(self, image: Tensor, text: Tensor) -> Tensor:
        masks = {name: mask[0] for name, mask in self._masks.draw(len(image)).items()}
        if not masks:
            logits: Tensor = self._network(image, text)
            return logits
        dropped: Tensor = functional_call(self._network, masks, (image, text))
        return dropped

    def gradient_norms(self) -> Tensor:
        """Return the Euclidean norm (1,) of the gradient of the last update."""
        norm = torch.linalg.vector_norm
        gradients = [norm(p.grad) for p in self._parameters if p.grad is not None]
        whole: Tensor = norm(torch.stack(gradients))
        return whole[None]

    @torch.no_grad()
    def logits(self, weights: Tensor, image: Tensor, text: Tensor) -> Tensor:
        """Return the logits (1, B) of the network with any weights (1, P)."""
        with _precision(self._settings, self._device):
            named = self._places.views(weights[0])
            logits: Tensor = functional_call(self._network, named, (image[0], text[0]))
        return logits.float()[None]

    @torch.no_grad()
    def shift(self, by: Tensor) -> None:
        """Add ``by`` (1,) to the logits, through the bias of the output."""
        bias = self._parameters[-1]
        bias.copy_(_shifted(bias[None], by)[0])

    def keep(self, rows: Sequence[int]) -> None:
        """Do nothing: the one network goes on, or training is over."""


@checked
class StackedNetworks:
    """K networks as one, their parameters stacked along a leading axis.

    All parameters live in one tensor (K, P). Members that follow each other with the same
    learning rate and weight decay are one parameter of PyTorch's fused optimiser.

    Args:
        networks: of one architecture, with their initial weights.
        rates: learning rates.
        decays: weight decays.
        seeds: of the dropout.
        settings: optimiser, dtype and dropout.
        device: where.
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
        """Stack the weights on the device."""
        self._template = copy.deepcopy(networks[0]).to("meta")
        widths = with_dropout(self._template) if settings.dropout else {}
        self._masks = DropoutMasks(seeds, widths, settings.dropout, device)
        self._places = _Shapes(networks[0])
        self._settings, self._device = settings, device
        self._hyper = list(zip(rates, decays, strict=True))
        stacked = [parameters_to_vector([p.detach() for p in n.parameters()]) for n in networks]
        self._bind(torch.stack(stacked).to(device))

    def _bind(self, weights: Tensor) -> None:
        """Make leaves for autograd and blocks for the optimiser, all views of ``weights``."""
        self._weights = weights
        self._gradient = torch.zeros_like(weights)
        self._gradient_views = list(self._places.views(self._gradient).values())
        self._named = {
            name: view.detach().requires_grad_()
            for name, view in self._places.views(weights).items()
        }
        groups: list[dict[str, object]] = []
        start = 0
        for (rate, decay), run in groupby(self._hyper):
            stop = start + len(list(run))
            block = weights[start:stop]
            block.grad = self._gradient[start:stop]
            groups.append({"params": [block], "lr": rate, "weight_decay": decay})
            start = stop
        self._optimiser = build_optimiser(self._settings, groups)

    @property
    def weights(self) -> Tensor:
        """All parameters, shape (K, P); not a copy."""
        return self._weights

    def _forward(
        self,
        named: dict[str, Tensor],
        image: Tensor,
        text: Tensor,
        masks: dict[str, Tensor],
        masks_axis: int | None,
    ) -> Tensor:
        def one(own: dict[str, Tensor], v: Tensor, t: Tensor, mask: dict[str, Tensor]) -> Tensor:
            outputs: Tensor = functional_call(self._template, {**own, **mask}, (v, t))
            return outputs

        with _precision(self._settings, self._device):
            logits = vmap(one, (0, 0, 0, masks_axis))(named, image, text, masks)
        assert isinstance(logits, Tensor)
        return logits

    def update(self, batch: Batch) -> Tensor:
        """Take one optimiser step on each member's batch; return its losses (K,) before it."""
        masks = self._masks.draw(batch.label.shape[1])
        logits = self._forward(self._named, batch.image, batch.text, masks, 0)
        losses = logistic_losses(logits, batch.label, batch.weight)
        gradients = torch.autograd.grad(
            losses.sum(), list(self._named.values()), materialize_grads=True
        )
        for view, gradient in zip(self._gradient_views, gradients, strict=True):
            view.copy_(gradient)
        self._optimiser.step()
        return losses.detach()

    def gradient_norms(self) -> Tensor:
        """Return the Euclidean norms (K,) of the gradients of the last update."""
        norms: Tensor = torch.linalg.vector_norm(self._gradient, dim=1)
        return norms

    @torch.no_grad()
    def logits(self, weights: Tensor, image: Tensor, text: Tensor) -> Tensor:
        """Return the logits (k, B) of networks with any weights (k, P)."""
        named = self._places.views(weights)
        return self._forward(named, image, text, self._masks.nothing(), None).float()

    @torch.no_grad()
    def shift(self, by: Tensor) -> None:
        """Add ``by`` (K,) to the logits of each network, through the bias of its output."""
        bias = list(self._places.views(self._weights).values())[-1]
        bias.copy_(_shifted(bias, by))

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the networks alone, and the state of their optimiser."""
        self._masks.keep(rows)
        moments = self._state()
        index = torch.tensor(rows, device=self._device)
        self._hyper = [self._hyper[k] for k in rows]
        self._bind(self._weights[index])
        start = 0
        for group in self._optimiser.param_groups:
            [block] = group["params"]
            stop = start + len(block)
            self._optimiser.state[block] = {
                name: value[index[start:stop]] if value.ndim == 2 else value.clone()
                for name, value in moments.items()
            }
            start = stop

    def _state(self) -> dict[str, Tensor]:
        """Return the optimiser's state of all members, (K, P) each, and its count of steps."""
        parts = [
            self._optimiser.state[group["params"][0]] for group in self._optimiser.param_groups
        ]
        return {
            name: value if value.ndim == 0 else torch.cat([part[name] for part in parts])
            for name, value in parts[0].items()
            if isinstance(value, torch.Tensor)
        }
