"""From a file of features to predicted curves of several heads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError
from fusiontheory.curves.predict import predict_curve
from fusiontheory.data import Reading, check_varies, normalise, read_features
from fusiontheory.heads import HEADS, find_head
from fusiontheory.matching import check_request
from fusiontheory.moments import Moments

__all__ = ["forecast"]

DEFAULT = Reading()


def forecast(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    heads: Sequence[str] | None,
    n: ArrayLike,
    ridge: float,
    split: str | None = None,
    raw: bool = False,
    test_images: int | None = None,
    training_sets: int | None = None,
    reading: Reading = DEFAULT,
) -> pd.DataFrame:
    """Return `predict_curve` of each head, with a column ``head``, from a features file.

    Args:
        path: file that `fusiontheory.data.read_features` reads, or two, image and text.
        heads: names; None for all that the dimensions allow.
        n: numbers of training pairs.
        ridge: delta of K + delta I.
        split: whose images give the moments; None for train, or all if there are no splits.
        raw: take the features as they are; else they are centred and brought to unit norm.
        test_images: see `predict_curve`.
        training_sets: see `predict_curve`.
        reading: which arrays of the file, and what becomes of missing rows.

    Raises:
        InputError: for a file, a head, a split or a number that cannot be used.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "features.npz"
        >>> x = np.random.default_rng(0).standard_normal((100, 4))
        >>> np.savez(path, image=x, text=x)
        >>> forecast(path, ["concat-linear"], [64], 0.1)["accuracy"].tolist()
        [0.5]
    """
    for name in heads or ():
        find_head(name)
    check_request(n, ridge, test_images, training_sets)
    features = read_features(path, reading)
    if split is None and features.split is not None:
        split = "train"
    rows = features.rows() if split is None else features.rows(split)
    image: NDArray[np.floating[Any]] = features.image[rows]
    text: NDArray[np.floating[Any]] = features.text[rows]
    if not raw:
        image, text = _unit("image", image), _unit("text", text)
    equal = image.shape[-1] == text.shape[-1]
    chosen = heads or [name for name in HEADS if equal or name != "dot-product"]
    if not equal and "dot-product" in chosen:
        raise InputError(
            "dot-product needs image and text features of one dimension,"
            f" got {image.shape[-1]} and {text.shape[-1]}"
        )
    moments = Moments.from_features(image, text)
    curves = [
        predict_curve(
            *(name, moments, n, ridge), test_images=test_images, training_sets=training_sets
        )
        for name in chosen
    ]
    for name, curve in zip(chosen, curves, strict=True):
        curve.insert(0, "head", name)
    return pd.concat(curves, ignore_index=True)


def _unit(name: str, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    check_varies(name, x)
    flat = x.reshape(-1, x.shape[-1])
    return normalise(x - flat.mean(axis=0, dtype=np.float64), name=f"{name} less its mean")
