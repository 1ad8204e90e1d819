"""The two fusions of one setting: concatenation and bilinear, on Gaussian features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import (
    InputError,
    finite_array,
    non_negative,
    non_negative_array,
    set_checked,
)
from fusiontheory.constraints import checked
from fusiontheory.risk.concatenation import block_spectrum, correlated_pairs, coupled_products
from fusiontheory.typing import Array

__all__ = [
    "FusionSetting",
]


@checked
@dataclass(frozen=True, eq=False)
class FusionSetting:
    """A head, the features of two modalities, a target, and the ridge and noise.

    The target is a . [z_v; z_t] + z_v^T B z_t with a_i^2 and B_ij^2 given. The additive head is
    linear in [v; t] and cannot represent the second part; the bilinear head is linear in
    v (x) t and cannot represent the first. ``eigenvalues``, ``target_power`` and
    ``effective_noise`` are what ``ridge_risk`` needs to predict the head's error.

    "Power" in the fields means squared coefficients. It is the variance of the target only
    without correlation: else E[(z_v^T B z_t)^2] = sum_ij B_ij^2 + sum_ij rho_i rho_j B_ij B_ji
    + (sum_i rho_i B_ii)^2, and E[(a . [z_v; z_t])^2] has 2 sum_i rho_i a_i a_{d_v + i} on top.
    The properties account for it, averaged over the signs where those are random.

    Attributes:
        head: "additive" or "bilinear".
        eigenvalues_v: variances of v, shape (d_v,).
        eigenvalues_t: variances of t, shape (d_t,).
        additive_power: a_i^2, shape (d_v + d_t,), in squared label units.
        bilinear_power: B_ij^2, shape (d_v, d_t), in squared label units.
        ridge: delta >= 0 of (K + delta I)^{-1}, in the units of the head's eigenvalues.
        noise: variance s^2 of the label noise.
        correlation: rho_i in [0, 1], shape (min(d_v, d_t),) or a single value for all; 0 if not
            given.
        additive_signs: signs of a, shape (d_v + d_t,); drawn anew for each training set, +1 or
            -1 alike, if not given. 0 is allowed where the power is 0, so that ``numpy.sign`` of
            the coefficients will do.
        bilinear_signs: signs of B, shape (d_v, d_t), likewise.
        intercept: whether the head has a constant that the ridge does not penalise.

    Raises:
        InputError: for another head, negative or non-finite values, shapes that do not match,
            correlations above 1, signs other than +1 and -1.

    Example:
        >>> import numpy as np
        >>> setting = FusionSetting("bilinear", np.ones(2), np.array([1.0, 0.5]),
        ...     additive_power=np.full(4, 0.25), bilinear_power=np.eye(2), ridge=0.1, noise=0.5)
        >>> setting.eigenvalues
        array([1. , 0.5, 1. , 0.5])
        >>> setting.effective_noise  # 0.5 + the additive part's power
        1.5
    """

    head: Literal["additive", "bilinear"]
    eigenvalues_v: Array
    eigenvalues_t: Array
    additive_power: Array
    bilinear_power: Array
    ridge: float
    noise: float
    correlation: Array = field(default_factory=lambda: np.zeros(()))
    additive_signs: Array | None = None
    bilinear_signs: Array | None = None
    intercept: bool = False

    def __post_init__(self) -> None:
        """Check every field; arrays become float64 and the correlation one value per pair."""
        if self.head not in ("additive", "bilinear"):
            raise InputError(f"head must be 'additive' or 'bilinear', got {self.head!r}")
        dimensions = {"eigenvalues_v": 1, "eigenvalues_t": 1, "additive_power": 1}
        for name, ndim in (dimensions | {"bilinear_power": 2}).items():
            set_checked(self, name, non_negative_array(name, getattr(self, name), ndim))
        for name in ("ridge", "noise"):
            set_checked(self, name, non_negative(name, getattr(self, name)))
        d_v, d_t = self.eigenvalues_v.size, self.eigenvalues_t.size
        for name, shape in (("additive_power", (d_v + d_t,)), ("bilinear_power", (d_v, d_t))):
            got = getattr(self, name).shape
            if got != shape:
                raise InputError(f"{name} must have shape {shape} for these eigenvalues, got {got}")
        set_checked(self, "correlation", _checked_correlation(self.correlation, min(d_v, d_t)))
        for name in ("additive", "bilinear"):
            signs, power = getattr(self, f"{name}_signs"), getattr(self, f"{name}_power")
            if signs is not None:
                set_checked(self, f"{name}_signs", _checked_signs(f"{name}_signs", signs, power))

    @property
    def eigenvalues(self) -> Array:
        """Eigenvalues of the head's features, shape (d_v + d_t,) or (d_v d_t,).

        Of their second moment; of their covariance if there is an intercept, which is not the
        same for the bilinear head, as products of correlated coordinates have a mean.
        """
        return self._spectrum()[0]

    @property
    def target_power(self) -> Array:
        """Power of the target along the head's eigenfunctions, in the order of eigenvalues."""
        return self._spectrum()[1]

    @property
    def effective_noise(self) -> float:
        """Noise plus the power of the part of the target that the head cannot represent."""
        rho = self.correlation
        if self.head == "bilinear":
            missing = float(self.additive_power.sum())
            if self.additive_signs is not None:
                a = self.additive_signs * np.sqrt(self.additive_power)
                missing += additive_overlap(a, rho, self.eigenvalues_v.size)
        else:
            missing = float(self.bilinear_power.sum())
            if self.bilinear_signs is not None:
                b = self.bilinear_signs * np.sqrt(self.bilinear_power)
                overlap, mean_square = bilinear_overlap(b, rho), bilinear_mean(b, rho) ** 2
            else:
                # Random signs leave the diagonal of B, alike in both, on average.
                overlap = float(rho**2 @ np.diagonal(self.bilinear_power)[: rho.size])
                mean_square = overlap
            missing += overlap + (0.0 if self.intercept else mean_square)
        return self.noise + missing

    def _spectrum(self) -> tuple[Array, Array]:
        """Return eigenvalues and target power, block by block where coordinates correlate."""
        d_v, d_t = self.eigenvalues_v.size, self.eigenvalues_t.size
        if self.head == "additive":
            values = np.concatenate([self.eigenvalues_v, self.eigenvalues_t])
            power, signs = self.additive_power, self.additive_signs
        else:
            values = np.outer(self.eigenvalues_v, self.eigenvalues_t).ravel()
            power, signs = self.bilinear_power.ravel(), self.bilinear_signs
        if not self.correlation.any():
            return values, power
        root = np.sqrt(power)
        signed = root if signs is None else root * signs.ravel()
        values, power = values.copy(), power.copy()
        if self.head == "additive":
            blocks = [correlated_pairs(self.correlation, d_v)]
        else:
            blocks = [*coupled_products(self.correlation, d_t, centred=self.intercept)]
        for index, moment in blocks:
            target = signed[index][:, :, None] * signed[index][:, None, :]
            if signs is None:  # products of different signs are 0 on average
                target = target * np.eye(index.shape[1])
            values[index], power[index] = block_spectrum(moment, np.sqrt(values[index]), target)
        return values, power


@checked
def additive_overlap(d: Array, rho: Array, d_v: int) -> float:
    """Return E[(d . [z_v; z_t])^2] - |d|^2."""
    return 2 * float(rho @ (d[: rho.size] * d[d_v : d_v + rho.size]))


@checked
def bilinear_overlap(matrix: Array, rho: Array) -> float:
    """Return Var(z_v^T D z_t) - |D|^2."""
    block = matrix[: rho.size, : rho.size]
    return float(rho @ (block * block.T) @ rho)


@checked
def bilinear_mean(matrix: Array, rho: Array) -> float:
    """Return E[z_v^T D z_t]."""
    return float(rho @ np.diagonal(matrix)[: rho.size])


def _checked_correlation(given: ArrayLike, size: int) -> Array:
    rho = non_negative_array("correlation", given, (0, 1))
    if rho.max() > 1:
        raise InputError(f"correlation must be at most 1 everywhere, got {rho.max():g}")
    if rho.ndim and rho.size != size:
        raise InputError(
            f"correlation must have one value per pair of coordinates, {size}, got {rho.size}"
        )
    return np.array(np.broadcast_to(rho, size))


def _checked_signs(name: str, given: ArrayLike, power: Array) -> Array:
    signs = finite_array(name, given, power.ndim)
    if signs.shape != power.shape:
        raise InputError(f"{name} must have the power's shape {power.shape}, got {signs.shape}")
    wrong = signs[(np.abs(signs) != 1) & ((signs != 0) | (power > 0))]
    if wrong.size:
        raise InputError(f"{name} must be +1 or -1 (0 only where the power is), got {wrong[0]:g}")
    return signs
