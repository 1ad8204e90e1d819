"""What every backbone is: a card that says what its features are, and one or two functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from fusiontheory.checks import InputError
from fusiontheory.typing import Integers, Single
from validation.backbones.preprocessing import Preprocessing

__all__ = [
    "DTYPES",
    "Card",
    "ImageBackbone",
    "TextBackbone",
    "check_device",
    "length_batches",
    "scaled",
    "torch_dtype",
]

DTYPES = ("float32", "bfloat16")
"""Types that a network can compute in; features come out as float32."""


@dataclass(frozen=True)
class Card:
    """What decides the features of a backbone, to be kept beside them.

    Args:
        name: the architecture, "resnet18" or "clip:ViT-B-32-quickgelu".
        tag: which published weights, or "local".
        weights: SHA-256 of the tensors.
        output: "pooled" for (n, d), "tokens" for (n, tokens, d).
        normalisation: "unit" if each vector has Euclidean norm 1, "none" if as the network left it.
        dtype: what the network computes in.
        preprocessing: of images, None where there are none.
        context: of texts, the largest number of tokens, None where there are none.
        activation: of CLIP, "quick_gelu" or "gelu".
        note: what the file of the weights says of them, such as that they are random.
    """

    name: str
    tag: str
    weights: str
    output: str
    normalisation: str
    dtype: str
    preprocessing: Preprocessing | None = None
    context: int | None = None
    activation: str | None = None
    note: str | None = None

    def described(self) -> dict[str, Any]:
        """Return it as JSON values; a note only where there is one."""
        told = asdict(self)
        if self.note is None:
            del told["note"]
        told["preprocessing"] = self.preprocessing and self.preprocessing.described()
        return told


@runtime_checkable
class ImageBackbone(Protocol):
    """Images to (n, d) or (n, tokens, d)."""

    @property
    def card(self) -> Card:
        """What the features are."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        ...

    def encode_images(self, x: torch.Tensor) -> Single:
        """Encode the (n, 3, size, size) arrays that ``card.preprocessing`` makes."""
        ...


@runtime_checkable
class TextBackbone(Protocol):
    """Texts to (n, d), or to (n, context, d) with zeros after the last token."""

    @property
    def card(self) -> Card:
        """What the features are."""
        ...

    def encode_texts(self, texts: Sequence[str], batch: int) -> Single:
        """Encode texts, at most ``batch`` at once; the rows are in the order of the texts."""
        ...


def scaled(
    pixels: torch.Tensor, preprocessing: Preprocessing, device: torch.device
) -> torch.Tensor:
    """Return (n, 3, size, size) float32 from (n, size, size, 3) bytes, as `Preprocessing` does."""
    x = pixels.to(device).permute(0, 3, 1, 2).float().div_(255)
    for values, apply in ((preprocessing.mean, x.sub_), (preprocessing.std, x.div_)):
        apply(torch.tensor(values, dtype=torch.float32, device=device)[:, None, None])
    return x


def length_batches(lengths: Sequence[int], batch: int) -> Iterator[Integers]:
    """Yield the positions of items in batches of about equal length, shortest first.

    >>> [part.tolist() for part in length_batches([9, 2, 8, 3], 2)]
    [[1, 3], [2, 0]]
    """
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), batch):
        yield order[start : start + batch]


def torch_dtype(name: str) -> torch.dtype:
    """Return the torch type of a name in `DTYPES`.

    Raises:
        InputError: if it is none of them.

    >>> torch_dtype("float32")
    torch.float32
    """
    if name not in DTYPES:
        raise InputError(f"dtype must be {' or '.join(DTYPES)}, got {name!r}")
    return torch.float32 if name == "float32" else torch.bfloat16


def check_device(name: str) -> torch.device:
    """Return a device of this machine.

    Raises:
        InputError: if there is no such device here.

    >>> check_device("cpu").type
    'cpu'
    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        detail = " ".join(str(error).split())[:80]
        raise InputError(f"device must be one of this machine, got {name!r} ({detail})") from error
    return device
