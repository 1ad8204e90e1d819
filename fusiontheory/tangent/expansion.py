r"""A kernel on pairs as a sum of simple blocks, and what matching looks like to that sum.

    K(x, x') = a_0 + h(x) + h(x') + sum_k a_k B_k(x, x') + remainder where x = x',   a_k >= 0

over the blocks of ``BLOCKS``. Each a_k B_k is a positive semidefinite kernel with known
eigenvalues. The coefficients of the products (all blocks but ``image`` and ``text``) are fitted to
the off-diagonal entries of K and of the blocks, both projected off every linear function of v
and t: a network's linear part v^T A v' has its own A, its entries are far larger than those of
the products, and it has no signal. Then those of ``image`` and ``text`` are fitted to what is
left, less the row effects a_0 + h(x) + h(x'), which a free intercept absorbs. What the products
leave of the projected diagonal acts as ridge.

For a kernel of u = (v.v' + t.t')/2 the coefficients are those of its Taylor series
(`fusiontheory.heads.registry`); here no formula of the kernel is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusiontheory.checks import InputError, finite_array, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.matching import (
    FunctionSignal,
    KernelSignal,
    MatchingModel,
    NoSignal,
    Signal,
    Terms,
)
from fusiontheory.moments import Moments
from fusiontheory.risk import Spectrum, self_product_eigenvalues
from fusiontheory.tangent.block_regression import (
    GROUPS,
    linear_axes,
    significant_weights,
    without_axes,
    without_row_effects,
)
from fusiontheory.tangent.coordinates import CoordinateMoments
from fusiontheory.tangent.random_metric import MatchedMetric, joined
from fusiontheory.typing import AnyArray, Array

__all__ = ["BLOCKS", "EXACT", "KernelExpansion", "expand_kernel", "expansion_model"]


ALL_TERMS = Terms()
# Product r^2 from which the blocks' own spectra are better than those of a sample.
EXACT = 0.8
_MOST_PAIRS = 2000  # i < j of so many are 2e6 entries


def _dot(image: AnyArray, text: AnyArray) -> AnyArray:
    score: AnyArray = np.einsum("nd,nd->n", image, text)
    return np.outer(score, score)


def _hadamard(image: AnyArray, text: AnyArray) -> AnyArray:
    product = image * text
    gram: AnyArray = product @ product.T
    return gram


# Each block as a Gram matrix (n, n) of image (n, d_v) and text (n, d_t).
BLOCKS: dict[str, Callable[[AnyArray, AnyArray], AnyArray]] = {
    "image": lambda v, t: v @ v.T,
    "text": lambda v, t: t @ t.T,
    "image_square": lambda v, t: (v @ v.T) ** 2,
    "text_square": lambda v, t: (t @ t.T) ** 2,
    "cross": lambda v, t: (v @ v.T) * (t @ t.T),
    "dot_product": _dot,
    "hadamard": _hadamard,
}
_COORDINATE = ("dot_product", "hadamard")
# Blocks that are (v.v')^a (t.t')^b, by (a, b).
_ORDERS = {
    (1, 0): "image",
    (0, 1): "text",
    (2, 0): "image_square",
    (0, 2): "text_square",
    (1, 1): "cross",
}
_LINEAR = ("image", "text")


@checked
@dataclass(frozen=True, eq=False)
class KernelExpansion:
    """Coefficients of the blocks of a kernel.

    Attributes:
        coefficients: a_k by the names of ``BLOCKS``, at least 0; blocks that were not fitted
            have 0, and so do those within two standard errors of it.
        errors: standard errors of a_k before that, from the choice of pairs.
        constant: a_0, any sign.
        remainder: mean diagonal of the kernel less that of the products, both projected, for
            each direction that the projection leaves; at least 0.
        diagonal: mean diagonal of the kernel.
        r_squared: share of the variance of the off-diagonal entries that the blocks explain,
            after what an intercept absorbs.
        product_r_squared: the same after projection off all linear functions of v and t, of
            the products alone: low where the kernel has its own metric on v (x) t.
        residual: root mean square of what they do not, in the units of the kernel.
        product_eigenvalues: of the projected kernel matrix, one for each direction that the
            projection leaves; None where there is no matrix.

    Example:
        >>> KernelExpansion({"cross": 1.0}, remainder=0.1)["image"]
        0.0
    """

    coefficients: dict[str, float] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    constant: float = 0.0
    remainder: float = 0.0
    diagonal: float = 0.0
    r_squared: float = 1.0
    product_r_squared: float = 1.0
    residual: float = 0.0
    product_eigenvalues: Array | None = field(default=None, repr=False)

    def __getitem__(self, block: str) -> float:
        """Return the coefficient of a block, 0 if it was not fitted."""
        return self.coefficients.get(block, 0.0)

    @property
    def exact(self) -> bool:
        """Whether the blocks' own spectra and inner products are those of the kernel."""
        return self.product_eigenvalues is None or self.product_r_squared >= EXACT


@checked
def expand_kernel(
    kernel: ArrayLike,
    image: ArrayLike,
    text: ArrayLike,
    *,
    blocks: tuple[str, ...] | None = None,
    seed: int = 0,
) -> KernelExpansion:
    """Fit the blocks' coefficients to the off-diagonal entries of a kernel matrix.

    Non-negative least squares over i < j. Of more than 2000 pairs that many are drawn. The pairs
    should be drawn as those to be learned from, but share no image and no text.

    Args:
        kernel: symmetric kernel matrix, shape (n, n), n at least 20.
        image: image features of its pairs, shape (n, d_v).
        text: text features, shape (n, d_t).
        blocks: names of ``BLOCKS``; all that the dimensions allow if None. ``dot_product`` and
            ``hadamard`` need d_v = d_t.
        seed: of the draw of pairs.

    Raises:
        InputError: for shapes that do not match, a kernel that is not symmetric, fewer than 20
            pairs, and blocks that there are not.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> v, t = rng.standard_normal((2, 100, 5))
        >>> kernel = 3 + 2 * (v @ v.T) * (t @ t.T) + 0.5 * np.eye(100)
        >>> expansion = expand_kernel(kernel, v, t)
        >>> round(expansion["cross"], 6), round(expansion.constant, 6)
        (2.0, 3.0)
        >>> round(expansion.remainder, 6)
        0.5
    """
    gram, v, t = _checked(kernel, image, text)
    names = _chosen(blocks, v.shape[1], t.shape[1])
    if len(gram) > _MOST_PAIRS:
        rows = np.random.default_rng(seed).choice(len(gram), _MOST_PAIRS, replace=False)
        gram, v, t = gram[np.ix_(rows, rows)], v[rows], t[rows]
    group = np.random.default_rng(seed).permutation(len(gram)) % GROUPS
    products = tuple(name for name in names if name not in _LINEAR)
    linear = tuple(name for name in names if name in _LINEAR)
    axes = linear_axes(v, t)
    made = {name: BLOCKS[name](v, t) for name in names}
    free = 1 - axes.shape[1] / len(gram)  # mean diagonal of I - P
    first = _fit({name: made[name] for name in products}, gram, group, axes)
    rest = gram - sum((first.weights[name] * made[name] for name in products), np.zeros(()))
    second = _fit({name: made[name] for name in linear}, rest, group, None)
    weights = {name: {**first.weights, **second.weights}[name] for name in names}
    mean, centred = without_row_effects(gram)
    total = _mean_square(centred)
    fitted = sum((weights[name] * made[name] for name in names), np.zeros_like(gram))
    left = _mean_square(without_row_effects(gram - fitted)[1])
    return KernelExpansion(
        coefficients=weights,
        errors={name: {**first.errors, **second.errors}[name] for name in names},
        constant=without_row_effects(gram - fitted)[0],
        remainder=max(first.diagonal / free, 0.0),
        diagonal=float(np.trace(gram)) / len(gram),
        r_squared=1 - left / total if total > (1e-10 * mean) ** 2 else 1.0,
        product_r_squared=first.r_squared,
        residual=left**0.5,
        product_eigenvalues=np.asarray(
            np.linalg.eigvalsh(without_axes(gram, axes))[axes.shape[1] :], dtype=np.float64
        ),
    )


@dataclass(frozen=True)
class _Fit:
    """Weights and errors by block, what they leave of the mean diagonal, and their r^2."""

    weights: dict[str, float]
    errors: dict[str, float]
    diagonal: float
    r_squared: float


def _fit(
    blocks: dict[str, Array], kernel: Array, group: NDArray[np.intp], axes: Array | None
) -> _Fit:
    """Fit blocks to a kernel, both without the linear axes or, without these, row effects."""
    row, column = np.triu_indices(len(kernel), 1)
    matrices = {**blocks, "kernel": kernel}
    if axes is not None:
        # A ridge, projected, is no longer diagonal.
        matrices = {**blocks, "ridge": np.eye(len(kernel)), "kernel": kernel}
    entries = np.empty((row.size, len(matrices)))
    diagonals = np.empty(len(matrices))
    for index, matrix in enumerate(matrices.values()):
        changed = without_row_effects(matrix)[1] if axes is None else without_axes(matrix, axes)
        entries[:, index] = changed[row, column]
        # Of the projected matrices; otherwise the scale below which entries are rounding.
        diagonals[index] = np.trace(matrix if axes is None else changed) / len(matrix)
    weights, errors = significant_weights(entries, diagonals, group[row], group[column])
    left = float(np.mean((entries[:, -1] - entries[:, :-1] @ weights) ** 2))
    total = float(np.mean(entries[:, -1] ** 2))
    count = len(blocks)
    return _Fit(
        weights=dict(zip(blocks, weights[:count].tolist(), strict=True)),
        errors=dict(zip(blocks, errors[:count].tolist(), strict=True)),
        diagonal=float(diagonals[-1] - weights[:count] @ diagonals[:count]),
        r_squared=1 - left / total if total > (1e-10 * diagonals[-1]) ** 2 else 1.0,
    )


def _mean_square(matrix: Array) -> float:
    """Mean square of the entries off the diagonal."""
    n = len(matrix)
    return float((matrix**2).sum() - (np.diag(matrix) ** 2).sum()) / (n * (n - 1))


@checked
def expansion_model(
    expansion: KernelExpansion,
    moments: Moments,
    terms: Terms = ALL_TERMS,
    coordinates: CoordinateMoments | None = None,
) -> MatchingModel:
    """Return what matching looks like to a kernel with these blocks.

    | block | eigenvalues | signal |
    |---|---|---|
    | image, text | of the second moment of [sqrt(a_v) v; sqrt(a_t) t] | none |
    | squares | 2 a lambda_i lambda_j, i <= j (Gaussian) | none |
    | cross | a lambda_v,i lambda_t,j | `Moments.matching_signal` at kappa / a |
    | dot product, Hadamard | of a covariance of v * t | `CoordinateMoments.signal` |

    The last two raise the prior variance of some directions of v (x) t above that of the cross
    block; their signal and the cross block's are combined by the Rayleigh-Ritz method over
    both, which bounds the true one from below. The remainder is ridge.

    Where the products explain less than ``EXACT`` of the projected kernel, as for a network at
    one initialisation, the kernel has a metric of its own on them: their effective ridge and
    their spectrum are then read off the eigenvalues of the kernel matrix (`MatchedMetric`).

    Args:
        expansion: of the kernel.
        moments: of the features to learn from.
        terms: ``lanczos_steps`` and ``self_blocks``; third and fourth order are not in the blocks.
        coordinates: moments of v * t, from the same features. Without them the blocks dot
            product and Hadamard are left out, and their diagonal is ridge.

    Raises:
        InputError: if no block has a coefficient above 0, or the dimensions differ.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> v = rng.standard_normal((300, 4))
        >>> moments = Moments.from_features(v, v + rng.standard_normal((300, 4)))
        >>> model = expansion_model(KernelExpansion({"cross": 2.0}), moments)
        >>> model.spectrum.size, model.ridge
        (16, 0.0)
    """
    lambda_v, lambda_t = moments.image_eigenvalues, moments.text_eigenvalues
    cross, dot, hadamard = (expansion[name] for name in ("cross", *_COORDINATE))
    linear = _linear_eigenvalues(moments, expansion["image"], expansion["text"])
    products = [
        expansion["image_square"] * self_product_eigenvalues(lambda_v),
        expansion["text_square"] * self_product_eigenvalues(lambda_t),
        cross * np.outer(lambda_v, lambda_t).ravel(),
    ]
    ridge = expansion.remainder
    if coordinates is None:
        ridge += _coordinate_diagonal(moments, dot, hadamard)
    elif dot or hadamard:
        products.append(coordinates.eigenvalues(dot, hadamard))
    signal = _product_signal(expansion, moments, terms, coordinates)
    both = np.concatenate([linear, *products])
    if not both.any():
        raise InputError("expansion must have a block with a coefficient above 0, got none")
    values, sample = np.concatenate(products), expansion.product_eigenvalues
    if sample is None or expansion.exact or not values.any():
        return MatchingModel(Spectrum.from_eigenvalues(both), ridge, signal)
    metric = MatchedMetric.from_sample(sample, Spectrum.from_eigenvalues(values), ridge)
    spectrum = metric.spectrum
    if linear.any():
        spectrum = joined(spectrum, Spectrum.from_eigenvalues(linear))
    own = FunctionSignal(
        lambda kappa: metric.signal(kappa, signal),
        lambda kappa: signal.error(metric.effective_ridge(kappa)),
    )
    return MatchingModel(spectrum, metric.ridge, own)


def _product_signal(
    expansion: KernelExpansion,
    moments: Moments,
    terms: Terms,
    coordinates: CoordinateMoments | None,
) -> Signal:
    """Return the signal of all product blocks."""
    cross, dot, hadamard = (expansion[name] for name in ("cross", *_COORDINATE))
    bilinear: Signal = NoSignal()
    if cross:
        orders = {order: expansion[name] for order, name in _ORDERS.items() if expansion[name]}
        # A kernel with its own metric on the products has its own inner products, too.
        functions = terms.functions if expansion.exact else ()
        bilinear = KernelSignal(moments, orders, terms.lanczos_steps, functions)
    if coordinates is None or not (dot or hadamard):
        return bilinear
    tied = coordinates
    return FunctionSignal(
        lambda kappa: tied.signal(kappa, bilinear, cross, dot, hadamard),
        lambda kappa: np.maximum(
            bilinear.error(kappa), tied.signal_error(kappa, cross, dot, hadamard)
        ),
    )


def _checked(kernel: ArrayLike, image: ArrayLike, text: ArrayLike) -> tuple[Array, Array, Array]:
    gram = finite_array("kernel", kernel, 2)
    v, t = finite_array("image", image, 2), finite_array("text", text, 2)
    n = len(gram)
    positive_integer("number of pairs", n, minimum=20)
    if gram.shape != (n, n) or len(v) != n or len(t) != n:
        raise InputError(
            "kernel must be (n, n) and image and text have n rows,"
            f" got {gram.shape}, {v.shape} and {t.shape}"
        )
    largest = float(np.abs(gram).max())
    skew = float(np.abs(gram - gram.T).max())
    if skew > 1e-4 * largest:
        raise InputError(f"kernel must be symmetric, got a difference of {skew:g} to its transpose")
    return gram, v, t


def _chosen(blocks: tuple[str, ...] | None, d_v: int, d_t: int) -> tuple[str, ...]:
    possible = tuple(name for name in BLOCKS if d_v == d_t or name not in _COORDINATE)
    if blocks is None:
        return possible
    unknown = [name for name in blocks if name not in possible]
    if unknown or not blocks:
        got = unknown[0] if unknown else "none"
        raise InputError(
            f"blocks must be among {', '.join(possible)} at d_v = {d_v}, d_t = {d_t}, got {got}"
        )
    return tuple(dict.fromkeys(blocks))


def _linear_eigenvalues(moments: Moments, image: float, text: float) -> Array:
    """Eigenvalues of the second moment of [sqrt(a_v) v; sqrt(a_t) t] over balanced pairs."""
    d_v, _ = moments.dimensions
    # Those of the sample: with others its cross-covariance need not be possible.
    own_v, own_t = moments.pairs.eigenvalues
    joint = np.diag(np.concatenate([image * own_v, text * own_t]))
    coupling = np.sqrt(image * text) * moments.cross / 2
    joint[:d_v, d_v:], joint[d_v:, :d_v] = coupling, coupling.T
    return np.clip(np.linalg.eigvalsh(joint), 0.0, None)


def _coordinate_diagonal(moments: Moments, dot: float, hadamard: float) -> float:
    """Mean diagonal of both blocks: E[(v.t)^2], and at most that of the bilinear features."""
    d_v, _ = moments.dimensions
    power = 0.0
    if moments.dot_product is not None:
        scores = moments.dot_product
        power = (scores.matched_variance + scores.mismatched_variance) / 2
        power += scores.difference**2 / 2
    trace = float(moments.image_eigenvalues.sum() * moments.text_eigenvalues.sum())
    return dot * power + hadamard * trace / d_v
