"""What all trainable fusion networks share: two inputs of known sizes and one logit out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked

__all__ = ["FusionNetwork", "hidden_widths", "mlp"]


@checked
class FusionNetwork(nn.Module):
    """A network from an image feature and a text feature to one logit: matched or not.

    A new network is a subclass in a file of its own: a ``name``, an ``__init__`` that calls this
    one, ``logits``, and ``at_width`` if it has a width; then one entry in ``NETWORKS``. The last of
    its parameters is the bias of the output, with one number for each output: training sets the
    threshold there. Weights are drawn by PyTorch's defaults (standard parametrisation); seed with
    ``torch.manual_seed``.

    Args:
        d_v: dimension of the image feature.
        d_t: dimension of the text feature.

    Attributes:
        name: as in ``NETWORKS``.

    Raises:
        InputError: for dimensions that are not positive integers.

    Example:
        >>> class Sum(FusionNetwork):
        ...     name = "sum"
        ...     def logits(self, image, text):
        ...         return image.sum(1, keepdim=True) + text.sum(1, keepdim=True)
        >>> Sum(2, 3)(torch.ones(4, 2), torch.ones(4, 3))
        tensor([5., 5., 5., 5.])
    """

    name: ClassVar[str]

    def __init__(self, d_v: int, d_t: int) -> None:
        """Remember the sizes."""
        super().__init__()
        self.d_v = positive_integer("d_v", d_v)
        self.d_t = positive_integer("d_t", d_t)

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the logits (B,) of image (B, d_v) and text (B, d_t).

        Of a network with two outputs it is the second less the first, the log-odds of their
        softmax.

        Raises:
            InputError: if a feature has another shape, or the batches differ.
        """
        self.check(image, text)
        logits = self.logits(image, text)
        return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]

    def logits(self, image: Tensor, text: Tensor) -> Tensor:
        """Return the raw outputs, shape (B, 1) or (B, 2)."""
        raise NotImplementedError

    def check(self, image: Tensor, text: Tensor) -> None:
        """Raise InputError unless image is (B, d_v) and text is (B, d_t)."""
        for side, rows, d in (("image", image, self.d_v), ("text", text, self.d_t)):
            if rows.ndim != 2 or rows.shape[1] != d:
                raise InputError(f"{side} must have shape (B, {d}), got {tuple(rows.shape)}")
        if len(image) != len(text):
            raise InputError(
                f"image and text must have one row per pair, got {len(image)} and {len(text)}"
            )

    @classmethod
    def at_width(cls, size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``settings`` with the width that ``size`` >= 1 stands for.

        Raises:
            InputError: if the network has no width.
        """
        del size, settings
        raise InputError(f"name must be a network with a width, got {cls.name!r}, which has none")


def hidden_widths(hidden: Sequence[int]) -> tuple[int, ...]:
    """Return the checked widths of hidden layers, () for none.

    Raises:
        InputError: if it is not a sequence of positive integers.

    Example:
        >>> hidden_widths([256, 128])
        (256, 128)
    """
    if isinstance(hidden, str) or not isinstance(hidden, Sequence):
        raise InputError(f"hidden must be a sequence of widths, got {hidden!r}")
    return tuple(positive_integer("hidden", width) for width in hidden)


def mlp(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """Return linear layers with biases and ReLU between them; one linear layer if none is hidden.

    Args:
        inputs: input dimension.
        hidden: widths of the hidden layers.
        outputs: 1 or 2.

    Raises:
        InputError: for widths that are not positive integers, or another number of outputs.

    Example:
        >>> sum(p.numel() for p in mlp(1024, (256, 128), 2).parameters())
        295554
    """
    if outputs not in (1, 2):
        raise InputError(f"outputs must be 1 or 2, got {outputs!r}")
    layers: list[nn.Module] = []
    for width in hidden_widths(hidden):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def scaled_hidden(hidden: Sequence[int], size: int) -> tuple[int, ...]:
    """Return ``hidden`` scaled so that its last width is ``size``.

    >>> scaled_hidden((256, 128), 10)
    (20, 10)
    """
    return tuple(max(round(width / hidden[-1] * size), 1) for width in hidden)


def uniform(*shape: int, fan_in: int) -> nn.Parameter:
    """Return a parameter drawn from U(-fan_in^-1/2, fan_in^-1/2), as `torch.nn.Linear` draws."""
    bound = float(fan_in) ** -0.5
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))
