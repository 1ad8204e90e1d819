r"""From the leave-one-out scores of a pilot to accuracy at another size.

With R^2 = 1 - risk, calibrated scores have class means that deviate from the mean label in
proportion to R^2, and a spread within the classes in proportion to R sqrt(1 - R^2). So scores F at
n0 with class means M_c become, at a size with another R^2,

.. math::
    F' = \bar y + \frac{R_n^2}{R_0^2} (M_c - \bar y)
       + \sqrt{\frac{R_n^2 (1 - R_n^2)}{R_0^2 (1 - R_0^2)}} (F - M_c),

and accuracy is what F' scores. Where nothing is learned every item is put in the largest class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from fusiontheory.checks import InputError, finite_array
from fusiontheory.pilot.labels import Labels

__all__ = ["ScoreLaw", "score_metrics"]

_Array = NDArray[np.float64]

# R^2 below this is as good as none: its sign is not known, and a ratio of two such means nothing.
_LEAST_R2 = 0.003
# Width of the Gaussian that smooths each score, in units of the spread within its class: for one
# column, and for a column of each class, where independent noise would change which is largest.
_SMOOTHING = (0.5, 0.25)
# Smoothed copies of each item: that many, fewer where there are items enough.
_DRAWS, _COPIES = 15, 6000
_TABLE = 33


def score_metrics(scores: _Array, labels: Labels) -> dict[str, float]:
    """Return what scores (n, c) reach: accuracy, balanced accuracy, and AUC for two classes.

    For a regression R^2 alone. Ties of scores count half in the AUC.

    Example:
        >>> labels = Labels.from_labels([0, 1] * 25)
        >>> score_metrics(labels.targets, labels)
        {'accuracy': 1.0, 'balanced_accuracy': 1.0, 'auc': 1.0}
    """
    if labels.codes is None or labels.classes is None:
        return {"r2": 1 - float(((scores - labels.targets) ** 2).mean(0).sum()) / labels.variance}
    two = scores.shape[1] == 1
    found = (scores[:, 0] > 0).astype(np.int64) if two else scores.argmax(1)
    right = found == labels.codes
    counts = np.bincount(labels.codes, minlength=len(labels.classes))
    recall = np.bincount(labels.codes, right, len(labels.classes))[counts > 0] / counts[counts > 0]
    metrics = {"accuracy": float(right.mean()), "balanced_accuracy": float(recall.mean())}
    if two:
        positive = labels.codes == 1
        ranks = rankdata(scores[:, 0])[positive].sum()
        ones, zeros = int(positive.sum()), int((~positive).sum())
        metrics["auc"] = float((ranks - ones * (ones + 1) / 2) / (ones * zeros))
    return metrics


@dataclass(frozen=True, eq=False)
class ScoreLaw:
    """Leave-one-out scores of a head, ready to be moved to another risk.

    Attributes:
        scores: (n0, c) leave-one-out scores, each with the intercept of all items.
        labels: of the pilot.
        r2: 1 - leave-one-out risk of those scores.
    """

    scores: _Array
    labels: Labels
    r2: float

    @classmethod
    def from_errors(cls, errors: _Array, labels: Labels) -> ScoreLaw:
        """Take leave-one-out errors (n0, c) at the best ridge.

        Leaving an item out moves the intercept away from its own label, by (y - mean)/(n0 - 1);
        unless that is put back, scores without any signal are all wrong.
        """
        scores = labels.targets - errors
        scores = scores + (labels.targets - labels.targets.mean(0)) / (labels.items - 1)
        r2 = 1 - float((errors**2).sum(1).mean()) / labels.variance
        return cls(scores, labels, r2)

    def moved(self, r2: float) -> _Array:
        """Return the scores (n0, c) as they would be at another R^2."""
        codes = self.labels.codes
        mean = self.labels.targets.mean(0)
        if codes is None:
            return self.scores
        counts = np.maximum(np.bincount(codes), 1)
        means = np.stack([np.bincount(codes, f) / counts for f in self.scores.T], axis=1)[codes]
        here, there = max(self.r2, _LEAST_R2), min(max(r2, 0.0), 1 - 1e-6)
        if there < _LEAST_R2:
            there = 0.0
        spread = np.sqrt(there * (1 - there) / (here * (1 - min(here, 1 - 1e-6))))
        result: _Array = mean + there / here * (means - mean) + spread * (self.scores - means)
        return result

    def at(self, risks: ArrayLike) -> dict[str, _Array]:
        """Return each metric at each risk, in units of the label's variance.

        Every score is smoothed by a Gaussian of half the spread within its class (a quarter for
        more than two classes), up to fifteen draws of it, so that an item counts partly right.

        Raises:
            InputError: if a risk is not finite.
        """
        values = np.atleast_1d(finite_array("risks", risks, (0, 1)))
        if self.labels.codes is None:
            return {"r2": 1 - values}
        # Many sizes are read off a table of risks: the metrics are smooth in them.
        many = values.size > _TABLE
        asked = np.linspace(values.min(), values.max(), _TABLE) if many else values
        rows = [self._metrics(1 - float(risk)) for risk in asked]
        found = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        return {k: np.interp(values, asked, v) for k, v in found.items()} if many else found

    def _metrics(self, r2: float) -> dict[str, float]:
        moved = self.moved(r2)
        labels = self.labels
        if labels.codes is None:
            raise InputError("a regression has no accuracy")
        counts = np.maximum(np.bincount(labels.codes), 1)
        means = np.stack([np.bincount(labels.codes, f) / counts for f in moved.T], axis=1)
        centred = moved - means[labels.codes]
        smoothing = _SMOOTHING[moved.shape[1] > 1]
        width = smoothing * np.sqrt((centred**2).mean(0))
        # Smoothing widens the spread by its own variance, so the rest is narrowed by as much.
        narrowed = means[labels.codes] + centred / np.sqrt(1 + smoothing**2)
        width = width / np.sqrt(1 + smoothing**2)
        copies = int(np.clip(_COPIES // labels.items, 2, _DRAWS))
        draws = np.random.default_rng(0).standard_normal((copies, *moved.shape))
        draws = (draws - draws.mean(0)) / draws.std(0)
        spread = (narrowed + width * draws).reshape(-1, moved.shape[1])
        rows = np.tile(np.arange(labels.items), copies)
        return score_metrics(spread, labels.subset(rows))
