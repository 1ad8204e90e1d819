r"""The features of softmax attention, to first order in its logits.

A text t asks the m tokens x_a of an image. With logits l_a = x_a . u, u = A t, the answer is

    sum_a p_a x_a,   p_a = exp(l_a) / sum_b exp(l_b) = (1/m) (1 + l_a - mean_b l_b + ...),
    answer = mean_a x_a + Cov_a(x) A t + ...,       Cov_a(x) = mean_a (x_a - x)(x_a - x)^T.

So a read-out that is linear in the answer has the features Cov_a(x) (x) t (and the mean alone), and
one that multiplies answer and query has mean (x) t and Cov_a(x) (x) t t^T. Derivation and signals:
``docs/tokens.md``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked, instead, ragged
from fusiontheory.data import checked_mask, checked_tokens
from fusiontheory.typing import Array

__all__ = [
    "IMAGE_ORDERS",
    "TEXT_ORDERS",
    "first_order_answer",
    "query_pair",
    "symmetric_vector",
    "token_covariance",
    "token_mean",
]


# Bytes of an image block in double precision.
_BLOCK_BYTES = 2**26


@checked(tokens=instead(ragged))
def token_mean(tokens: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Return mean_a x_a, what flat attention answers, shape (n, d).

    Args:
        tokens: (n, m, d).
        mask: (n, m), true where a token counts; needed where images have different numbers.

    Raises:
        InputError: as `fusiontheory.data.checked_tokens` does.

    Example:
        >>> token_mean([[[1.0], [3.0]]], [[True, False]])
        array([[1.]])
    """
    checked = checked_tokens(tokens, mask)
    weights = _weights(checked.shape, mask)
    n, m, d = checked.shape
    mean = np.empty((n, d))
    step = max(_BLOCK_BYTES // (8 * d * m), 1)
    for start in range(0, n, step):
        block = slice(start, start + step)
        np.einsum("nm,nmd->nd", weights[block], checked[block], dtype=np.float64, out=mean[block])
    return mean


@checked(tokens=instead(ragged))
def token_covariance(tokens: ArrayLike, mask: ArrayLike | None = None) -> Array:
    """Return Cov_a(x), how an image's tokens differ, as `symmetric_vector`, (n, d (d + 1)/2).

    Images are taken in blocks of bounded memory, however many tokens there are.

    Args:
        tokens: (n, m, d).
        mask: (n, m), true where a token counts; needed where images have different numbers.

    Raises:
        InputError: as `fusiontheory.data.checked_tokens` does.

    Example:
        >>> token_covariance([[[1.0, 0.0], [3.0, 0.0]]])
        array([[1., 0., 0.]])
    """
    checked = checked_tokens(tokens, mask)
    weights = _weights(checked.shape, mask)
    n, m, d = checked.shape
    covariances = np.empty((n, d * (d + 1) // 2))
    step = max(_BLOCK_BYTES // (8 * d * (2 * m + d)), 1)
    for start in range(0, n, step):
        x = checked[start : start + step].astype(np.float64)
        w = weights[start : start + step]
        x -= np.einsum("nm,nmd->nd", w, x)[:, None]
        covariance = np.matmul((w[..., None] * x).swapaxes(1, 2), x)
        covariances[start : start + step] = symmetric_vector(covariance)
    return covariances


@checked
def query_pair(text: ArrayLike) -> Array:
    """Return t t^T as `symmetric_vector`, shape (..., p (p + 1)/2).

    Args:
        text: (..., p), of one to three axes.

    Raises:
        InputError: if it is not finite.

    Example:
        >>> query_pair([1.0, 2.0]).round(3)
        array([1.   , 2.828, 4.   ])
    """
    t = finite_array("text", text, (1, 2, 3))
    return symmetric_vector(t[..., :, None] * t[..., None, :])


@checked
def symmetric_vector(matrix: ArrayLike) -> Array:
    """Return a symmetric matrix as a vector with the same inner products, (..., d (d + 1)/2).

    Entries above the diagonal count twice in tr(S S'), so that they are taken times sqrt(2).

    Args:
        matrix: (..., d, d), symmetric; its upper half is read.

    Raises:
        InputError: if it is not square.

    Example:
        >>> symmetric_vector([[1.0, 2.0], [2.0, 3.0]]).round(3)
        array([1.   , 2.828, 3.   ])
    """
    square = np.asarray(matrix, dtype=np.float64)
    if square.ndim < 2 or square.shape[-1] != square.shape[-2]:
        raise InputError(f"matrix must be square in its last axes, got shape {square.shape}")
    rows, columns = np.triu_indices(square.shape[-1])
    vector: Array = square[..., rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0))
    return vector


@checked(tokens=instead(ragged))
def first_order_answer(
    tokens: ArrayLike, direction: ArrayLike, mask: ArrayLike | None = None
) -> Array:
    """Return mean_a x_a + Cov_a(x) u, attention's answer to first order in its logits, (n, d).

    What is left out is of second order in the logits x_a . u. The tests hold it against softmax
    attention.

    Args:
        tokens: (n, m, d).
        direction: u = A t of each image's query, (n, d).
        mask: (n, m), true where a token counts.

    Raises:
        InputError: as `fusiontheory.data.checked_tokens` does, and for another shape of u.

    Example:
        >>> first_order_answer([[[1.0], [-1.0]]], [[0.1]])
        array([[0.1]])
    """
    checked = checked_tokens(tokens, mask).astype(np.float64)
    u = finite_array("direction", direction, 2)
    if u.shape != (checked.shape[0], checked.shape[2]):
        raise InputError(
            f"direction must have shape {(checked.shape[0], checked.shape[2])}, one for each"
            f" image, got {u.shape}"
        )
    weights = _weights(checked.shape, mask)
    mean = np.einsum("nm,nmd->nd", weights, checked)
    centred = checked - mean[:, None]
    logits = np.einsum("nmd,nd->nm", centred, u)
    return np.asarray(mean + np.einsum("nm,nm,nmd->nd", weights, logits, centred))


def _weights(shape: tuple[int, ...], mask: ArrayLike | None) -> Array:
    """Return 1/m for each token that counts, m of them in its image."""
    if mask is None:
        return np.full(shape[:2], 1.0 / shape[1])
    present = checked_mask(mask, shape)
    return np.asarray(present / present.sum(axis=1, keepdims=True))


def _query(text: ArrayLike) -> Array:
    return finite_array("text", text, (2, 3))


IMAGE_ORDERS: dict[str, Callable[[ArrayLike, ArrayLike | None], Array]] = {
    "mean": token_mean,
    "covariance": token_covariance,
}
"""What of an image a head reads, by name: (tokens, mask) -> vectors."""

TEXT_ORDERS: dict[str, Callable[[ArrayLike], Array]] = {"query": _query, "pair": query_pair}
"""What of a text a head reads: t, or t t^T."""
