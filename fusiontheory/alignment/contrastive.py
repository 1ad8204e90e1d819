r"""Contrastive heads: linear maps of image and text into one space, trained on align images.

Sources: van den Oord, Li & Vinyals, arXiv:1807.03748 (InfoNCE); *CLIP*, arXiv:2103.00020.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import (
    InputError,
    finite_array,
    non_negative,
    positive_integer,
    set_checked,
)
from fusiontheory.constraints import checked, single
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.store import (
    check_writable,
    code_version,
    digest,
    read_tensors,
    sha256,
    write_tensors,
)
from fusiontheory.typing import AnyArray, Array, Single

if TYPE_CHECKING:
    import torch

__all__ = [
    "ContrastiveHeads",
    "ContrastiveSettings",
    "cached_contrastive_heads",
    "fit_contrastive_heads",
    "symmetric_info_nce",
]

_WARM_UP = 0.1  # share of the steps in which the one-cycle learning rate rises
ALIGN = "align"  # the split that heads and means are fitted on


@dataclass(frozen=True)
class ContrastiveSettings:
    """How contrastive heads are trained.

    Args:
        dimension: of the common space.
        epochs: passes over the align images.
        batch: images in a step, with all their captions; fewer if there are fewer.
        learning_rate: the peak of the one-cycle schedule of AdamW, above 0.
        weight_decay: of the heads.
        temperature: at the start, above 0; its inverse, the scale of the cosines, is learned.

    Raises:
        InputError: if a value is outside its range.

    The defaults were chosen by recall on the shipped dev images: `validation/data/README.md`.

    >>> ContrastiveSettings().dimension
    512
    """

    dimension: int = 512
    epochs: int = 25
    batch: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    temperature: float = 0.07

    def __post_init__(self) -> None:
        """Check every value and store it as the type it is declared as."""
        for name, smallest in (("dimension", 1), ("epochs", 1), ("batch", 2)):
            value = positive_integer(name, getattr(self, name), smallest)
            set_checked(self, name, value)
        for name in ("learning_rate", "weight_decay", "temperature"):
            number = non_negative(name, getattr(self, name))
            if number == 0 and name != "weight_decay":
                raise InputError(f"{name} must be above 0, got {number}")
            set_checked(self, name, number)


@checked(image=single, text=single)
@dataclass(frozen=True, eq=False)
class ContrastiveHeads:
    """One linear map for each modality into a common space, without bias.

    Args:
        image: (d, d_v) float32; maps an image vector x to image @ x.
        text: (d, d_t) float32.
        scale: learned inverse temperature, the factor of the cosines in the loss.

    Raises:
        InputError: if the maps are not finite or have different numbers of rows.

    >>> ContrastiveHeads(np.eye(2), np.ones((2, 3)), 10.0).text.shape
    (2, 3)
    """

    image: Single
    text: Single
    scale: float

    def __post_init__(self) -> None:
        """Check the maps and keep them as read-only float32."""
        for name in ("image", "text"):
            values = finite_array(name, getattr(self, name), 2).astype(np.float32)
            values.flags.writeable = False
            set_checked(self, name, values)
        if len(self.image) != len(self.text):
            raise InputError(
                f"image and text must map to one dimension, got {len(self.image)}"
                f" and {len(self.text)}"
            )
        set_checked(self, "scale", non_negative("scale", self.scale))

    @cached_property
    def fingerprint(self) -> str:
        """20 hex digits that change with the two maps."""
        return digest({"image": self.image, "text": self.text})[:20]


@checked
def symmetric_info_nce(
    image: torch.Tensor, text: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    r"""Return the symmetric InfoNCE loss of b images and their k captions, in nats.

        L = -1/(2bk) sum_{i,c} [ log softmax_j(s <v_j, t_ic>)[i]
                                 + log softmax_{(j,l)}(s <v_i, t_jl>)[(i, c)] ]

    As an image spreads over its k captions, the second term is at least log k.

    Args:
        image: (b, d) at unit norm.
        text: (b, k, d) at unit norm.
        scale: s, the inverse temperature, a scalar.

    >>> import torch
    >>> v = torch.eye(2)
    >>> round(float(symmetric_info_nce(v, v[:, None], torch.tensor(1.0))), 4)
    0.3133
    """
    log_softmax = _torch().nn.functional.log_softmax
    b, k, d = text.shape
    cosines = scale * (image @ text.reshape(b * k, d).T)
    to_text = log_softmax(cosines, dim=1).reshape(b, b, k)
    to_image = log_softmax(cosines, dim=0).reshape(b, b, k)
    # Means over the diagonal blocks: image i against the captions of image i.
    loss: torch.Tensor = -(to_text.diagonal().mean() + to_image.diagonal().mean()) / 2
    return loss


@checked
def fit_contrastive_heads(
    features: FeatureSet, settings: ContrastiveSettings | None = None, seed: int = 0
) -> ContrastiveHeads:
    """Train one linear head for each modality on the align images, with all their captions.

    AdamW with a one-cycle schedule on one thread: two runs on one machine are equal to the bit,
    whatever threads, modes and random state torch has, all of which are left as they were.

    Args:
        features: with at least 2 align images; other images are not used.
        settings: None: the defaults.
        seed: of the first weights and the order of the images, at least 0.

    Raises:
        InputError: if torch is missing, there are no align images, or the training diverges.

    >>> generator = np.random.default_rng(0)
    >>> image = generator.normal(size=(20, 3))
    >>> features = FeatureSet(image, image @ generator.normal(size=(3, 4)), split=["align"] * 20)
    >>> heads = fit_contrastive_heads(features, ContrastiveSettings(dimension=2, epochs=3))
    >>> heads.image.shape, heads.text.shape
    ((2, 3), (2, 4))
    """
    settings = settings or ContrastiveSettings()
    seed = positive_integer("seed", seed, minimum=0)
    rows = features.rows(ALIGN)
    if len(rows) < 2:
        raise InputError(f"features must have at least 2 align images, got {len(rows)}")
    torch = _torch()
    inputs = [
        torch.from_numpy(less_mean(name, x[rows], x[rows]).astype(np.float32))
        for name, x in (("image", features.image), ("text", features.text))
    ]
    with _reproducible(torch):
        image, text, scale = _train(torch, inputs[0], inputs[1], settings, seed)
    if not all(np.isfinite(values).all() for values in (image, text, scale)):
        raise InputError(f"settings must let the training converge, got NaN with {settings}")
    return ContrastiveHeads(image, text, scale)


@checked
def cached_contrastive_heads(
    features: FeatureSet,
    settings: ContrastiveSettings | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] = ".cache",
) -> ContrastiveHeads:
    """Return `fit_contrastive_heads`, from a file if these heads were trained before.

    Its name has a hash of features, settings, seed and this code; it is checked when read.

    Raises:
        InputError: if the file is damaged (delete it), the folder is not writable, or as
            `fit_contrastive_heads` does.

    >>> import tempfile
    >>> features = FeatureSet(np.eye(4), np.eye(4), split=["align"] * 4)
    >>> settings, folder = ContrastiveSettings(dimension=2, epochs=1), tempfile.mkdtemp()
    >>> first = cached_contrastive_heads(features, settings, 0, folder)
    >>> first.fingerprint == cached_contrastive_heads(features, settings, 0, folder).fingerprint
    True
    """
    settings = settings or ContrastiveSettings()
    seed = positive_integer("seed", seed, minimum=0)
    code = code_version(ContrastiveHeads)
    key = sha256([features.fingerprint, asdict(settings), seed, code])[:20]
    path = Path(folder) / f"heads-{key}.safetensors"
    if not path.exists():
        check_writable("folder", path.parent)  # before the training, which takes long
        heads = fit_contrastive_heads(features, settings, seed)
        maps = {"image": heads.image, "text": heads.text}
        write_tensors(path, maps, {"key": key, "scale": heads.scale})
        return heads
    maps, notes = read_tensors(path)
    if notes is None or notes.get("key") != key:
        raise InputError(
            f"folder must hold only its own files, got other heads in {path}; delete it"
        )
    return ContrastiveHeads(maps["image"], maps["text"], notes["scale"])


def less_mean(name: str, x: ArrayLike, reference: AnyArray) -> Array:
    """Return x less the mean vector of the reference, at unit norm."""
    mean = reference.reshape(-1, reference.shape[-1]).mean(axis=0, dtype=np.float64)
    return normalise(np.asarray(x, dtype=np.float64) - mean, f"{name} less its mean")


def _torch() -> ModuleType:
    try:
        import torch
    except ImportError as error:
        raise InputError(
            "contrastive heads need torch, which is missing; pip install 'fusiontheory[torch]'"
        ) from error
    return torch


@contextlib.contextmanager
def _reproducible(torch: Any) -> Iterator[None]:
    """Run torch on one thread with deterministic algorithms and gradients; restore all after."""
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


def _train(
    torch: Any, image: torch.Tensor, text: torch.Tensor, settings: ContrastiveSettings, seed: int
) -> tuple[Single, Single, float]:
    """Return the two trained maps and the scale; the inputs are the unit align vectors."""
    generator = torch.Generator().manual_seed(seed)
    maps = []
    for columns in (image.shape[-1], text.shape[-1]):
        # Uniform in +-1/sqrt(columns), the first weights of torch.nn.Linear, from our generator.
        weights = torch.rand(settings.dimension, columns, generator=generator, dtype=torch.float32)
        maps.append(((2 * weights - 1) / math.sqrt(columns)).requires_grad_())
    log_scale = torch.tensor(-math.log(settings.temperature), dtype=torch.float32)
    log_scale.requires_grad_()
    n, batch = len(image), min(settings.batch, len(image))
    steps = settings.epochs * (n // batch)
    optimiser, schedule = _optimiser(torch, maps, log_scale, settings, steps)
    unit = torch.nn.functional.normalize
    for _ in range(settings.epochs):
        order = torch.randperm(n, generator=generator)
        # A last batch of fewer images would have fewer negatives, so it is left out.
        for start in range(0, n - batch + 1, batch):
            rows = order[start : start + batch]
            v, t = unit(image[rows] @ maps[0].T, dim=-1), unit(text[rows] @ maps[1].T, dim=-1)
            loss: Any = symmetric_info_nce(v, t, log_scale.exp())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    learned = [weights.detach().numpy() for weights in maps]
    return learned[0], learned[1], float(log_scale.detach().exp())


def _optimiser(
    torch: Any,
    maps: list[torch.Tensor],
    log_scale: torch.Tensor,
    settings: ContrastiveSettings,
    steps: int,
) -> tuple[Any, Any]:
    """Return AdamW, without decay of the scale, and its one-cycle schedule."""
    groups = [
        {"params": maps, "weight_decay": settings.weight_decay},
        {"params": [log_scale], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
    # One step more than is taken: the schedule moves once after the last.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=steps + 1, pct_start=_WARM_UP
    )
    return optimiser, schedule
