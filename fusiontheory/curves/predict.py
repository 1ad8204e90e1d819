"""Predicted accuracy of a fusion head against the number of training pairs."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from fusiontheory.checks import InputError, ValidityWarning, sample_sizes
from fusiontheory.curves.models import find_model
from fusiontheory.data import most_pairs
from fusiontheory.matching import (
    Terms,
    check_request,
    matching_curve,
    sharing_shift,
    shifted,
    training_deviation,
)
from fusiontheory.moments import Moments

__all__ = [
    "predict_curve",
]

ALL_TERMS = Terms()


def predict_curve(
    head: str,
    moments: Moments,
    n: ArrayLike,
    ridge: float,
    *,
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
        head: one of `fusiontheory.HEADS`.
        moments: of the features of the images to train on.
        n: number of training pairs, one or many, at least 2.
        ridge: delta of K + delta I, absolute (not divided by n), at least 0.
        test_images: if given, the interval also has the sampling of that many test images, as
            if the captions of one image were right or wrong together.
        training_images: number of images, with the captions of the moments, that the training
            pairs are drawn from by `fusiontheory.data.draw_pairs`; one number, or one for each n.
            None for pairs of which no two share an image or a text.
        training_sets: if given, the interval is that of a mean over so many training sets
            (`fusiontheory.matching.scatter`), not over all of them.
        terms: leave terms of the theory out, to see what they are worth.

    Returns:
        A frame with the columns ``n``, ``risk`` (mean squared error against labels +-1),
        ``accuracy`` (between 0 and 1), ``accuracy_low``, ``accuracy_high`` (95 % interval from
        the number of images that the moments come from, from the last term of the kernel's
        expansion, and, if given, from test images and training sets; it does not have all of the
        theory's error). The mean is over training sets. Where the moments are a sample's it is
        that of `fusiontheory.matching.scores`, for which the first call for a head takes longer.

    Raises:
        InputError: for an unknown head, n below 2, a negative ridge, fewer than 2 test or training
            images or 1 training set, more pairs than the training images' texts allow, a head that
            needs equal dimensions where they differ.

    Warns:
        ValidityWarning: at an interpolation peak with next to no ridge; the interval there goes
            from chance to what the mean predictor would reach.

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
    sizes, delta = check_request(n, ridge, test_images, training_sets)
    model = make_model(moments, terms)
    curve = matching_curve(model, sizes, delta)
    if model.law is not None:
        curve = shifted(curve, model.law(sizes, delta))
    if training_images is not None:
        images = _training_images(training_images, sizes, moments.captions)
        curve = shifted(curve, sharing_shift(model, sizes, delta, images, moments.captions))
    if curve.peak.any():
        worst = int(np.argmax(curve.risk))
        size = "infinite" if np.isinf(curve.risk[worst]) else f"{curve.risk[worst]:.3g}"
        warnings.warn(
            f"the risk of {head} is {size} at n = {sizes[worst]:g}, its interpolation peak,"
            " without ridge or nearly so; use a larger ridge there",
            ValidityWarning,
            stacklevel=2,
        )
    # Independent of what the interval has: one standard error of the accuracy each.
    beside: list[NDArray[np.float64]] = []
    if training_sets is not None:
        deviation = training_deviation(model, sizes, delta)
        density = norm.pdf(norm.ppf(curve.accuracy))
        beside.append(np.asarray(density * deviation / np.sqrt(training_sets)))
    if test_images is not None:
        # Matched and mismatched pairs are separate halves of the accuracy, each a mean over
        # test images.
        beside.append(np.sqrt(curve.accuracy * (1 - curve.accuracy) / (2 * test_images)))
    low, high = curve.low, curve.high
    for error in beside:
        low = curve.accuracy - np.hypot(curve.accuracy - low, 1.96 * error)
        high = curve.accuracy + np.hypot(high - curve.accuracy, 1.96 * error)
    return pd.DataFrame(
        {
            "n": sizes.astype(np.int64) if _whole(sizes) else sizes,
            "risk": curve.risk,
            "accuracy": curve.accuracy,
            "accuracy_low": np.clip(low, 0.0, 1.0),
            "accuracy_high": np.clip(high, 0.0, 1.0),
        }
    )


def _whole(sizes: NDArray[np.float64]) -> bool:
    # Beyond 2^53 a float is whole, but not the number that was meant.
    return bool(np.all((sizes == np.round(sizes)) & (sizes < 2**53)))


def _training_images(
    training_images: ArrayLike, sizes: NDArray[np.float64], captions: int
) -> NDArray[np.float64]:
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
