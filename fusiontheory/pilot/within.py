"""Risk at any size within the pilot's reach, for every ridge, from one eigendecomposition.

Bias plus noise, B, depends on the effective regularisation kappa alone, and leave-one-out on the
pilot shows it at every kappa. At another size n the same kappa belongs to another ridge:

    B(kappa) = LOO(kappa) (1 - df2 / (n0 - 1))
    R(n, kappa) = B(kappa) / (1 - df2 / (n - 1)) (1 + 1/n) / (1 + 1/n0)
    delta(n, kappa) = kappa (n - df1)

(the last with delta and kappa in the units of the kernel matrix). It holds for kappa down to the
pilot's own smallest: for all n below n0, and for larger n at ridges that keep kappa there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, sample_sizes
from fusiontheory.constraints import checked, positive
from fusiontheory.pilot.spectrum import PilotSpectrum
from fusiontheory.typing import Array

__all__ = ["WithinReach", "group_blocks", "leave_out_errors"]


@checked
def group_blocks(groups: ArrayLike | None, items: int) -> list[NDArray[np.intp]] | None:
    """Return the rows of each group of two or more items; None where there is none.

    Raises:
        InputError: if there is not one group an item, or fewer than 5 groups.
    """
    if groups is None:
        return None
    names = np.asarray(groups)
    if names.shape != (items,):
        raise InputError(
            f"groups must name one group for each of {items} items, got shape {names.shape}"
        )
    _, codes = np.unique(
        names.astype(str) if names.dtype.kind == "O" else names, return_inverse=True
    )
    counts = np.bincount(codes)
    if len(counts) < 5:
        raise InputError(
            f"groups must be at least 5, got {len(counts)}: to leave one out would leave too little"
        )
    order = np.argsort(codes, kind="stable")
    blocks = np.split(order, np.cumsum(counts)[:-1])
    blocks = [block for block in blocks if len(block) > 1]
    return blocks or None


@checked
def leave_out_errors(
    spectrum: PilotSpectrum,
    targets: Array,
    ridges: Array,
    blocks: list[NDArray[np.intp]] | None = None,
) -> Array:
    r"""Return y - f of fits that left the item (or its whole group) out.

    .. math::
        e_a = r_a / (1 - h_a), \quad r = U (s \cdot U^T Y), \quad 1 - h_a = \sum_i U_{ai}^2 s_i

    and for a group g of items e_g = (I - H_gg)^{-1} r_g. The intercept is refitted too. 1 - h_a is
    a sum of positive terms, exact however small, and never clipped.

    Args:
        spectrum: of the pilot's kernel matrix.
        targets: (n0, c).
        ridges: (k,) > 0, in the units of the kernel matrix.
        blocks: rows of the groups of several items.

    Returns:
        (k, n0, c).

    Source: Allen (1974); Golub, Heath & Wahba (1979).

    Example:
        >>> x, y = np.array([[0.0], [1.0], [3.0]]), np.array([[0.0], [1.0], [2.0]])
        >>> errors = leave_out_errors(PilotSpectrum.from_kernel(x @ x.T), y, np.array([1e9]))
        >>> errors.ravel().round(3)  # a large ridge leaves the mean of the others
        array([-1.5,  0. ,  1.5])
    """
    u = spectrum.vectors
    power = u.T @ (targets - targets.mean(0))
    s = spectrum.shrinkage(ridges)
    leverage = s @ (u**2).T
    columns = (s[:, :, None] * power).transpose(1, 0, 2).reshape(len(power), -1)
    residuals = (u @ columns).reshape(len(u), len(ridges), -1).transpose(1, 0, 2)
    errors: Array = residuals / leverage[:, :, None]
    for block in blocks or ():
        part = u[block]
        matrices = np.einsum("ai,ki,bi->kab", part, s, part, optimize=True)
        errors[:, block] = np.linalg.solve(matrices, residuals[:, block])
    return errors


@checked(items=positive, kappa=positive)
@dataclass(frozen=True, eq=False)
class WithinReach:
    """Bias plus noise of a head at every kappa of the pilot, and the risks that follow.

    Attributes:
        items: n0.
        kappa: (k,) falling.
        df1, df2: (k,) degrees of freedom at n0.
        level: (k,) B(kappa), in units of the label's variance.
        leave_out: (k,) leave-one-out risk at n0, same units.
        ridges: (k,) ridges of the grid at n0.

    Source: Wei, Hu & Steinhardt, arXiv:2203.06176; Simon et al., arXiv:2110.03922.
    """

    items: int
    kappa: Array
    df1: Array
    df2: Array
    level: Array
    leave_out: Array
    ridges: Array

    @classmethod
    def from_errors(cls, spectrum: PilotSpectrum, errors: Array, variance: float) -> WithinReach:
        """Measure B from leave-one-out errors (k, n0, c) at the spectrum's grid of ridges."""
        keep = spectrum.believable(spectrum.ridges)
        ridges = spectrum.ridges[keep]
        kappa, df1, df2, _ = spectrum.freedom(ridges)
        leave_out = (errors[keep] ** 2).sum(2).mean(1) / variance
        level = leave_out * (1 - df2 / len(spectrum.values))
        return cls(spectrum.items, kappa, df1, df2, level, leave_out, ridges)

    def risks(self, n: float) -> tuple[Array, Array]:
        """Return risk and ridge at every kappa of the pilot for n items.

        The risk is in units of the label's variance, infinite where n cannot have that kappa.
        """
        size = max(float(n), 2.0)
        room = 1 - self.df2 / (size - 1)
        ridge = self.kappa * (size - self.df1)
        possible = (room > 0) & (ridge > 0)
        intercept = (1 + 1 / size) / (1 + 1 / self.items)
        with np.errstate(divide="ignore", invalid="ignore"):
            risk = np.where(possible, self.level / room * intercept, np.inf)
        return risk, np.where(possible, ridge, np.nan)

    def best(self, sizes: ArrayLike) -> tuple[Array, Array]:
        """Return the least risk over ridges and the ridge that has it, for each size.

        Where a size can have no kappa of the pilot, the risk is infinite and the ridge NaN.

        Raises:
            InputError: if a size is below 1 or not finite.
        """
        n = sample_sizes("sizes", sizes)
        least = np.empty((2, n.size))
        for k, size in enumerate(n):
            risk, ridge = self.risks(size)
            best = int(np.argmin(risk))
            least[:, k] = risk[best], ridge[best]
        return least[0], least[1]

    def at_ridge(self, sizes: ArrayLike, ridge: float) -> Array:
        """Return the risk at each size for one ridge; NaN where its kappa is beyond reach.

        Raises:
            InputError: if a size is below 1 or not finite.
        """
        n = sample_sizes("sizes", sizes)
        risks = np.full(n.size, np.nan)
        for k, size in enumerate(n):
            risk, ridges = self.risks(size)
            usable = np.isfinite(risk)
            x, y = np.log(ridges[usable][::-1]), risk[usable][::-1]
            if x.size and x[0] <= np.log(ridge) <= x[-1]:
                risks[k] = np.interp(np.log(ridge), x, y)
            elif x.size and np.log(ridge) > x[-1]:
                risks[k] = y[-1]
        return risks
