"""Heads trained on some of the images at hand and tested on the others."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fusiontheory.data import Pairs
from fusiontheory.heads import Head
from fusiontheory.solvers import gather, measure_ridges
from fusiontheory.trial.own_pairs import FOLDS, folds, unshared_pairs
from fusiontheory.typing import AnyArray, Array, Integers

__all__ = ["TrialRuns", "Tried"]

# Training pairs, over all sets of one size and fold, and most sets.
_PAIRS, _MOST_SETS = 1024, 8


@dataclass(frozen=True)
class Tried:
    """What a trial of one size found.

    Attributes:
        accuracy: mean over the folds; with several ridges, of each fold at the ridge that is best
            in the others, so that choosing it flatters nothing.
        error: standard error of it.
        ridge: best over all folds.
    """

    accuracy: float
    error: float
    ridge: float


@dataclass(frozen=True, eq=False)
class TrialRuns:
    """Trials of one head on some images; what was trained is kept.

    Attributes:
        head: to train.
        image: (n, d_v).
        text: (n, captions, d_t).
        seed: of folds and pairs.
        most: training pairs of the largest trial.
    """

    head: Head
    image: AnyArray
    text: AnyArray
    seed: int
    most: int
    _known: dict[tuple[int, float], Array] = field(default_factory=dict, init=False, repr=False)

    @property
    def largest(self) -> int:
        """Return the largest even number of training pairs that no fold lacks."""
        images = len(self.image)
        left = images - -(-images // FOLDS)
        return min(self.most, left) // 2 * 2

    def at(self, n: int, ridges: Array) -> Tried:
        """Return what heads reach after n pairs, at the best of some ridges.

        Args:
            n: even, at most ``largest``.
            ridges: delta of K + delta I, absolute and above 0.
        """
        lacking = [ridge for ridge in ridges.tolist() if (n, ridge) not in self._known]
        if lacking:
            for ridge, column in zip(lacking, self._measured(n, lacking).T, strict=True):
                self._known[n, ridge] = column
        table = np.array([self._known[n, ridge] for ridge in ridges.tolist()])
        total = table.sum(axis=1, keepdims=True)
        chosen = np.argmax(total - table, axis=0)
        each = table[chosen, np.arange(table.shape[1])]
        accuracy = float(each.mean())
        # Matched and mismatched pairs are halves of the accuracy, each a mean over all images.
        sampling = accuracy * (1 - accuracy) / (2 * len(self.image))
        spread = float(each.var(ddof=1)) / each.size
        return Tried(accuracy, float(np.sqrt(max(sampling, spread))), float(ridges[total.argmax()]))

    def _measured(self, n: int, ridges: list[float]) -> Array:
        """Return accuracies of each fold and ridge, (folds, ridges), means over training sets."""
        rng = np.random.default_rng([self.seed, n])
        captions = self.text.shape[1]
        points = []
        for train, test in folds(len(self.image), np.random.default_rng(self.seed)):
            head = self.head.fitted(self.image[train], self.text[train])
            sets = []
            for _ in range(min(max(_PAIRS // n, 1), _MOST_SETS)):
                pairs = unshared_pairs(train, captions, n, rng)
                fresh = gather(self.image, self.text, _tested(test, captions, rng))
                training = gather(self.image, self.text, pairs)
                measured = measure_ridges(head, training, fresh, [n], ridges)
                sets.append([each.accuracy for each in measured])
            points.append(np.mean(sets, axis=0))
        return np.array(points)


def _tested(rows: Integers, captions: int, rng: np.random.Generator) -> Pairs:
    """Return each image with a text of its own and with one of another image."""
    other = np.roll(rows, int(rng.integers(1, len(rows))))
    return Pairs(
        image=np.concatenate([rows, rows]),
        text=np.concatenate([rows, other]),
        caption=rng.integers(0, captions, 2 * len(rows)),
        label=np.repeat([1.0, -1.0], len(rows)),
    )
