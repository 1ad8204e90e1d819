"""The example that is shipped: two views of handwritten digits (terms in data/README.md)."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import numpy as np

from fusiontheory.constraints import array_like, checked
from fusiontheory.typing import AnyArray, Array

__all__ = ["build_example", "example_digits"]


@checked
def example_digits() -> tuple[Array, Array, AnyArray]:
    """Return 2000 digits: Fourier coefficients (76), Zernike moments (47), and the digit.

    Source: Multiple Features, R. Duin, UCI Machine Learning Repository, CC BY 4.0.

    Example:
        >>> v, t, y = example_digits()
        >>> v.shape, t.shape, np.bincount(y).tolist() == [200] * 10
        ((2000, 76), (2000, 47), True)
    """
    with files("fusiontheory.advice").joinpath("data/digits.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        return (
            stored["image"].astype(np.float64),
            stored["text"].astype(np.float64),
            stored["digit"].astype(np.int64),
        )


@checked(fourier=array_like, zernike=array_like, digit=array_like)
def build_example(
    fourier: AnyArray, zernike: AnyArray, digit: AnyArray, path: str | os.PathLike[str]
) -> Path:
    """Write the file that `example_digits` reads from the views of the original.

    Columns are centred and scaled to a standard deviation of 1, rows shuffled with a fixed seed
    (the original is in the order of the digits), and values kept as float16.

    Args:
        fourier: (2000, 76) ``mfeat-fou``.
        zernike: (2000, 47) ``mfeat-zer``.
        digit: (2000,) 0 to 9.
        path: of the file, ending in .npz.
    """
    order = np.random.default_rng(0).permutation(len(digit))
    views = []
    for view in (fourier, zernike):
        x = np.asarray(view, np.float64)[order]
        views.append(((x - x.mean(0)) / x.std(0)).astype(np.float16))
    out = Path(path)
    np.savez_compressed(out, image=views[0], text=views[1], digit=digit[order].astype(np.int8))
    return out
