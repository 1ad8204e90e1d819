r"""From the leave-one-out scores of a pilot to accuracy at another size.

Calibrated scores with R^2 = 1 - risk have class means that deviate from the mean label by R^2 of
the label's own deviation, and a spread within the classes of R sqrt(1 - R^2). Two laws follow:

* **normal scores**: F = \bar y + R^2 (y - \bar y) + R sqrt(1 - R^2) z with z normal, of the
  label's covariance. Nothing of it is measured but R^2, so it hardly varies from pilot to pilot;
  but classes that are clusters are told apart better than it says.
* **the pilot's own scores**: leave-one-out at n0, subsets of the pilot below n0/2 (`subsets`), and
  beyond n0 the leave-one-out scores with class means M_c moved in proportion,

.. math::
    F' = \bar y + \frac{R_n^2}{R_0^2} (M_c - \bar y)
       + \sqrt{\frac{R_n^2 (1 - R_n^2)}{R_0^2 (1 - R_0^2)}} (F - M_c).

Accuracy and balanced accuracy are each the first plus w times the difference,
w = gap^2 / (gap^2 + s^2) with the gap of the two at n0 or at the subset's size, and s the sampling
error of the metric over n0 items: own scores count where the pilot shows that they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import finite_array
from fusiontheory.constraints import checked
from fusiontheory.pilot.labels import Labels
from fusiontheory.pilot.subsets import SubsetScores
from fusiontheory.typing import Array, Integers

__all__ = ["ScoreLaw", "effective_items", "metrics_over_intercepts", "score_metrics"]


# R^2 below this is as good as none: its sign is not known, and a ratio of two such means nothing.
_LEAST_R2 = 0.003
# Share of each score's spread that is made normal, so that an item counts partly right.
_SMOOTHING = 0.3
# Copies of each item with other noise: that many, fewer where there are items enough.
_DRAWS, _COPIES = 40, 6000
_TABLE = 40


@checked
def score_metrics(scores: Array, labels: Labels) -> dict[str, float]:
    """Return what scores (n, c) reach: accuracy, balanced accuracy, and AUC for two classes.

    For a regression R^2 alone. Ties of scores count half in the AUC.

    Example:
        >>> labels = Labels.from_labels([0, 1] * 25)
        >>> score_metrics(labels.targets, labels)
        {'accuracy': 1.0, 'balanced_accuracy': 1.0, 'auc': 1.0}
    """
    if labels.codes is None or labels.classes is None:
        return {"r2": 1 - float(((scores - labels.targets) ** 2).mean(0).sum()) / labels.variance}
    return _class_metrics(scores, labels.codes, len(labels.classes))


def _class_metrics(scores: Array, codes: Integers, classes: int) -> dict[str, float]:
    """Return the metrics of scores (n, c) for items of these classes."""
    two = scores.shape[1] == 1
    predicted = (scores[:, 0] > 0).astype(np.int64) if two else scores.argmax(1)
    right = predicted == codes
    counts = np.bincount(codes, minlength=classes)
    recall = np.bincount(codes, right, classes)[counts > 0] / counts[counts > 0]
    metrics = {"accuracy": float(right.mean()), "balanced_accuracy": float(recall.mean())}
    if two:
        positive = codes == 1
        ones, zeros = scores[positive, 0], np.sort(scores[~positive, 0])
        below = (np.searchsorted(zeros, ones, side) for side in ("left", "right"))
        pairs = ones.size * zeros.size
        metrics["auc"] = float(sum(x.sum() for x in below) / 2 / pairs) if pairs else 0.5
    return metrics


@checked
def metrics_over_intercepts(scores: Array, labels: Labels) -> dict[str, float]:
    """Return what leave-one-out scores (n0, c) reach, averaged over intercepts of other pilots.

    The intercept of the other items lies on the side away from the item's own label: scores that
    hold nothing but it would all be wrong.

    Example:
        >>> labels = Labels.from_labels([0, 1] * 25)
        >>> others = (labels.targets.sum() - labels.targets) / 49
        >>> score_metrics(others, labels)["accuracy"]
        0.0
        >>> abs(metrics_over_intercepts(others, labels)["accuracy"] - 0.5) < 0.1
        True
    """
    intercept = np.atleast_2d(np.cov(labels.targets.T, bias=True)) / labels.items
    return _copied_metrics(scores + _noise(labels) @ root(intercept), labels)


def _noise(labels: Labels) -> Array:
    """Return standard normal numbers (copies, n0, c), the same for the same pilot."""
    copies = int(np.clip(_COPIES // labels.items, 2, _DRAWS))
    draws = np.random.default_rng(0).standard_normal((copies, *labels.targets.shape))
    centred: Array = (draws - draws.mean(0)) / draws.std(0)
    return centred


def _copied_metrics(scores: Array, labels: Labels) -> dict[str, float]:
    """Return the metrics of copies (copies, n0, c) of the pilot's items."""
    flat = scores.reshape(-1, scores.shape[2])
    if labels.codes is not None and labels.classes is not None:
        return _class_metrics(flat, np.tile(labels.codes, len(scores)), len(labels.classes))
    return score_metrics(flat, labels.subset(np.tile(np.arange(labels.items), len(scores))))


@checked
def effective_items(labels: Labels, metric: str) -> float:
    """Return of how many items a metric is a mean: of balanced accuracy, few where a class is rare.

    Example:
        >>> labels = Labels.from_labels([0] * 90 + [1] * 10)
        >>> effective_items(labels, "accuracy"), round(effective_items(labels, "balanced_accuracy"))
        (100.0, 36)
    """
    if metric != "balanced_accuracy":
        return float(labels.items)
    shares = labels.shares[labels.shares > 0]
    return float(labels.items * len(shares) ** 2 / (1 / shares).sum())


@checked
@dataclass(frozen=True, eq=False)
class ScoreLaw:
    """Scores of a head at the pilot's size and below, ready to be moved to another risk.

    Attributes:
        scores: (n0, c) leave-one-out scores.
        labels: of the pilot.
        r2: 1 - leave-one-out risk of those scores.
        subsets: scores of subsets of the pilot.
        subset_risks: risk that theory gives each of them.
    """

    scores: Array
    labels: Labels
    r2: float
    subsets: tuple[SubsetScores, ...] = field(default=())
    subset_risks: tuple[float, ...] = field(default=())

    @classmethod
    def from_errors(
        cls,
        errors: Array,
        labels: Labels,
        subsets: tuple[SubsetScores, ...] = (),
        subset_risks: Sequence[float] = (),
    ) -> ScoreLaw:
        """Take leave-one-out errors (n0, c) at the best ridge, and scores of subsets."""
        r2 = 1 - float((errors**2).sum(1).mean()) / labels.variance
        return cls(labels.targets - errors, labels, r2, subsets, tuple(subset_risks))

    def at(self, risks: ArrayLike) -> dict[str, Array]:
        """Return each metric at each risk, in units of the label's variance.

        Raises:
            InputError: if a risk is not finite.
        """
        values = np.atleast_1d(finite_array("risks", risks, (0, 1)))
        if self.labels.codes is None:
            return {"r2": 1 - values}
        # Many sizes are read off a table of risks: the metrics are smooth in them.
        many = values.size > _TABLE
        asked = np.linspace(values.min(), values.max(), _TABLE) if many else values
        normal = [self._normal(1 - float(risk)) for risk in asked]
        x, knots = np.sqrt(np.clip(1 - asked, 0, 1)), self._measured[0]
        mixed = {}
        for key, column in self._own(asked).items():
            base = np.array([row[key] for row in normal])
            mixed[key] = base + np.interp(x, knots, self._weights[key]) * (column - base)
        return {k: np.interp(values, asked, v) for k, v in mixed.items()} if many else mixed

    @cached_property
    def _weights(self) -> dict[str, Array]:
        """How much of the difference between own and normal scores is believed, at each knot.

        The AUC has the weights of the accuracy.
        """
        knots, table = self._measured
        normal = [self._normal(float(x) ** 2) for x in knots]
        weights = {}
        for key in ("accuracy", "balanced_accuracy"):
            own, items = table[key], effective_items(self.labels, key)
            gap = own - [row[key] for row in normal]
            noise = np.maximum(own * (1 - own), 1 / items) / items
            weights[key] = gap**2 / (gap**2 + noise)
        return {**weights, "auc": weights["accuracy"]}

    def _own(self, risks: Array) -> dict[str, Array]:
        """Return metrics of the pilot's own scores: measured down to its risk, moved below."""
        knots, table = self._measured
        # Accuracy rises with the root of R^2 where little is learned.
        x = np.sqrt(np.clip(1 - risks, 0, 1))
        moved = [self._moved_metrics(1 - float(r)) if 1 - r > self.r2 else None for r in risks]
        return {
            key: np.array(
                [
                    np.interp(at, knots, column) if row is None else max(row[key], column[-1])
                    for at, row in zip(x, moved, strict=True)
                ]
            )
            for key, column in table.items()
        }

    @cached_property
    def _measured(self) -> tuple[Array, dict[str, Array]]:
        """Return sqrt(R^2), rising, and metrics there that rise too, from chance to n0."""
        points = [(0.0, self._chance)]
        for part, risk in zip(self.subsets, self.subset_risks, strict=True):
            if 1 - risk < self.r2:
                metrics = score_metrics(part.scores, self.labels.subset(part.rows))
                points.append((1 - risk, metrics))
        if self.r2 > 0:
            points.append((self.r2, self._moved_metrics(self.r2)))
        points.sort(key=lambda point: point[0])
        knots = np.sqrt(np.maximum([p[0] for p in points], 0))
        return knots, {
            key: np.maximum.accumulate([p[1][key] for p in points]) for key in self._chance
        }

    @cached_property
    def _chance(self) -> dict[str, float]:
        """Metrics of scores that hold nothing: every item is put in the class of most others.

        Which class that is differs between training sets, unless it is the largest by far; the
        share of the pilot's own largest class would be too high.
        """
        count, y = len(self.labels.shares), self.labels.targets
        others = (y.sum(0) - y) / (len(y) - 1)
        found = self._scored(others + self._noise @ root(self._intercept))["accuracy"]
        chance = {"accuracy": max(found, 1 / count), "balanced_accuracy": 1 / count}
        return {**chance, "auc": 0.5} if count == 2 else chance

    @cached_property
    def _intercept(self) -> Array:
        """Covariance of the mean label over pilots."""
        return np.atleast_2d(np.cov(self.labels.targets.T, bias=True)) / self.labels.items

    @cached_property
    def _noise(self) -> Array:
        return _noise(self.labels)

    def _scored(self, scores: Array) -> dict[str, float]:
        return _copied_metrics(scores, self.labels)

    def _normal(self, r2: float) -> dict[str, float]:
        """Return the metrics of calibrated normal scores.

        A pilot cannot tell an R^2 below 1/n0 from none: from there on they go to chance.
        """
        least = 1 / self.labels.items
        there = min(max(r2, least), 1 - 1e-6)
        if there not in self._normal_found:
            mean, centred, noise = self._calibrated
            drawn = noise * np.sqrt(there * (1 - there))
            drawn += mean + there * centred
            self._normal_found[there] = self._scored(drawn)
        found = self._normal_found[there]
        share = np.sqrt(np.clip(r2 / least, 0, 1))
        return {k: self._chance[k] + share * (x - self._chance[k]) for k, x in found.items()}

    @cached_property
    def _calibrated(self) -> tuple[Array, Array, Array]:
        """Return mean labels, labels without it, and noise that varies as they do."""
        y = self.labels.targets
        mean = y.mean(0)
        spread = root(np.atleast_2d(np.cov(y.T, bias=True)))
        return mean, y - mean, self._noise @ spread

    @cached_property
    def _normal_found(self) -> dict[float, dict[str, float]]:
        """Metrics of normal scores by R^2: a table, a figure and a choice ask for the same ones."""
        return {}

    @cached_property
    def _moved_found(self) -> dict[float, dict[str, float]]:
        """Metrics of moved scores by R^2."""
        return {}

    def _moved_metrics(self, r2: float) -> dict[str, float]:
        """Return the metrics of leave-one-out scores moved to another R^2."""
        if r2 < _LEAST_R2:
            return self._chance
        if r2 not in self._moved_found:
            self._moved_found[r2] = self._scored(self._moved_scores(r2))
        return self._moved_found[r2]

    def _moved_scores(self, r2: float) -> Array:
        """Return copies (copies, n0, c) of leave-one-out scores moved to another R^2."""
        labels, mean = self.labels, self._calibrated[0]
        means, own = self._class_means
        here, there = max(self.r2, _LEAST_R2), min(r2, 1 - 1e-6)
        spread = np.sqrt(there * (1 - there) / (here * (1 - min(here, 1 - 1e-6))))
        moved = mean + there / here * (means[labels.codes] - mean)
        moved = moved + np.sqrt(1 - _SMOOTHING**2) * spread * own
        # Some of the spread is made normal; another training set has another intercept.
        freedom = max(labels.items - len(means), 1)
        within = self._within_class / freedom * (_SMOOTHING * spread) ** 2
        scores = self._noise @ root(within + self._intercept)
        scores += moved
        return scores

    @cached_property
    def _class_means(self) -> tuple[Array, Array]:
        """Return the mean score of each class, and scores without that of their class."""
        codes = self.labels.codes
        assert codes is not None
        counts = np.bincount(codes)
        means = np.stack([np.bincount(codes, f) / counts for f in self.scores.T], axis=1)
        return means, self.scores - means[codes]

    @cached_property
    def _within_class(self) -> Array:
        """Products (c, c) of scores within their classes, summed over the items."""
        own = self._class_means[1]
        products: Array = own.T @ own
        return products


def root(covariance: Array) -> Array:
    """Return the symmetric square root of a covariance matrix."""
    values, vectors = np.linalg.eigh(covariance)
    result: Array = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return result
