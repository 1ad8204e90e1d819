r"""The law of leverage: which training pairs count for less, and where predictions vary more.

Level 2 of the theory takes the leverage of a sample to be a number. For pairs it is not: long
features, or features along few strong directions, have more of it. With the features phi of a
pair, training weights omega and the mean resolvent G, the leave-one-out argument says

    G = (n E[phi phi^T omega] + 1)^{-1},      omega = 1 / (ridge + phi^T G phi),              (1)
    X = G (Sigma + n E[phi phi^T Y omega^2]) G,   Y = phi^T X phi,                            (2)

omega how much a pair counts in training, Y how much predictions vary at a pair. Were phi^T G phi
a number, omega would be 1 / (n kappa) and (2) the factor 1 / (1 - gamma). Here both are solved
over a sample of pairs, with G and X diagonal and alike within cells of products of similar
eigenvalues: the leverage then needs the power of a pair in each cell alone. Derivation:
``docs/score_law.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fusiontheory.constraints import checked, shaped
from fusiontheory.typing import Array, Floats

__all__ = ["LeverageLaw", "PairPowers"]


# Blocks of eigenvalues of one modality, of equal width in the logarithm.
_BLOCKS = 8
# Eigenvalues below this share of the largest are rounding.
_NOTHING = 1e-12
# Eigenvalues below this share of the largest are in the last block.
_SMALLEST = 1e-6
_ROUNDS = 100
# Relative change of a weight at which the fixed point is reached.
_CONVERGED = 1e-4
# Times what one step gives; beyond it the response is rounding.
_MOST_RESPONSE = 1e12
# Pairs of each class over which the fixed point is sought; all pairs get their weights.
_SEEKING = 1024


@checked
@dataclass(frozen=True, eq=False)
class PairPowers:
    """Power of pairs in cells of features with similar eigenvalues.

    Attributes:
        powers: sum of squared features of each cell, shape (2, n, cells): matched, mismatched.
        counts: number of features in each cell, shape (cells,).
        ridge: ridge of each pair from the orders that act as ridge, over its mean, (2, n).
    """

    powers: Array
    counts: Array
    ridge: Array

    @classmethod
    def of_pairs(
        cls,
        image: Floats,
        text: Floats,
        partner: NDArray[np.intp],
        values: tuple[Array, Array],
        orders: Mapping[tuple[int, int], float],
        lengths: tuple[Array, Array] | None,
    ) -> PairPowers:
        """Return the powers under the orders up to the second of a kernel.

        Args:
            image: features in the eigenbasis of M_v, shape (n, d_v).
            text: features in the eigenbasis of M_t, shape (n, d_t).
            partner: whose text makes the mismatched pair of an image, shape (n,).
            values: eigenvalues of M_v and of M_t.
            orders: k_ab by (a, b) of k_ab (v.v')^a (t.t')^b.
            lengths: |v|^2 and |t|^2, shapes (n,), where the kernel grows as |x| |x'|, x = [v; t],
                so that order a + b comes with (|x| |x'|)^(1 - a - b) in units of the mean of
                |x|^2; None where it does not.

        Example:
            >>> x = np.random.default_rng(0).standard_normal((1000, 4))
            >>> shift = np.roll(np.arange(1000), 1)
            >>> flat = np.ones(4), np.ones(4)
            >>> found = PairPowers.of_pairs(x, x, shift, flat, {(1, 1): 1.0}, None)
            >>> found.counts, found.powers.mean(axis=(0, 1)).round() + 0.0
            (array([16.]), array([20.]))
        """
        (rows_v, count_v), (rows_t, count_t) = (
            _by_block(x, own) for x, own in zip((image, text), values, strict=True)
        )
        squared = np.ones((2, len(image)))
        if lengths is not None:
            squared = np.array([lengths[0] + own for own in (lengths[1], lengths[1][partner])])
            squared /= squared.mean()
        counts: list[Array] = []
        powers: list[list[Array]] = [[], []]
        alone = {(1, 0): (rows_v, count_v), (0, 1): (rows_t, count_t)}
        for order, k in orders.items():
            for y, texts in enumerate((rows_t, rows_t[partner])):
                if order in alone:
                    cell = rows_v if order == (1, 0) else texts
                elif order == (1, 1):
                    cell = _outer(rows_v, texts) / squared[y, :, None]
                elif order in ((2, 0), (0, 2)):
                    own, count = (rows_v, count_v) if order == (2, 0) else (texts, count_t)
                    cell = _own_products(own, count) / squared[y, :, None]
                else:
                    break
                powers[y].append(k * cell)
            else:
                if order in alone:
                    counts.append(alone[order][1])
                elif order == (1, 1):
                    counts.append(np.outer(count_v, count_t).ravel())
                else:
                    counts.append(_own_counts(count_v if order == (2, 0) else count_t))
        stacked = np.array([np.hstack(parts) for parts in powers])
        used = stacked.mean(axis=(0, 1)) > 0
        return cls(stacked[..., used], np.concatenate(counts)[used], squared)

    @cached_property
    def _mean(self) -> Array:
        """The mean power of a feature of each cell."""
        return np.asarray(self.powers.mean(axis=(0, 1)) / self.counts)

    @cached_property
    def _few(self) -> Array:
        """The pairs over which the fixed point is sought, of both classes."""
        return self.powers[:, :_SEEKING].reshape(-1, self.counts.size)

    def law(
        self, kappa: float, n: float, degrees: float, gamma: float, varying: float
    ) -> LeverageLaw | None:
        """Solve (1) and (2) at one effective ridge.

        Args:
            kappa: effective ridge above 0, of Level 2.
            n: training pairs.
            degrees: sum_i L_i of Level 2, of all features.
            gamma: sum_i L_i^2 / n.
            varying: share of the ridge that is ``ridge`` and not the same for all pairs.

        Returns:
            None where (2) has no solution: at an interpolation peak without ridge.
        """
        mean, few = self._mean, self._few
        flat = mean / (mean + kappa)
        # Cells stand for their eigenvalues up to factors, which Level 2 knows.
        first = degrees / float(self.counts @ flat)
        second = gamma * n / float(self.counts @ flat**2)
        # ridge / kappa = n - sum L.
        left = max(n - degrees, 0.0) * (1 - varying + varying * self.ridge)
        seen = left[:, :_SEEKING].ravel()
        damped = mean
        for _ in range(_ROUNDS):
            weight = n / (seen + first * (few @ (1 / (kappa + damped))))
            means = few.T @ weight / (len(few) * self.counts)
            change = float(np.max(np.abs(means - damped) / damped))
            damped = means
            if change < _CONVERGED:
                break
        resolvent = 1 / (kappa + damped)
        weight = n / (seen + first * (few @ resolvent))
        weighted = few * weight[:, None]
        coupling = weighted.T @ weighted / (len(few) * self.counts[:, None])
        squared = second * resolvent**2
        system = np.eye(damped.size) - squared[:, None] * coupling / n
        first_order = squared * mean
        try:
            response = np.linalg.solve(system, first_order)
        except np.linalg.LinAlgError:
            return None
        # At a peak the system is singular, and what rounding leaves of it decides.
        if not np.all((response >= 0) & (response < _MOST_RESPONSE * first_order.max())):
            return None
        return LeverageLaw(
            weight=n / (left + first * (self.powers @ resolvent)),
            influence=self.powers @ response / n,
        )


@checked(influence=shaped(1, 1))
@dataclass(frozen=True, eq=False)
class LeverageLaw:
    """What (1) and (2) say of each pair, shapes (2, n): matched and mismatched.

    Attributes:
        weight: omega, how much the pair counts in training, 1 if leverage were a number.
        influence: Y; the variance of predictions at a pair is Y' times the mean over
            training pairs of (residual x weight)^2 Y / E[Y], Y' that of the pair.
    """

    weight: Array
    influence: Array

    def variance(self, squared_residual: Array) -> Array:
        """Return the variance over training sets of the prediction at each pair.

        Args:
            squared_residual: of the mean predictor at each pair, shape (2, n).
        """
        mean = float(self.influence.mean())
        moved = float(np.mean(squared_residual * self.weight**2 * self.influence))
        return np.asarray(moved * self.influence / mean)


def _by_block(rows: Floats, values: Array) -> tuple[Array, Array]:
    """Return sums of squares over blocks of eigenvalues, (n, blocks), and block sizes.

    Directions without variance, as those of padding, are in no block.
    """
    varies = values > values.max() * _NOTHING
    if not varies.all():
        rows, values = rows[:, varies], values[varies]
    logarithm = np.log(np.maximum(values, values.max() * _SMALLEST))
    width = max(float(np.ptp(logarithm)), 1e-9) / _BLOCKS
    block = np.minimum((logarithm.max() - logarithm) / width, _BLOCKS - 1).astype(np.intp)
    member = np.equal.outer(block, np.unique(block)).astype(rows.dtype)
    return np.asarray(rows**2 @ member, dtype=np.float64), member.sum(axis=0).astype(np.float64)


def _outer(left: Array, right: Array) -> Array:
    return np.asarray((left[:, :, None] * right[:, None, :]).reshape(len(left), -1))


def _own_products(rows: Array, counts: Array) -> Array:
    """Return the power of v_i v_j, i <= j, less its mean, by pairs of blocks.

    v_i v_j and v_j v_i are one feature of twice the power; v_i^2 has the mean lambda_i, which the
    intercept takes.
    """
    i, j = np.triu_indices(rows.shape[1])
    product = rows[:, i] * rows[:, j]
    mean = rows.mean(axis=0) / counts
    same = i == j
    product[:, ~same] *= 2
    product[:, same] += counts * mean**2 - 2 * mean * rows
    return np.maximum(product, 0.0)


def _own_counts(counts: Array) -> Array:
    i, j = np.triu_indices(counts.size)
    return np.asarray(np.where(i == j, counts[i] * (counts[i] + 1) / 2, counts[i] * counts[j]))
