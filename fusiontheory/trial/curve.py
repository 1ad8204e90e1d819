"""A learning curve from a trial on one's own images, continued by the theory beyond them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from fusiontheory.checks import InputError, ValidityWarning, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.curves import checked_ridges, mean_diagonal, predict_curve
from fusiontheory.heads import find_head
from fusiontheory.matching import check_request
from fusiontheory.moments import Moments, checked_features, independent_images, trust
from fusiontheory.trial.runs import TrialRuns, Tried
from fusiontheory.typing import Array

__all__ = ["LEAST_IMAGES", "trial_curve"]

LEAST_IMAGES = 50
"""Images below which a trial says nothing."""

# Pairs up to which every ridge is tried, and how far from the best one of that size others are,
# below and above it, for more pairs.
_EVERY, _BELOW, _ABOVE = 512, 1, 3
# Accuracies are not taken to be nearer to 0 or 1.
_EDGE = 1e-3
# Part of the largest trial that shows how the theory's error changes with n.
_PART = 4
_FEWEST = 4


@checked
def trial_curve(
    head: str,
    image: ArrayLike,
    text: ArrayLike,
    n: ArrayLike,
    ridge: float | str = "best",
    *,
    groups: ArrayLike | None = None,
    ridges: ArrayLike | None = None,
    most: int = 2048,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Say what a head reaches after n pairs from trials on the images at hand.

    Matching is a labelled task as soon as pairs are drawn: the head is trained on n pairs of four
    fifths of the images and tested on the others, five times, so that every image is tested on.
    That needs no assumption on the features, and no labels. Where n is more than the trial has
    images, the theory goes on from it, on the scale of normal quantiles:

    .. math::
        \Phi^{-1}(a(n)) = \Phi^{-1}(a_{theory}(n))
            + \Phi^{-1}(a_{trial}(n_0)) - \Phi^{-1}(a_{theory}(n_0)).

    It is for features that `predict_curve` warns of; where it does not, its predictions are as
    good and take a tenth of the time. From 3000 images with 48 dimensions a curve up to 2048 pairs
    takes seconds of one core, most of them for the largest trial (``docs/trial.md``).

    Args:
        head: one of `fusiontheory.HEADS` or `fusiontheory.heads.HEADS_BY_CHOICE`.
        image: image features as they will be trained on, shape (images, d_v), at least 50.
        text: text features, shape (images, captions, d_t), or (images, d_t).
        n: numbers of training pairs, at least 4, of which no two share an image or a text.
        ridge: delta of K + delta I, absolute and above 0; or "best", for each n the one of
            ``ridges`` with the highest accuracy in the trial.
        groups: as in `Moments.from_features`; one image of each group counts.
        ridges: to choose from; by default 13 from 0.001 to 100 times the mean of K(x, x).
        most: training pairs of the largest trial; more take longer, as its third power.
        seed: of folds and pairs.

    Returns:
        A frame with the columns ``n``, ``accuracy``, ``accuracy_low`` and ``accuracy_high`` (95 %
        interval from test images and training sets, and, beyond the trial, from how the theory's
        error changes between a quarter of its pairs and all, and what `predict_curve` is unsure
        of), ``tried`` (training pairs of the trial: those asked for, or the most there are),
        ``theory`` (accuracy that `predict_curve` says) and ``ridge``.

    Raises:
        InputError: as `predict_curve` and `Moments.from_features` do; for a ridge that is not above
            0, n below 4, or fewer than 50 images.

    Source: cross-validation, Stone (1974); the continuation is of this project.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> item = rng.standard_normal((200, 8))
        >>> image, text = item + 0.5 * rng.standard_normal((2, 200, 8))
        >>> curve = trial_curve("bilinear", image, text, [32, 128, 512], ridge=1.0)
        >>> curve["accuracy"].round(1).tolist(), curve["tried"].tolist()
        ([0.7, 0.7, 0.8], [32, 128, 160])
    """
    chosen = find_head(head)
    v, t = checked_features(image, text)
    sizes, fixed = check_request(n, 1.0 if ridge == "best" else ridge)  # type: ignore[arg-type]
    positive_integer("most", most, minimum=_FEWEST)
    positive_integer("seed", seed, minimum=0)
    if sizes.min() < _FEWEST:
        raise InputError(f"n must be at least 4, two pairs of each kind, got {sizes.min():g}")
    if fixed == 0:
        raise InputError("ridge must be above 0 to train, got 0")
    if groups is not None:
        kept = independent_images(groups, len(v))
        v, t = v[kept], t[kept]
    if len(v) < LEAST_IMAGES:
        raise InputError(f"image must have at least {LEAST_IMAGES} rows, got {len(v)}")
    with warnings.catch_warnings():
        # What the theory is unsure of is why there is a trial.
        warnings.simplefilter("ignore", ValidityWarning)
        moments = Moments.from_features(v, t)
        runs = TrialRuns(chosen, v, t, seed, most)
        every = np.array([fixed])
        if ridge == "best":
            every = checked_ridges(ridges, mean_diagonal(chosen.name, moments))
        points = [_at(runs, moments, n, every, ridge == "best") for n in sizes.tolist()]
    whole = bool(np.all(sizes == np.round(sizes)))
    table = pd.DataFrame(points)
    table.insert(0, "n", sizes.astype(np.int64) if whole else sizes)
    return table


def _at(runs: TrialRuns, moments: Moments, n: float, every: Array, best: bool) -> dict[str, float]:
    """Return the row of one n."""
    size = int(min(n, runs.largest)) // 2 * 2
    tried = runs.at(size, _near(runs, size, every))
    theory = _Theory(runs.head.name, moments, tried.ridge)
    quantile, error = _quantile(tried)
    said, width = theory.at(n, best)
    if n > size + 1:
        shift = quantile - theory.at(size, best)[0]
        further = np.log(n / size) / np.log(_PART)
        errors = [error, min(further, 1.0) * width]
        part = size // _PART // 2 * 2
        if part >= _FEWEST:
            less = _quantile(runs.at(part, np.array([tried.ridge])))[0]
            errors.append((shift - less + theory.at(part, best)[0]) * further)
        quantile, error = said + shift, float(np.linalg.norm(errors))
    ends = ndtr([quantile, quantile - 1.96 * error, quantile + 1.96 * error]).tolist()
    names = ("accuracy", "accuracy_low", "accuracy_high")
    return {
        **dict(zip(names, ends, strict=True)),
        "tried": size,
        "theory": float(ndtr(said)),
        "ridge": tried.ridge,
    }


@dataclass(frozen=True)
class _Theory:
    """What `predict_curve` says at one ridge."""

    head: str
    moments: Moments
    ridge: float

    def at(self, n: float, best: bool) -> tuple[float, float]:
        """Return the quantile of the accuracy, and its standard error, of odd features too."""
        curve = predict_curve(self.head, replace(self.moments, source=None), [n], self.ridge)
        middle, low, high = (
            float(curve[name].iloc[0]) for name in ("accuracy", "accuracy_low", "accuracy_high")
        )
        if self.moments.diagnosis is not None:
            extra = float(
                trust(self.moments.diagnosis.values, self.head, n, best=best).extra_half_width[0]
            )
            low, high = low - extra, high + extra
        edges = ndtri(np.clip([middle, low, high], _EDGE, 1 - _EDGE))
        return float(edges[0]), float(edges[2] - edges[1]) / (2 * 1.96)


def _near(runs: TrialRuns, size: int, every: Array) -> Array:
    """Return the ridges to try: all for few pairs, those near the best of few for many."""
    if size <= _EVERY or every.size == 1:
        return every
    best = int(np.flatnonzero(every == runs.at(_EVERY, every).ridge)[0])
    return every[max(best - _BELOW, 0) : best + _ABOVE + 1]


def _quantile(tried: Tried) -> tuple[float, float]:
    """Return the quantile of an accuracy and its standard error."""
    value = float(ndtri(np.clip(tried.accuracy, _EDGE, 1 - _EDGE)))
    return value, tried.error / float(norm.pdf(value))
