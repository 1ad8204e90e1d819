r"""A test that the label needs no term of both modalities.

The additive fit has the quadratic terms of each modality: a linear one takes a quadratic effect
within one modality for an interaction. What an interaction would look like by chance is seen on
labels that the additive fit alone has made:

* of a number, the fit plus its leave-one-out errors in another order (Freedman & Lane);
* of classes, labels drawn with the probabilities of a logistic regression with the additive
  kernel. Which of several additive scores is largest is no additive function itself, and labels
  drawn so have as much of that as the data.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import positive_integer
from fusiontheory.constraints import at_most, checked
from fusiontheory.pilot.interaction import best_ridge, kernel_parts
from fusiontheory.pilot.labels import Labels, Task
from fusiontheory.pilot.spectrum import PilotSpectrum
from fusiontheory.pilot.within import group_blocks, leave_out_errors
from fusiontheory.typing import Array, Integers

__all__ = ["InteractionTest", "interaction_test"]

# Weights of the product kernel beside the additive one, and multiples of the best ridge.
_WEIGHTS, _MULTIPLES = (0.25, 1.0, 4.0), (1.0, 4.0)
# The additive fit whose residuals are scored, in parts of the best ridge, leaves little additive.
_ROUGHER = 0.1
# Eigenvalues of the product kernel are flattened at these parts of the largest.
_FLATTENED = (np.inf, 0.1, 0.01)
# Penalties of the logistic regression, as C of scikit-learn, folds to choose one, and eigenvalues
# of the additive kernel that it sees, in parts of the largest.
_PENALTIES, _FOLDS, _SEEN = (0.01, 0.1, 1.0, 10.0, 100.0), 3, 1e-4


@checked
@dataclass(frozen=True)
class InteractionTest:
    """Whether a pilot shows an interaction of the modalities.

    Attributes:
        score: largest of the standardised statistics.
        p_value: share of samples without interaction that score as high, the data's own counted.
        permutations: number of those samples.
    """

    score: float
    p_value: float
    permutations: int


@checked(permutations=at_most(100_000))
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
    r"""Test that the label needs no term of both modalities.

    Statistics of a number are the shares of the leave-one-out risk that a product kernel takes off
    the additive fit,

    .. math::
        1 - \mathrm{LOO}(K_v + K_t + w K_x) / \mathrm{LOO}(K_v + K_t),

    for w of 1/4, 1 and 4 at the best ridge and at four times it. Statistics of classes are
    r' G r / r' r with r the residuals of an additive fit at a tenth of its best ridge and G the
    product kernel K_x, or K_x (K_x + d)^-1 with d a tenth or a hundredth of its largest eigenvalue.
    Each is standardised over samples without interaction, and the largest counts, so that the
    p-value pays for the search.

    Args:
        image, text, y, task: see `interaction_split`.
        groups: (n0,) items of one group are left out together; where all groups have one size
            their errors are permuted as wholes, and labels of one group are drawn together.
        permutations: samples without interaction, 19 to 100,000.
        seed: of the samples.

    Raises:
        InputError: see `Labels.from_labels` and `Views.from_features`.

    Source: Freedman & Lane (1983); Winkler et al. (2014); of labels, a parametric bootstrap.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> v, t = rng.standard_normal((2, 120, 3))
        >>> interaction_test(v, t, v[:, 0] * t[:, 0], permutations=19).p_value
        0.05
    """
    count = positive_integer("permutations", permutations, 19)
    k_v, k_t, k_x = kernel_parts(image, text)
    labels = Labels.from_labels(y, task, len(k_v))
    blocks = group_blocks(groups, labels.items)
    additive = PilotSpectrum.from_kernel(k_v + k_t)
    ridge, errors = best_ridge(additive, labels.targets, blocks)
    rng = np.random.default_rng(seed)
    if labels.codes is None:
        fit = labels.targets - _residuals(additive, labels.targets, ridge)
        orders = [_permutation(groups, labels.items, rng) for _ in range(count)]
        samples = np.stack([labels.targets, *(fit + errors[order] for order in orders)], axis=1)
        table = _gains(additive, (k_v + k_t, k_x), samples, ridge, blocks)
    else:
        drawn = _drawn_labels(additive, labels, groups, count, rng)
        samples = np.stack([labels.targets, *drawn], axis=1)
        table = _scores(additive, k_x, samples, _ROUGHER * ridge)
    spread = table[:, 1:].std(1)
    standard = (table - table[:, 1:].mean(1)[:, None]) / np.maximum(spread, 1e-300)[:, None]
    largest = standard.max(0)
    return InteractionTest(float(largest[0]), float((largest >= largest[0]).mean()), count)


def _residuals(spectrum: PilotSpectrum, targets: Array, ridge: float) -> Array:
    """Return y - f of the fit to all items, shape of the targets (n0, ...)."""
    flat = targets.reshape(spectrum.items, -1)
    power = spectrum.vectors.T @ (flat - flat.mean(0))
    left = spectrum.vectors @ (spectrum.shrinkage(np.array([ridge]))[0][:, None] * power)
    residuals: Array = left.reshape(targets.shape)
    return residuals


def _gains(
    additive: PilotSpectrum,
    kernels: tuple[Array, Array],
    samples: Array,
    ridge: float,
    blocks: list[NDArray[np.intp]] | None,
) -> Array:
    """Return what each joint kernel takes off the leave-one-out risk of each sample (n0, b, c)."""
    flat = samples.reshape(len(samples), -1)

    def risk(spectrum: PilotSpectrum, at: float) -> Array:
        errors = leave_out_errors(spectrum, flat, np.array([at]), blocks)[0]
        total: Array = (errors.reshape(samples.shape) ** 2).sum((0, 2))
        return total

    alone, gains = risk(additive, ridge), []
    for weight in _WEIGHTS:
        joint = PilotSpectrum.from_kernel(kernels[0] + weight * kernels[1])
        own, _ = best_ridge(joint, samples[:, 0], blocks)
        gains += [1 - risk(joint, own * multiple) / alone for multiple in _MULTIPLES]
    return np.stack(gains)


def _scores(additive: PilotSpectrum, product: Array, samples: Array, ridge: float) -> Array:
    """Return r' G r / r' r of each sample (n0, b, c), a row for each G."""
    residuals = _residuals(additive, samples, ridge)
    x = PilotSpectrum.from_kernel(product)
    seen = x.vectors.T @ residuals.reshape(len(samples), -1)
    energy = (seen.reshape(len(x.values), *samples.shape[1:]) ** 2).sum(2)
    total = (residuals**2).sum((0, 2))
    top = x.values[0]
    weights = [x.values if np.isinf(d) else x.values / (x.values + d * top) for d in _FLATTENED]
    return np.stack([weight @ energy / total for weight in weights])


def _drawn_labels(
    additive: PilotSpectrum,
    labels: Labels,
    groups: ArrayLike | None,
    count: int,
    rng: np.random.Generator,
) -> list[Array]:
    """Return targets (n0, c) of labels that follow additive scores alone."""
    # Items of one group share a number, so that their labels go together.
    _, place = np.unique(
        np.arange(labels.items) if groups is None else np.asarray(groups).astype(str),
        return_inverse=True,
    )
    steps = _probabilities(additive, labels).cumsum(1)
    kinds = np.arange(steps.shape[1])
    targets = []
    for _ in range(count):
        number = rng.random(place.max() + 1)[place]
        codes = np.minimum((number[:, None] > steps).sum(1), kinds[-1])
        chosen = codes[:, None] == (kinds[1:] if kinds.size == 2 else kinds)
        targets.append(np.where(chosen, 1.0, -1.0))
    return targets


def _probabilities(additive: PilotSpectrum, labels: Labels) -> Array:
    """Return probabilities (n0, classes) of a logistic regression with the additive kernel."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    values = additive.values
    seen = values > _SEEN * values[0]
    features = additive.vectors[:, seen] * np.sqrt(labels.items * values[seen] / values[0])
    model = GridSearchCV(
        LogisticRegression(max_iter=300, tol=1e-3),
        {"C": _PENALTIES},
        scoring="neg_log_loss",
        cv=StratifiedKFold(_FOLDS),
    )
    with warnings.catch_warnings():
        # A search that stops early is near enough to draw labels from.
        warnings.simplefilter("ignore")
        found: Array = model.fit(features, labels.codes).predict_proba(features)
    return found


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
