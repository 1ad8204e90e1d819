"""From a file of features to trials of several heads."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.constraints import checked
from fusiontheory.curves import forecast_inputs
from fusiontheory.data import Reading
from fusiontheory.trial.curve import trial_curve

__all__ = ["trial_forecast"]

_DEFAULT = Reading()


@checked
def trial_forecast(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    heads: Sequence[str] | None,
    n: ArrayLike | None,
    ridge: float | str = "best",
    split: str | None = None,
    raw: bool = False,
    reading: Reading = _DEFAULT,
) -> pd.DataFrame:
    """Return `trial_curve` of each head, with a column ``head``, from a features file.

    Args:
        path, heads, n, split, raw, reading: as in `fusiontheory.curves.forecast`.
        ridge: as in `trial_curve`.

    Raises:
        InputError: as both do.

    Example:
        >>> import tempfile, pathlib
        >>> import numpy as np
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "features.npz"
        >>> x = np.random.default_rng(0).standard_normal((100, 4))
        >>> np.savez(path, image=x, text=x)
        >>> trial_forecast(path, ["bilinear"], [64], 0.1)["tried"].tolist()
        [64]
    """
    given = forecast_inputs(path, heads, n, split, raw, reading)
    curves = []
    for name in given.heads:
        curve = trial_curve(name, given.image, given.text, given.sizes, ridge)
        curve.insert(0, "head", name)
        curves.append(curve)
    return pd.concat(curves, ignore_index=True)
