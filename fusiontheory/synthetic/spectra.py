"""Spectra of synthetic features: flat, a power law, given, from a file, or those of real features.

In a configuration a spectrum is a text or a list of eigenvalues:

    "flat"                          d equal eigenvalues
    "power 0.8"                     lambda_i proportional to i^-0.8
    [1.0, 0.5, 0.1]                 the eigenvalues, descending or not
    "file lambda.npy"               those of an array in a .npy or text file
    "features features.npz image"   of the second moment of the images (or text) of a features file

Flat and power-law spectra have trace 1; eigenvalues that are given stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.data import FeatureSet
from fusiontheory.store import read_bytes, unreadable
from fusiontheory.typing import Array

__all__ = ["SpectrumSetting", "resolve_spectrum", "spectrum_values"]

SpectrumSetting: TypeAlias = str | tuple[float, ...]

_FORMS = "'flat', 'power EXPONENT', 'file PATH', 'features PATH image|text' or a list of numbers"


def resolve_spectrum(name: str, setting: str | Sequence[float]) -> SpectrumSetting:
    """Return a setting that no file can change any more: "flat", "power x" or the eigenvalues.

    Args:
        name: of the field, for messages.
        setting: as in the module's table.

    Raises:
        InputError: for another form, a file that cannot be read, eigenvalues that are not
            positive.

    Example:
        >>> resolve_spectrum("spectrum_v", [2, 1]), resolve_spectrum("spectrum_v", "power 0.50")
        ((2.0, 1.0), 'power 0.5')
    """
    if not isinstance(setting, str):
        return _positive(name, setting)
    words = setting.split(maxsplit=1)
    if words == ["flat"]:
        return "flat"
    if len(words) != 2:
        raise InputError(f"{name} must be {_FORMS}, got {setting!r}")
    kind, rest = words
    if kind == "power":
        return f"power {_exponent(name, rest):g}"
    if kind == "file":
        return _positive(name, _read(Path(rest)))
    path, _, side = rest.rpartition(" ")
    if kind == "features" and side in ("image", "text"):
        return _positive(name, _of_features(path, side))
    raise InputError(f"{name} must be {_FORMS}, got {setting!r}")


def spectrum_values(name: str, setting: SpectrumSetting, d: int) -> Array:
    """Return the d eigenvalues of a resolved setting.

    Raises:
        InputError: if the number of given eigenvalues is not d.

    Example:
        >>> spectrum_values("spectrum_v", "power 1", 2).round(3)
        array([0.667, 0.333])
    """
    d = positive_integer("d", d)
    if setting == "flat":
        return np.full(d, 1 / d)
    if isinstance(setting, str):
        values = np.arange(1, d + 1) ** -_exponent(name, setting.split()[1])
        return np.asarray(values / values.sum())
    if len(setting) != d:
        raise InputError(f"{name} must have one eigenvalue per dimension, {d}, got {len(setting)}")
    return np.array(setting)


def _exponent(name: str, text: str) -> float:
    try:
        exponent = float(text)
    except ValueError as error:
        raise InputError(f"{name} must be 'power' and a number, got {text!r}") from error
    if not 0 <= exponent <= 100:
        raise InputError(f"{name}: the exponent must be in [0, 100], got {exponent:g}")
    return exponent


def _positive(name: str, given: Sequence[float] | Array) -> tuple[float, ...]:
    values = finite_array(name, given, 1)
    if values.min() <= 0:
        raise InputError(f"{name} must be above 0 everywhere, got {values.min():g}")
    return tuple(values.tolist())


def _read(path: Path) -> Array:
    read_bytes(path)  # says what is wrong with a path in one line
    try:
        values = np.load(path) if path.suffix == ".npy" else np.loadtxt(path, ndmin=1)
    except ValueError as error:
        raise unreadable(path, error) from error
    return np.asarray(values, dtype=np.float64)


def _of_features(path: str, side: str) -> Array:
    features = FeatureSet.load(path)
    x = np.asarray(features.image if side == "image" else features.text, dtype=np.float64)
    x = x.reshape(-1, x.shape[-1])
    values = np.asarray(np.linalg.eigvalsh(x.T @ x / len(x))[::-1], dtype=np.float64)
    # Directions that the features do not have get the rounding level, as 0 is no variance.
    return np.asarray(np.maximum(values, values[0] * 1e-12))
