r"""Training pairs that share an image or a text: what that changes in a predicted curve.

`matching_curve` takes training pairs as independent. Drawn from few images they are not: an
image is in matched and in mismatched pairs, of opposite labels, and what a head learns of it alone
is the same in all of them. Leave-one-out for whole sets of pairs that share something has, in place
of one pair's ridge and leverage, the matrix over pairs

    M = ridge I + sum_B (rho_B + h_B) B,     h_B = kappa_B sum L,     Omega = M^{-1},

over the features of the image alone, of the text alone and of both, B the matrix that says what of
these features two pairs have in common: 1 on the diagonal, 1 for the same image or text, a share w
for two captions of one image. Then, with e = y - b and the intercept b that has 1^T Omega e = 0,

    1 / kappa_B = tr(B Omega),                                                                  (1)
    m = theta q/4 / (1 + theta q/4),     theta = kappa_x e^T Omega e,     q at kappa_x,         (2)
    c_B = kappa_B^2 (sum L^2) tr(B Omega R Omega),   R = (1 - m)^2 e e^T + s X + sum_B c_B B,   (3)

x the features of both and X their B. Without sharing every B is I, (1) is the effective ridge and
sum c = gamma risk. The traces are taken over a few small sets of pairs, drawn as training pairs are
with as many pairs per image. Derivation and limits: ``docs/score_law.md``.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import SeedSequence
from scipy.interpolate import PchipInterpolator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr, ndtri

from fusiontheory.checks import ValidityWarning
from fusiontheory.constraints import between, checked
from fusiontheory.data import Pairs, draw_pairs, most_pairs
from fusiontheory.matching.model import MatchingModel, ScoreShift, SharedBlock
from fusiontheory.risk import effective_ridge
from fusiontheory.typing import Array

__all__ = ["SharedPairs", "sharing_shift"]


# Pairs of one drawn set, and of all sets for one n: a shift is known within about 3 percent.
_SET = 128
_PAIRS = 8192
_SEED = 0
_LEAST_IMAGES = 8
# Images per pair from which pairs are taken as independent: half a percent share anything.
_MANY = 100
_ROUNDS = 200
# Relative change of kappa at which (1) is solved.
_CONVERGED = 1e-5


@checked
@dataclass(frozen=True, eq=False)
class SharedPairs:
    """Who shares what in sets of training pairs; arrays (sets, pairs, pairs) of 0 and 1.

    Attributes:
        label: +-1, shape (sets, pairs).
        image: the same image.
        text: the same text.
        captions: two texts of one image.
    """

    label: Array
    image: Array
    text: Array
    captions: Array

    @classmethod
    def independent(cls) -> SharedPairs:
        """Return two pairs that share nothing."""
        nothing = np.zeros((1, 2, 2))
        return cls(np.array([[1.0, -1.0]]), np.eye(2)[None], np.eye(2)[None], nothing)

    @classmethod
    @checked(captions=between(1, 1000))
    def drawn(cls, n: float, images: float, captions: int) -> SharedPairs:
        """Return sets of pairs with as many pairs per image as n pairs of ``images`` images.

        Example:
            >>> pairs = SharedPairs.drawn(100, images=100, captions=1)
            >>> share = (pairs.image.sum(axis=2) > 1).mean()
            >>> bool(0.5 < share < 0.6)  # 0.55: the image is in other pairs, too
            True
            >>> float(pairs.text.sum(axis=2).max())
            1.0
        """
        if images > _MANY * n:
            return cls.independent()
        # Few images to a set would round their number.
        size = 2 * int(min(n, max(_SET, _LEAST_IMAGES * n / images)) // 2)
        few = max(round(images * size / n), -(-size // (2 * captions)), 2)
        seeds = SeedSequence(_SEED).spawn(max(_PAIRS // size, 1))
        return cls.of([draw_pairs(np.arange(few), captions, size, seed) for seed in seeds])

    @classmethod
    def of(cls, sets: list[Pairs]) -> SharedPairs:
        """Return who shares what in sets of equally many pairs."""
        image, text, caption = (
            np.array([getattr(pairs, name) for pairs in sets])
            for name in ("image", "text", "caption")
        )
        owner = text[:, :, None] == text[:, None, :]
        same = owner & (caption[:, :, None] == caption[:, None, :])
        return cls(
            label=np.array([pairs.label for pairs in sets]),
            image=(image[:, :, None] == image[:, None, :]).astype(np.float64),
            text=same.astype(np.float64),
            captions=(owner & ~same).astype(np.float64),
        )

    @classmethod
    @lru_cache(maxsize=64)
    def packed(
        cls, n: float, images: float, captions: int, kinds: frozenset[tuple[bool, bool]]
    ) -> tuple[SharedPairs, ...]:
        """Return the pairs of `drawn` that hang together as sets of their own, by size of the set.

        Pairs of different sets share nothing, so that all sums over pairs are those over the sets:
        most have one to five pairs, whose matrices cost next to nothing.

        Args:
            n: number of training pairs.
            images: of images.
            captions: texts of each.
            kinds: (of_image, of_text) of the blocks through which pairs hang together.

        Example:
            >>> groups = SharedPairs.packed(100, 100, 1, frozenset({(True, False)}))
            >>> [group.label.shape[1] for group in groups][:3]
            [1, 2, 3]
            >>> sum(group.label.size for group in groups)
            8100
        """
        return cls.drawn(n, images, captions)._apart(kinds)

    def _apart(self, kinds: frozenset[tuple[bool, bool]]) -> tuple[SharedPairs, ...]:
        texts = self.text + self.captions
        linked = np.zeros(self.image.shape, dtype=np.bool_)
        for of_image, of_text in kinds:
            shared = (self.image if of_image else 1.0) * (texts if of_text else 1.0)
            linked |= np.asarray(shared) > 0
        sets, size = self.label.shape
        which, row, column = np.nonzero(linked)
        graph = coo_array(
            (np.ones(which.size), (which * size + row, which * size + column)),
            shape=(sets * size, sets * size),
        )
        _, member = connected_components(graph, directed=False)
        order = np.argsort(member, kind="stable")
        each = np.bincount(member)[member[order]]
        groups = []
        for width in np.unique(each):
            rows = order[each == width].reshape(-1, width)
            first, inside = rows[:, 0] // size, rows % size
            at = first[:, None, None], inside[:, :, None], inside[:, None, :]
            parts = (x[at] for x in (self.image, self.text, self.captions))
            groups.append(SharedPairs(self.label[first[:, None], inside], *parts))
        return tuple(groups)

    def common(self, block: SharedBlock, likeness: float) -> Array:
        """Return B of a block, for texts of one image with ``likeness`` in common."""
        if not block.of_text:
            return self.image
        texts = self.text + likeness * self.captions
        return np.asarray(texts * self.image if block.of_image else texts)

    def shares(self, block: SharedBlock) -> bool:
        """Return whether any two pairs share features of a block."""
        return float(self.common(block, 1.0).sum()) > self.label.size


@checked
def sharing_shift(
    model: MatchingModel, n: Array, ridge: float, images: Array, captions: int
) -> ScoreShift:
    """Return by how much shared images and texts move Phi^{-1}(accuracy), and the risk's factor.

    Found at powers of 2 and interpolated between them. 0 and 1 for heads
    without ``shared`` blocks.

    Args:
        model: the head's.
        n: numbers of training pairs, shape (sizes,), each at most `most_pairs`.
        ridge: delta of K + delta I.
        images: numbers of training images, shape (sizes,).
        captions: texts of each image.

    Warns:
        ValidityWarning: where (1) or (3) has no solution, as at an interpolation peak; there pairs
            are taken as independent.

    Example:
        >>> from fusiontheory.curves import find_model
        >>> from fusiontheory.matching import Terms
        >>> from fusiontheory.moments import Moments
        >>> flat = np.eye(16) / 16
        >>> moments = Moments.from_second_moments(flat, flat, 0.7 * flat)
        >>> model = find_model("concat-mlp")(moments, Terms(score_law=False))
        >>> n = np.array([256.0])
        >>> few, many = (sharing_shift(model, n, 0.1, n * k, 1).shift[0] for k in (1, 50))
        >>> print(f"{few:.2f} {abs(many):.2f}")
        0.03 0.00
    """
    shift, risk = np.zeros_like(n), np.ones_like(n)
    if model.sharing.blocks:
        for number in np.unique(images):
            most = float(most_pairs(int(number), captions))
            known: dict[float, tuple[float, float]] = {}
            for row in np.flatnonzero(images == number):
                knots = _knots(float(n[row]), most)
                for x in knots:
                    if x not in known:
                        known[x] = _moved(model, x, ridge, float(number), captions)
                shift[row], risk[row] = _between(float(n[row]), knots, [known[x] for x in knots])
    return ScoreShift(shift=shift, error=np.zeros_like(n), risk=risk)


def _knots(n: float, most: float) -> list[float]:
    """Return n if it is a power of 2, else the two powers at each side, none above ``most``."""
    place = int(np.floor(np.log2(n)))
    if 2.0**place == n:
        return [n]
    return sorted({min(2.0 ** max(place + step, 1), most) for step in (-1, 0, 1, 2)})


def _between(
    n: float, knots: list[float], values: list[tuple[float, float]]
) -> tuple[float, float]:
    lost = [x for x, value in zip(knots, values, strict=True) if np.isnan(value[0])]
    if lost:
        warnings.warn(
            f"what shared images change has no solution at n = {lost[0]:g}; pairs are taken as"
            " independent there",
            ValidityWarning,
            stacklevel=4,
        )
    known = np.nan_to_num(values, nan=0.0)
    known[np.isnan(values).any(axis=1), 1] = 1.0
    if len(knots) == 1:
        return float(known[0, 0]), float(known[0, 1])
    shift, risk = PchipInterpolator(np.log(knots), known)(np.log(n))
    return float(shift), float(risk)


def _moved(
    model: MatchingModel, n: float, ridge: float, images: float, captions: int
) -> tuple[float, float]:
    """Return the shift and the risk's factor at one n; NaN without a solution."""
    kinds = frozenset((block.of_image, block.of_text) for block in model.sharing.blocks)
    if captions == 1 and kinds == {(True, True)}:
        # A text's matched pair and its mismatched one have different images.
        return 0.0, 1.0
    groups = SharedPairs.packed(n, images, captions, kinds)
    if not any(pairs.shares(block) for block in model.sharing.blocks for pairs in groups):
        return 0.0, 1.0
    alone = shared_scores(model, (SharedPairs.independent(),), n, ridge)
    shared = shared_scores(model, groups, n, ridge)
    if alone is None or shared is None:
        return np.nan, np.nan
    return shared[0] - alone[0], shared[1] / alone[1]


@dataclass(frozen=True, eq=False)
class _Solution:
    """Of (1): kappa of each block, (blocks,), and of each group of sets their B and Omega.

    Attributes:
        kappa: of each block.
        common: B by group and block, (sets, pairs, pairs) each.
        omega: by group.
        scale: n over the number of pairs in all groups.
    """

    kappa: Array
    common: list[list[Array]]
    omega: list[Array]
    scale: float


def _solved(
    model: MatchingModel, groups: tuple[SharedPairs, ...], n: float, ridge: float
) -> _Solution | None:
    start = effective_ridge(model.spectrum, n, ridge + model.ridge)
    if not start > 0:
        return None
    # How much of each block two texts of one image share hardly depends on kappa.
    blocks = model.sharing.blocks
    likeness = [block.likeness(start) for block in blocks]
    common = [
        [pairs.common(block, alike) for block, alike in zip(blocks, likeness, strict=True)]
        for pairs in groups
    ]
    fixed = [
        ridge * np.eye(pairs.label.shape[1])
        + sum(block.ridge * pairs.common(block, block.ridge_likeness) for block in blocks)
        for pairs in groups
    ]
    scale = n / sum(pairs.label.size for pairs in groups)
    kappa = np.full(len(blocks), start)
    for _ in range(_ROUNDS):
        held = kappa * _degrees(model, kappa)
        omega, traces = [], np.zeros(len(blocks))
        for own, shared in zip(fixed, common, strict=True):
            matrix = own + sum(level * x for level, x in zip(held, shared, strict=True))
            omega.append(np.asarray(np.linalg.inv(matrix), dtype=np.float64))
            traces += [np.vdot(x, omega[-1]) for x in shared]
        if not np.all(traces > 0):
            return None
        solution = 1 / (scale * traces)
        change = np.max(np.abs(np.log(solution / kappa)))
        kappa = solution
        if change < _CONVERGED:
            return _Solution(kappa, common, omega, scale)
    return None


def _degrees(model: MatchingModel, kappa: Array) -> Array:
    """Return the sum of L over each block's eigenvalues."""
    blocks = zip(model.sharing.blocks, kappa, strict=True)
    return np.array([float(block.spectrum.degrees(level)) for block, level in blocks])


def _squared_degrees(model: MatchingModel, kappa: Array) -> Array:
    """Return the sum of L^2 over each block's eigenvalues."""
    blocks = zip(model.sharing.blocks, kappa, strict=True)
    return np.array([float(block.spectrum.squared_degrees(level)) for block, level in blocks])


@checked
def shared_scores(
    model: MatchingModel, groups: tuple[SharedPairs, ...], n: float, ridge: float
) -> tuple[float, float] | None:
    """Return Phi^{-1}(accuracy) and risk under normal scores; None without a solution."""
    at = _solved(model, groups, n, ridge)
    if at is None:
        return None
    level = at.kappa[-1]
    labels = [pairs.label for pairs in groups]
    pull, whole = (
        [np.einsum("spq,sq->sp", omega, x) for omega, x in zip(at.omega, sides, strict=True)]
        for sides in (labels, [np.ones_like(label) for label in labels])
    )
    b = float(sum(x.sum() for x in pull) / sum(x.sum() for x in whole))
    residual = [x - b * y for x, y in zip(pull, whole, strict=True)]  # Omega e
    seen = sum(float(np.vdot(y - b, x)) for y, x in zip(labels, residual, strict=True))
    theta = level * at.scale * seen
    q, slope = (float(x[0]) for x in model.signal(np.array([level])))
    a = 1 / (1 + theta * q / 4)
    mean, moved = 1 - a, a * b
    within = (theta * a) ** 2 / 4 * max(q + slope, 0.0)
    varied = _variance(model, at, a, residual, within)
    if varied is None or not within + varied > 0:
        return None
    spread = np.sqrt(within + varied)
    # The threshold is off by the intercept that larger groups of one label leave.
    accuracy = (ndtr((mean + moved) / spread) + ndtr((mean - moved) / spread)) / 2
    return float(ndtri(accuracy)), a**2 + within + varied + moved**2


def _variance(
    model: MatchingModel, at: _Solution, a: float, residual: list[Array], within: float
) -> float | None:
    """Return the sum of the c_B of (3), what predictors of different training sets vary by."""
    size = at.kappa.size
    traces, labels = np.zeros((size, size)), np.zeros(size)
    for shared, omega, own in zip(at.common, at.omega, residual, strict=True):
        turned = [x @ omega for x in shared]
        traces += [[np.vdot(one, other.transpose(0, 2, 1)) for other in turned] for one in turned]
        labels += [np.vdot(own, np.einsum("spq,sq->sp", x, own)) for x in shared]
    gain = at.scale * at.kappa**2 * _squared_degrees(model, at.kappa)
    system = np.eye(size) - gain[:, None] * traces
    try:
        varied = np.linalg.solve(system, gain * (a**2 * labels + within * traces[:, -1]))
    except np.linalg.LinAlgError:
        return None
    if not np.all(np.isfinite(varied)) or varied.min() < 0:
        return None
    return float(varied.sum())
