r"""A test that the label needs no term of both modalities.

The additive fit has the quadratic terms of each modality and the shadows of their product
(`additive_base`). What an interaction would look like by chance is seen on labels that the additive
fit alone has made:

* of a number, the fit plus its leave-one-out errors with random signs: each item keeps the size of
  its error, which may be large where rows are long;
* of classes, labels drawn with the probabilities of a logistic regression with the additive
  kernel. Which of several additive scores is largest is no additive function itself, and labels
  drawn so have as much of that as the data.

Residuals of the additive fit are scored by the product kernel, which is the score test of a random
effect with that kernel. What ridge regression on the additive kernel predicts of the product is
taken out of it first. Of independent modalities that is next to nothing, and of correlated ones
the squares that would pass for an interaction.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import at_most, checked
from fusiontheory.pilot.additive_base import additive_and_product, left_over
from fusiontheory.pilot.interaction import best_ridge
from fusiontheory.pilot.labels import Labels, Task
from fusiontheory.pilot.spectrum import PilotSpectrum, checked_kernel
from fusiontheory.pilot.within import group_blocks
from fusiontheory.typing import Array, Integers

__all__ = ["InteractionTest", "interaction_test", "kernel_test"]

# The additive fit whose residuals are scored, in parts of the best ridge, leaves little additive.
_ROUGHER = 0.3
# Eigenvalues of the product kernel are flattened at these parts of the largest.
_FLATTENED = (np.inf, 0.1)
# Share of a kernel, by its trace, that is rounding of none.
_NOTHING = 1e-9
# Labels that are scored at once, in numbers: so many have a few copies.
_AT_ONCE = 5_000_000
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

    With r = delta (K + delta)^-1 y the residuals of the additive kernel K at 0.3 of its best ridge
    delta, and K_x the product kernel less what ridge regression on K predicts of it, the
    statistics are

    .. math::
        \Big(r' G r - \sum_a G_{aa} r_a^2\Big) / r' r,

    for G = K_x and G = K_x (K_x + d)^-1 with d a tenth of its largest eigenvalue.
    Pairs of items count, not items alone, whose errors differ in size. Each is standardised over
    samples without interaction, and the largest counts, so that the p-value pays for the search.

    Args:
        image, text, y, task: see `interaction_split`.
        groups: (n0,) items of one group are left out together, their errors have one sign, and
            their labels are drawn together.
        permutations: samples without interaction, 19 to 100,000.
        seed: of the samples.

    Raises:
        InputError: see `Labels.from_labels` and `Views.from_features`.

    Source: score test of a kernel, Liu, Lin & Ghosh (2007); wild bootstrap, Wu (1986), Davidson &
    Flachaire (2008); of labels, a parametric bootstrap.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> v, t = rng.standard_normal((2, 120, 3))
        >>> interaction_test(v, t, v[:, 0] * t[:, 0], permutations=19).p_value
        0.05
    """
    base, product = additive_and_product(image, text)
    return kernel_test(
        *(base, product, y), task=task, groups=groups, permutations=permutations, seed=seed
    )


@checked(permutations=at_most(100_000))
def kernel_test(
    base: ArrayLike,
    product: ArrayLike,
    y: ArrayLike,
    *,
    task: Task = "auto",
    groups: ArrayLike | None = None,
    permutations: int = 499,
    seed: int = 0,
) -> InteractionTest:
    """Test that the label needs nothing that one kernel has beside another; see `interaction_test`.

    Where the second has nothing of its own, the p-value is 1.

    Args:
        base: (n0, n0) kernel matrix of what the label may need.
        product: (n0, n0) of what is tested.
        y, task, groups, permutations, seed: see `interaction_test`.

    Raises:
        InputError: for a matrix that is no kernel, or labels that cannot be used.

    Example:
        >>> x = np.random.default_rng(0).standard_normal((120, 3))
        >>> kernel_test(x @ x.T, (x @ x.T) ** 2, x[:, 0] ** 2, permutations=19).p_value
        0.05
    """
    count = positive_integer("permutations", permutations, 19)
    additive, tested = PilotSpectrum.from_kernel(base), checked_kernel(product)
    labels = Labels.from_labels(y, task, additive.items)
    if len(tested) != additive.items:
        raise InputError(
            f"product must be of as many items as base, {additive.items}, got {len(tested)}"
        )
    left = left_over(additive, tested)
    if abs(np.trace(left)) <= _NOTHING * abs(np.trace(tested)):
        return InteractionTest(0.0, 1.0, count)
    other = PilotSpectrum.from_kernel(left)
    ridge, errors = best_ridge(additive, labels.targets, group_blocks(groups, labels.items))
    place = _places(groups, labels.items)
    rng = np.random.default_rng(seed)
    if labels.codes is None:
        fit = labels.targets - _residuals(additive, labels.targets, ridge)
        signs = rng.choice([-1.0, 1.0], (count, place.max() + 1))[:, place, None]
        drawn = list(fit + signs * errors)
    else:
        drawn = _drawn_labels(additive, labels, place, count, rng)
    table = _scores(additive, other, [labels.targets, *drawn], _ROUGHER * ridge)
    spread = table[:, 1:].std(1)
    standard = (table - table[:, 1:].mean(1)[:, None]) / np.maximum(spread, 1e-300)[:, None]
    largest = standard.max(0)
    return InteractionTest(float(largest[0]), float((largest >= largest[0]).mean()), count)


def _places(groups: ArrayLike | None, items: int) -> Integers:
    """Return the number (n0,) of each item's group; of the item itself where there is none."""
    if groups is None:
        return np.arange(items)
    codes: Integers = np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    return codes


def _residuals(spectrum: PilotSpectrum, targets: Array, ridge: float) -> Array:
    """Return y - f of the fit to all items, shape of the targets (n0, ...)."""
    flat = targets.reshape(spectrum.items, -1)
    power = spectrum.vectors.T @ (flat - flat.mean(0))
    left = spectrum.vectors @ (spectrum.shrinkage(np.array([ridge]))[0][:, None] * power)
    residuals: Array = left.reshape(targets.shape)
    return residuals


def _scores(additive: PilotSpectrum, x: PilotSpectrum, samples: list[Array], ridge: float) -> Array:
    """Return the statistic of each sample (n0, c), a row for each G made of the kernel x."""
    flattened = [
        x.values if np.isinf(share) else x.values / (x.values + share * x.values[0])
        for share in _FLATTENED
    ]
    block = max(1, _AT_ONCE // samples[0].size)
    parts = []
    for first in range(0, len(samples), block):
        some = np.stack(samples[first : first + block], axis=1)
        residuals = _residuals(additive, some, ridge)
        energy = (x.vectors.T @ residuals.reshape(len(some), -1)).reshape(-1, *some.shape[1:]) ** 2
        squares = residuals**2
        own = [np.tensordot((x.vectors**2) @ w, squares.sum(2), 1) for w in flattened]
        rows = [w @ energy.sum(2) - o for w, o in zip(flattened, own, strict=True)]
        parts.append(np.stack(rows) / squares.sum((0, 2)))
    return np.concatenate(parts, axis=1)


def _drawn_labels(
    additive: PilotSpectrum, labels: Labels, place: Integers, count: int, rng: np.random.Generator
) -> list[Array]:
    """Return targets (n0, c) of labels that follow additive scores alone."""
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
