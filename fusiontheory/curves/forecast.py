"""From a file of features to predicted curves of several heads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, equal_dimensions
from fusiontheory.constraints import checked
from fusiontheory.curves.best_ridge import Rule
from fusiontheory.curves.predict import predict_curve
from fusiontheory.data import FeatureSet, Reading, most_pairs, prepare, read_features
from fusiontheory.heads import find_head, heads_for
from fusiontheory.matching import check_request
from fusiontheory.moments import Moments
from fusiontheory.typing import Floats

__all__ = ["ForecastInputs", "forecast", "forecast_inputs"]

DEFAULT = Reading()
_SIZES = tuple(2**k for k in range(8, 14))
_FEWEST = 16  # pairs


@checked
def forecast(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    heads: Sequence[str] | None,
    n: ArrayLike | None,
    ridge: float | Rule = "best",
    split: str | None = None,
    raw: bool = False,
    test_images: int | None = None,
    training_sets: int | None = None,
    reading: Reading = DEFAULT,
    training_images: int | None = None,
) -> pd.DataFrame:
    """Return `predict_curve` of each head, with a column ``head``, from a features file.

    Args:
        path: file that `fusiontheory.data.read_features` reads, or two, image and text.
        heads: names; None for all that the dimensions allow.
        n: numbers of training pairs; None for powers of 2 from 256 to 8192, as far as the images
            allow.
        ridge: delta of K + delta I, or "best", that of highest predicted accuracy for each head and
            n, or "least-risk", that of least predicted risk.
        split: whose images give the moments; None for train, or all if there are no splits.
        raw: take the features as they are; else they go through `fusiontheory.prepare`.
        test_images: see `predict_curve`.
        training_sets: see `predict_curve`.
        reading: which arrays of the file, and what becomes of missing rows.
        training_images: how many images the training pairs will be drawn from, so that some share
            one; None: n is limited by the images of the file, and no two pairs share one.

    Raises:
        InputError: for a file, a head, a split or a number that cannot be used, or more pairs than
            the images allow: each text once matched and once mismatched.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "features.npz"
        >>> x = np.random.default_rng(0).standard_normal((100, 4))
        >>> np.savez(path, image=x, text=x)
        >>> forecast(path, ["concat-linear"], [64], 0.1)["accuracy"].tolist()
        [0.5]
    """
    asked = (_FEWEST,) if n is None else n
    check_request(asked, 0.0 if isinstance(ridge, str) else ridge, test_images, training_sets)
    given = forecast_inputs(path, heads, n, split, raw, reading, training_images)
    chosen, sizes = given.heads, given.sizes
    moments = Moments.from_features(given.image, given.text)
    curves = [
        predict_curve(
            *(name, moments, sizes, ridge),
            test_images=test_images,
            training_images=training_images,
            training_sets=training_sets,
        )
        for name in chosen
    ]
    for name, curve in zip(chosen, curves, strict=True):
        curve.insert(0, "head", name)
    return pd.concat(curves, ignore_index=True)


class ForecastInputs(NamedTuple):
    """What a forecast is of: names of heads, sizes, and features (n, d_v), (n, captions, d_t)."""

    heads: list[str]
    sizes: ArrayLike
    image: Floats
    text: Floats


@checked
def forecast_inputs(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    heads: Sequence[str] | None,
    n: ArrayLike | None,
    split: str | None = None,
    raw: bool = False,
    reading: Reading = DEFAULT,
    training_images: int | None = None,
) -> ForecastInputs:
    """Return the features of a file as a forecast takes them, and heads and sizes that fit them.

    Args and errors are those of `forecast`.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "features.npz"
        >>> x = np.random.default_rng(0).standard_normal((100, 4))
        >>> np.savez(path, image=x, text=x[:, :3])
        >>> forecast_inputs(path, None, [64]).heads
        ['concat-linear', 'concat-mlp', 'bilinear']
    """
    names = None if not heads else list(dict.fromkeys(find_head(name).name for name in heads))
    features = read_features(path, reading)
    if split is None and features.split is not None:
        split = "train"
    rows = features.rows() if split is None else features.rows(split)
    sizes = _allowed(n, features, len(rows), training_images)
    image: Floats = features.image[rows]
    text: Floats = features.text[rows]
    if not raw:
        image, text = prepare(image, text)
    chosen = names or heads_for(image.shape[-1], text.shape[-1])
    for name in chosen:
        if find_head(name).equal_dimensions:
            equal_dimensions(name, image.shape[-1], text.shape[-1])
    return ForecastInputs(chosen, sizes, image, text)


def _allowed(
    n: ArrayLike | None, features: FeatureSet, images: int, training_images: int | None
) -> ArrayLike:
    """Return the sizes, all within what the images allow; chosen here where ``n`` is None."""
    captions = features.text.shape[1]
    number = images if training_images is None else training_images
    most = most_pairs(number, captions)
    if n is None:
        within = tuple(size for size in _SIZES if size <= most)
        # Fewer images than the smallest usual size: the last powers of 2 that they allow.
        top = max(most.bit_length() - 1, 1)
        return within or tuple(2**k for k in range(max(top - 2, 1), top + 1))
    largest = float(np.max(np.asarray(n, dtype=float)))
    if largest > most:
        raise InputError(
            f"n must be at most {most}, twice the {number} training_images x {captions} texts,"
            f" got {largest:g}; give the training images that there will be (training_images,"
            " --training-images), or fewer pairs"
        )
    return n
