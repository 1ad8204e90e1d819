"""Predicted accuracy of a fusion head against the number of training pairs."""

from __future__ import annotations

import warnings
from dataclasses import fields

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import norm

from fusiontheory.checks import InputError, ValidityWarning, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.curves.best_ridge import RULES, Rule, best_ridge, checked_ridges
from fusiontheory.curves.models import find_model, mean_diagonal
from fusiontheory.data import most_pairs
from fusiontheory.matching import (
    MatchingCurve,
    MatchingModel,
    Terms,
    check_request,
    matching_curve,
    sharing_shift,
    shifted,
    training_deviation,
)
from fusiontheory.moments import Moments, Trust, trust
from fusiontheory.threads import small_algebra
from fusiontheory.typing import Array

__all__ = [
    "predict_curve",
]

ALL_TERMS = Terms()
# Ridge over n times the power of the features from which accuracies are those of any larger one,
# but for this inverse share.
_WEAKEST = 1e6


@checked
def predict_curve(
    head: str,
    moments: Moments,
    n: ArrayLike,
    ridge: float | Rule,
    *,
    ridges: ArrayLike | None = None,
    test_images: int | None = None,
    training_images: ArrayLike | None = None,
    training_sets: int | None = None,
    terms: Terms = ALL_TERMS,
) -> pd.DataFrame:
    """Predict test risk and accuracy of image-text matching after training on n pairs.

    The head is trained by kernel ridge regression on n pairs, half of them matched (y = +1) and
    half mismatched (y = -1), with kernel matrix K + ridge I and an intercept that is not
    penalised; it classifies by the sign of its output. No parameter is fitted to any curve.

    Args:
        head: one of `fusiontheory.HEADS`, or concat-mlp-aligned
            (`fusiontheory.heads.HEADS_BY_CHOICE`).
        moments: of the features of the images to train on.
        n: number of training pairs, one or many, at least 2.
        ridge: delta of K + delta I, absolute (not divided by n), at least 0; or "best", the one of
            ``ridges`` with the highest predicted accuracy at each n; or "least-risk", that with the
            least predicted risk, which loses accuracy where little is learned.
        ridges: to choose from, absolute and above 0; by default 13 from 0.001 to 100 times the
            mean of K(x, x).
        test_images: if given, the interval also has the sampling of that many test images, as
            if the captions of one image were right or wrong together.
        training_images: number of images, with the captions of the moments, that the training
            pairs are drawn from by `fusiontheory.data.draw_pairs`; one number, or one for each n.
            None for pairs of which no two share an image or a text, as are those without
            `Terms.shared_images`.
        training_sets: if given, the interval is that of a mean over so many training sets
            (`fusiontheory.matching.scatter`), not over all of them.
        terms: leave terms of the theory out, to see what they are worth.

    Returns:
        A frame with the columns ``n``, ``risk`` (mean squared error against labels +-1),
        ``accuracy`` (between 0 and 1), ``accuracy_low``, ``accuracy_high`` (95 % interval from
        the number of images that the moments come from, from the last term of the kernel's
        expansion, and, if given, from test images and training sets; for moments of features
        also what the theory was seen to be off by, see `fusiontheory.moments.trust`), and
        ``trusted``, whether the features are of the kind on which predictions were seen to hold.
        With a rule for the ridge also ``ridge``, the one chosen. The mean is over training
        sets. Where the moments are a sample's it is that of `fusiontheory.matching.scores`, for
        which the first call for a
        head takes longer.

    Raises:
        InputError: for an unknown head, n below 2, a negative ridge, fewer than 2 test or training
            images or 1 training set, more pairs than the training images' texts allow, a head that
            needs equal dimensions where they differ.

    Warns:
        ValidityWarning: for features beyond the range of a diagnosis; the interval is wider by
            what predictions for such features were seen to be off. And at an interpolation peak
            with next to no ridge; the interval there goes from chance to what the mean predictor
            would reach.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.standard_normal((500, 8))
        >>> moments = Moments.from_features(shared, shared + rng.standard_normal((500, 8)))
        >>> curve = predict_curve("concat-linear", moments, [100, 1000], ridge=0.1)
        >>> list(curve["accuracy"])
        [0.5, 0.5]
    """
    make_model = find_model(head)
    if not isinstance(moments, Moments):
        raise InputError(f"moments must be a Moments, got {type(moments).__name__}")
    if not isinstance(terms, Terms):
        raise InputError(f"terms must be a Terms, got {type(terms).__name__}")
    if isinstance(ridge, str) and ridge not in RULES:
        rules = " or ".join(map(repr, RULES))
        raise InputError(f"ridge must be a number of at least 0 or {rules}, got {ridge!r}")
    given = 0.0 if isinstance(ridge, str) else ridge
    sizes, fixed = check_request(n, given, test_images, training_sets)
    images = None
    if training_images is not None:
        images = _training_images(training_images, sizes, moments.captions)
    with small_algebra(max(moments.cross.shape)):
        model = make_model(moments, terms)
        # Outputs then go as 1 / ridge, and their signs stay; the rest would be lost in rounding.
        power = model.ridge + float(model.spectrum.nodes @ model.spectrum.counts)
        best = isinstance(ridge, str)
        if isinstance(ridge, str):
            candidates = checked_ridges(ridges, mean_diagonal(head, moments))
            chosen = best_ridge(model, sizes, candidates, ridge)
        else:
            chosen = np.full_like(sizes, fixed)
        chosen = np.minimum(chosen, _WEAKEST * power * float(sizes.max()))
        shared = images if terms.shared_images else None
        curve, deviation = _at_ridges(model, sizes, chosen, shared, moments.captions, training_sets)
    if curve.peak.any():
        worst = int(np.argmax(curve.risk))
        size = "infinite" if np.isinf(curve.risk[worst]) else f"{curve.risk[worst]:.3g}"
        warnings.warn(
            f"the risk of {head} is {size} at n = {sizes[worst]:g}, its interpolation peak,"
            " without ridge or nearly so; use a larger ridge there",
            ValidityWarning,
            stacklevel=2,
        )
    trusted = _trusted(head, moments, sizes, best)
    low, high = _interval(curve, deviation, test_images, trusted.extra_half_width)
    columns = {
        "n": sizes.astype(np.int64) if _whole(sizes) else sizes,
        "risk": curve.risk,
        "accuracy": curve.accuracy,
        "accuracy_low": np.clip(low, 0.0, 1.0),
        "accuracy_high": np.clip(high, 0.0, 1.0),
        "trusted": trusted.trusted,
    }
    return pd.DataFrame(columns | ({"ridge": chosen} if best else {}))


def _at_ridges(
    model: MatchingModel,
    sizes: Array,
    chosen: Array,
    images: Array | None,
    captions: int,
    training_sets: int | None,
) -> tuple[MatchingCurve, Array]:
    """Return the curve with a ridge for each n, and the mean's deviation over training sets.

    The deviation is of Phi^{-1}(accuracy), and 0 where no number of training sets is given.
    """
    parts, deviation, order = [], np.zeros_like(sizes), []
    for ridge in np.unique(chosen).tolist():
        at = np.flatnonzero(chosen == ridge)
        curve = matching_curve(model, sizes[at], ridge)
        law = model.scores.shift(sizes[at], ridge)
        if law is not None:
            curve = shifted(curve, law)
        if images is not None:
            curve = shifted(curve, sharing_shift(model, sizes[at], ridge, images[at], captions))
        if training_sets is not None:
            one = training_deviation(model, sizes[at], ridge)
            deviation[at] = one / np.sqrt(training_sets)
        parts.append(curve)
        order.append(at)
    if len(parts) == 1:
        return parts[0], deviation
    back = np.argsort(np.concatenate(order))
    joined = {
        one.name: np.concatenate([getattr(part, one.name) for part in parts])[back]
        for one in fields(MatchingCurve)
    }
    return MatchingCurve(**joined), deviation


def _interval(
    curve: MatchingCurve, deviation: Array, test_images: int | None, extra: Array
) -> tuple[Array, Array]:
    """Return the ends of the 95 % interval, with all that widens it."""
    # Independent of what the interval has: one standard error of the accuracy each.
    beside = [np.asarray(norm.pdf(ndtri(curve.accuracy)) * deviation)] if deviation.any() else []
    if test_images is not None:
        # Matched and mismatched pairs are separate halves of the accuracy, each a mean over
        # test images.
        beside.append(np.sqrt(curve.accuracy * (1 - curve.accuracy) / (2 * test_images)))
    low, high = curve.low, curve.high
    low, high = low - extra, high + extra
    for error in beside:
        low = curve.accuracy - np.hypot(curve.accuracy - low, 1.96 * error)
        high = curve.accuracy + np.hypot(high - curve.accuracy, 1.96 * error)
    return low, high


def _trusted(head: str, moments: Moments, sizes: Array, best: bool) -> Trust:
    """Return what the features' diagnosis says of a head, and warn where it is beyond a range."""
    if moments.diagnosis is None:
        return Trust(True, np.zeros_like(sizes), ())
    trusted = trust(moments.diagnosis.values, head, sizes, best=best)
    if not trusted.trusted:
        warnings.warn(
            f"accuracies of {head} may be off, and their interval is wider: "
            + " ".join(trusted.reasons)
            + " fusiontheory.trial_curve says what heads reach that are trained on these images.",
            ValidityWarning,
            stacklevel=3,
        )
    return trusted


def _whole(sizes: Array) -> bool:
    # Beyond 2^53 a float is whole, but not the number that was meant.
    return bool(np.all((sizes == np.round(sizes)) & (sizes < 2**53)))


def _training_images(training_images: ArrayLike, sizes: Array, captions: int) -> Array:
    """Return the checked number of training images of each n."""
    given = sample_sizes("training_images", training_images)
    if given.size not in (1, sizes.size):
        raise InputError(
            f"training_images must be one number or one for each of {sizes.size} n,"
            f" got {given.size}"
        )
    wrong = given[(given != np.round(given)) | (given < 2)]
    if wrong.size:
        raise InputError(f"training_images must be whole numbers of at least 2, got {wrong[0]:g}")
    images = np.broadcast_to(given, sizes.shape)
    for n, number in zip(sizes, images, strict=True):
        most = most_pairs(int(number), captions)
        if n > most:
            raise InputError(
                f"n must be at most {most}, twice the {number:g} training_images x {captions}"
                f" texts, got {n:g}"
            )
    return images
