r"""How much of what a pilot can learn is interaction of the two modalities, and a test of none.

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

from fusiontheory.checks import positive_integer
from fusiontheory.constraints import checked
from fusiontheory.heads import Views
from fusiontheory.pilot.labels import Labels, Task
from fusiontheory.pilot.spectrum import PilotSpectrum
from fusiontheory.pilot.within import WithinReach, group_blocks, leave_out_errors
from fusiontheory.typing import Array, Integers

__all__ = ["InteractionSplit", "InteractionTest", "interaction_split", "interaction_test"]


@checked
@dataclass(frozen=True)
class InteractionTest:
    """Whether residuals of the additive fit follow the product kernel.

    Attributes:
        score: largest standardised score r' G r / r' r over the kernels G that are tried.
        p_value: share of permutations with a score as large, the data's own counted.
        permutations: number of them.
    """

    score: float
    p_value: float
    permutations: int


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


def _best_ridge(
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
    ridge, _ = _best_ridge(spectrum, labels.targets, blocks)
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


@checked
def interaction_test(
    image: ArrayLike,
    text: ArrayLike,
    y: ArrayLike,
    *,
    task: Task = "auto",
    groups: ArrayLike | None = None,
    permutations: int = 499,
    seed: int = 0,
) -> InteractionTest:
    r"""Test that the label needs no term of both modalities, by permuting residuals.

    The additive-quadratic kernel is fitted at its leave-one-out ridge; its residuals are permuted,
    added to the fit and refitted (Freedman & Lane), which gives the distribution of

    .. math::
        T_G = r^\top G r / r^\top r

    under no interaction, for G the centred product kernel and two flattened versions of it,
    G (G + delta)^{-1} with delta a tenth and a hundredth of its largest eigenvalue. The test's
    score is the largest of the three, each standardised over the permutations, so that its
    p-value counts the search. Groups are permuted as wholes where all have one size, else items
    are.

    Args:
        image, text, y, task, groups: see `interaction_split`.
        permutations: at least 19.
        seed: of the permutations.

    Raises:
        InputError: see `Labels.from_labels` and `Views.from_features`.

    Source: Freedman & Lane (1983); Winkler et al. (2014).
    """
    count = positive_integer("permutations", permutations, 19)
    k_v, k_t, k_x = kernel_parts(image, text)
    labels = Labels.from_labels(y, task, len(k_v))
    blocks = group_blocks(groups, labels.items)
    spectrum = PilotSpectrum.from_kernel(k_v + k_t)
    ridge, _ = _best_ridge(spectrum, labels.targets, blocks)
    s = ridge / (spectrum.values + ridge)
    u = spectrum.vectors
    centred = labels.targets - labels.targets.mean(0)
    residuals = u @ (s[:, None] * (u.T @ centred))
    fit = centred - residuals
    rng = np.random.default_rng(seed)
    orders = [np.arange(labels.items)]
    orders += [_permutation(groups, labels.items, rng) for _ in range(count)]
    samples = np.stack([fit + residuals[order] for order in orders], axis=1)
    flat = samples.reshape(labels.items, -1)
    refitted = u @ (s[:, None] * (u.T @ flat))
    total = (refitted**2).reshape(samples.shape).sum((0, 2))
    scores = []
    x = PilotSpectrum.from_kernel(k_x)
    coordinates = (x.vectors.T @ refitted).reshape(len(x.values), *samples.shape[1:])
    energy = (coordinates**2).sum(2)
    for share in (np.inf, 0.1, 0.01):
        weight = x.values if np.isinf(share) else x.values / (x.values + share * x.values[0])
        scores.append(weight @ energy / total)
    table = np.stack(scores)
    spread = table[:, 1:].std(1)
    standard = (table - table[:, 1:].mean(1)[:, None]) / np.maximum(spread, 1e-300)[:, None]
    largest = standard.max(0)
    p_value = float((largest >= largest[0]).mean())
    return InteractionTest(float(largest[0]), p_value, count)


def _permutation(groups: ArrayLike | None, items: int, rng: np.random.Generator) -> Integers:
    """Permute items, or groups as wholes where they have one size."""
    if groups is not None:
        _, codes, counts = np.unique(
            np.asarray(groups).astype(str), return_inverse=True, return_counts=True
        )
        if counts.min() == counts.max():
            rows = np.argsort(codes, kind="stable").reshape(len(counts), -1)
            order = np.empty(items, np.int64)
            order[rows] = rows[rng.permutation(len(counts))]
            return order
    return rng.permutation(items)
