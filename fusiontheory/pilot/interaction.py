r"""How much of what a pilot can learn is interaction of the two modalities.

The kernel k_v + k_t + k_x with k_v = a + a^2/2, k_t = b + b^2/2 and k_x = a b (a = v.v', b = t.t',
all centred) splits its fit into a function of v, a function of t and their interaction. Quadratic
terms of each modality belong to the additive part: a linear base takes a quadratic effect within
one modality for an interaction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fusiontheory.constraints import checked
from fusiontheory.heads import Views
from fusiontheory.pilot.labels import Labels, Task
from fusiontheory.pilot.spectrum import PilotSpectrum
from fusiontheory.pilot.within import WithinReach, group_blocks, leave_out_errors
from fusiontheory.typing import Array

__all__ = ["InteractionSplit", "best_ridge", "interaction_split", "kernel_parts"]


@checked
@dataclass(frozen=True)
class InteractionSplit:
    """What a pilot's size can learn, in parts.

    Attributes:
        table: a row each for ``v``, ``t``, ``additive`` (their sum), ``interaction`` and ``all``;
            ``share`` of the label's variance that leave-one-out predictions explain at the
            pilot's size, its interval ``low`` to ``high``, and ``of_learnable``.
        items: n0.
        level: of the intervals, over items.
    """

    table: pd.DataFrame
    items: int
    level: float


@checked
def kernel_parts(image: ArrayLike, text: ArrayLike) -> tuple[Array, Array, Array]:
    """Return the centred kernels of v, of t and of their interaction."""
    v, t = Views.from_features(image, text).apply(image, text)
    a, b = v @ v.T, t @ t.T
    return _centred(a + a**2 / 2), _centred(b + b**2 / 2), _centred(a * b)


def _centred(kernel: Array) -> Array:
    rows = kernel.mean(0)
    centred: Array = kernel - rows - rows[:, None] + rows.mean()
    return centred


@checked
def best_ridge(
    spectrum: PilotSpectrum, targets: Array, blocks: list[NDArray[np.intp]] | None
) -> tuple[float, Array]:
    """Return the ridge with the least leave-one-out risk, and the errors there."""
    errors = leave_out_errors(spectrum, targets, spectrum.ridges, blocks)
    within = WithinReach.from_errors(spectrum, errors, 1.0)
    ridge = float(within.ridges[int(within.leave_out.argmin())])
    return ridge, errors[int(np.argmin(abs(np.log(spectrum.ridges / ridge))))]


@checked
def interaction_split(
    image: ArrayLike,
    text: ArrayLike,
    y: ArrayLike,
    *,
    task: Task = "auto",
    groups: ArrayLike | None = None,
    level: float = 0.9,
    draws: int = 1000,
) -> InteractionSplit:
    r"""Split what can be learned at the pilot's size into v, t, their sum and their interaction.

    With alpha of the fit that left item a out, f_c(a) = sum_j K_c(a, j) alpha_j for each part c,
    and its share is cov(y, f_c) / var(y): the shares of the parts sum to that of the whole.
    Intervals are a bootstrap over items (over groups where there are any).

    Args:
        image, text: (n0, d_v) and (n0, d_t).
        y: (n0,) labels.
        task: see `Labels.from_labels`.
        groups: (n0,) items of one group are left out together in the choice of the ridge, and
            drawn together.
        level: of the intervals.
        draws: of the bootstrap.

    Raises:
        InputError: see `Labels.from_labels` and `Views.from_features`.

    Source: functional ANOVA of kernels, Lu, Boukouvalas & Hensman (2022); leave-one-out fits,
    Golub, Heath & Wahba (1979).
    """
    parts = kernel_parts(image, text)
    labels = Labels.from_labels(y, task, len(parts[0]))
    blocks = group_blocks(groups, labels.items)
    spectrum = PilotSpectrum.from_kernel(parts[0] + parts[1] + parts[2])
    ridge, _ = best_ridge(spectrum, labels.targets, blocks)
    centred = labels.targets - labels.targets.mean(0)
    weights = 1 / (spectrum.values + ridge)
    inverse = (spectrum.vectors * weights) @ spectrum.vectors.T
    alpha = inverse @ centred
    scale = np.diag(inverse)
    gains = []
    for kernel in parts:
        # alpha without item a is alpha - G[:, a] alpha_a / G_aa.
        own = np.einsum("ij,ji->i", kernel, inverse) / scale
        left_out = kernel @ alpha - own[:, None] * alpha
        gains.append((centred * left_out).sum(1) / labels.variance)
    v, t, x = gains
    rows = {"v": v, "t": t, "additive": v + t, "interaction": x, "all": v + t + x}
    return InteractionSplit(_bootstrap(rows, groups, level, draws), labels.items, level)


def _bootstrap(
    rows: dict[str, Array], groups: ArrayLike | None, level: float, draws: int
) -> pd.DataFrame:
    """Return mean and interval of each part over items, drawn by group."""
    names, values = list(rows), np.stack(list(rows.values()))
    codes = np.arange(values.shape[1])
    if groups is not None:
        _, codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    sums = np.stack([np.bincount(codes, row) for row in values])
    counts = np.bincount(codes)
    rng = np.random.default_rng(0)
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), draws)
    drawn = (weights @ sums.T) / (weights @ counts)[:, None]
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2), axis=0)
    mean = values.mean(1)
    learnable = max(mean[-1], 0.0)
    of = np.clip(mean / learnable, 0.0, 1.0) if learnable > 0 else np.full(len(mean), np.nan)
    return pd.DataFrame(
        {"part": names, "share": mean, "low": low, "high": high, "of_learnable": of}
    )
