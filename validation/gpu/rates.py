"""(c) Rates beside their limits: updates of members, kernel ridge, extraction with random weights.

A limit is measured on the same device: matrix products alone for updates, the Gram matrix and one
Cholesky factor for kernel ridge, the model alone for extraction.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from fusiontheory.checks import InputError
from fusiontheory.heads import find_head
from fusiontheory.solvers import measure_curve
from fusiontheory.training import (
    Architecture,
    Batches,
    FeatureBank,
    LoopedNetwork,
    Member,
    StackedNetworks,
    TrainingSettings,
)
from validation.backbones import library
from validation.gpu.agreement import made_up_dataset, made_up_pairs

__all__ = ["extraction_rates", "ridge_rates", "seconds_of", "update_rates"]

_BATCH = 256


def seconds_of(work: Callable[[], object], device: str, repeats: int = 3) -> float:
    """Return the least wall time of a call over repeats, after one that warms up.

    >>> seconds_of(lambda: None, "cpu") < 1
    True
    """

    def timed() -> float:
        start = time.perf_counter()
        work()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    timed()
    return min(timed() for _ in range(repeats))


def product_rate(device: str, dtype: torch.dtype, size: int) -> float:
    """Return multiplications and additions of a matrix product a second."""
    a = torch.randn(size, size, device=device).to(dtype)
    return 2 * size**3 / seconds_of(lambda: a @ a, device)


def update_rates(
    device: str, heads: Sequence[str], members: int, d: int, updates: int, size: int
) -> dict[str, dict[str, float]]:
    """Return member updates a second, stacked and in a plain loop, and the limit, by head.

    Args:
        device: by its own name.
        heads: networks with their own defaults.
        members: that are stacked.
        d: dimension of each side.
        updates: that are timed.
        size: of the matrix product that gives the limit.
    """
    place = torch.device(device)
    data = made_up_dataset(2 * _BATCH, d)
    settings = TrainingSettings(batch_size=_BATCH, dtype="bfloat16")
    limit = product_rate(device, torch.bfloat16, size)
    by_head = {}
    for head in heads:
        everyone = [Member(data, seed) for seed in range(members)]
        networks = [Architecture(head).build(d, d, member.seed) for member in everyone]
        count = sum(p.numel() for p in networks[0].parameters())
        bank = FeatureBank([data], place)
        several = [1e-3] * members, [0.0] * members, list(range(members))
        stacked = StackedNetworks(networks, *several, settings, place)
        own = Architecture(head).build(d, d)
        looped = LoopedNetwork(own, 1e-3, 0.0, 0, settings, place)
        rates = {
            name: many * updates / seconds_of(_updates(group, bank, those, updates), device)
            for name, group, those, many in (
                ("stacked", stacked, everyone, members),
                ("loop", looped, everyone[:1], 1),
            )
        }
        # A weight is multiplied in the forward pass and twice in the backward pass, for each pair.
        needed = 6.0 * count * _BATCH
        by_head[head] = {
            **rates,
            "ratio": rates["stacked"] / rates["loop"],
            "limit": limit / needed,
            "share_of_limit": rates["stacked"] * needed / limit,
        }
    return by_head


def _updates(
    group: StackedNetworks | LoopedNetwork, bank: FeatureBank, members: list[Member], count: int
) -> Callable[[], None]:
    def work() -> None:
        batches = Batches(bank, members, _BATCH)
        for step in range(count):
            losses = group.update(batches.at(step))
        losses.sum().item()

    return work


def ridge_rates(device: str, sizes: Sequence[int], d: int) -> dict[str, dict[str, float]]:
    """Return seconds of kernel ridge, of its Gram matrix and factor alone, and their ratio, by n.

    Args:
        device: by its own name.
        sizes: numbers of training pairs; there are 1000 test pairs.
        d: dimension of each side.
    """
    by_size = {}
    for n in sizes:
        train, test = made_up_pairs(n, d, 0), made_up_pairs(min(n, 1000), d, 1)
        rows = torch.as_tensor(train.image, device=device)
        other = torch.as_tensor(train.text, device=device)

        def limit(rows: torch.Tensor = rows, other: torch.Tensor = other) -> None:
            gram = (rows @ rows.T) * (other @ other.T)
            gram.diagonal().add_(1.0)
            torch.linalg.cholesky(gram)

        least = seconds_of(limit, device, 2)
        seconds = {
            precision: seconds_of(
                partial(
                    measure_curve,
                    *(find_head("bilinear"), train, test, [n], 1.0),
                    device=device,
                    precision=precision,
                ),
                device,
                2,
            )
            for precision in ("float64", "mixed")
        }
        by_size[str(n)] = {"limit": least, **seconds, "ratio": least / seconds["float64"]}
    return by_size


def extraction_rates(device: str, images: int, batch: int) -> dict[str, float] | str:
    """Return images a second of ViT-B/32 with random weights, alone and with decoding.

    Args:
        device: by its own name.
        images: made-up photographs of 500 x 375 pixels.
        batch: of them at once.

    Returns:
        ``model`` alone, ``decode`` on one core, and ``both`` one after the other; or a sentence if
        open_clip is not installed.
    """
    try:
        open_clip, images_of = library("open_clip"), library("PIL.Image")
    except InputError as error:
        return f"not measured: {error}"
    rng = np.random.default_rng(0)
    file = io.BytesIO()
    coarse = images_of.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    coarse.resize((500, 375)).save(file, "JPEG", quality=90)
    model = open_clip.create_model("ViT-B-32", pretrained=None, device=device).eval()
    whole = model.to(torch.bfloat16)

    def decode() -> torch.Tensor:
        made = [
            np.asarray(
                images_of.open(io.BytesIO(file.getvalue())).convert("RGB").resize((224, 224))
            )
            for _ in range(images)
        ]
        return torch.as_tensor(np.stack(made), device=device).permute(0, 3, 1, 2)

    @torch.no_grad()
    def encode(pixels: torch.Tensor) -> None:
        for part in torch.split(pixels, batch):
            whole.encode_image(part.to(torch.bfloat16) / 255)

    ready = decode()
    return {
        "model": images / seconds_of(lambda: encode(ready), device),
        "decode": images / seconds_of(decode, "cpu"),
        "both": images / seconds_of(lambda: encode(decode()), device),
    }
