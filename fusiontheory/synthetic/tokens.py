"""Pairs of a text and an image of several tokens, one of which matches, with a dial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.constraints import checked, in_memory
from fusiontheory.synthetic.rotations import random_rotation, unit_interval
from fusiontheory.tokens import symmetric_vector
from fusiontheory.typing import Array

__all__ = ["TokenPairs"]


@checked
@dataclass(frozen=True)
class TokenPairs:
    r"""A text t and m tokens of its image; one token, at a place drawn at random, is about t.

    With t = L g, L^2 = diag(lambda), lambda_i proportional to i^-exponent with trace 1, a rotation
    Q that is drawn once, and e_a standard normal of their own,

        x_a = Q L (r_a g + sqrt(1 - r_a^2) e_a),    r_J = rho at the place J,
        r_a = -balance rho / (m - 1) at the other m - 1.

    The dial: at balance 0 the other tokens know nothing of the text, and the mean token has
    rho / m of it; at balance 1 they lean the other way, the mean token is independent of the text,
    and without attending to one token nothing can be learned. Each token and each text has the
    same law in every pair.

    Attributes:
        d: dimension of tokens and texts.
        tokens: m, at least 2.
        correlation: rho in [0, 1].
        balance: in [0, 1].
        exponent: of the spectrum, at least 0.
        rotation: seed of Q.

    Raises:
        InputError: for a setting outside its range.

    Example:
        >>> tokens, text = TokenPairs(d=16, tokens=4).draw(10, seed=0)
        >>> tokens.shape, text.shape
        ((10, 4, 16), (10, 16))
    """

    d: int = 16
    tokens: int = 4
    correlation: float = 0.9
    balance: float = 0.0
    exponent: float = 0.5
    rotation: int = 0

    def __post_init__(self) -> None:
        """Check every setting."""
        positive_integer("d", self.d)
        positive_integer("tokens", self.tokens, minimum=2)
        positive_integer("rotation", self.rotation, minimum=0)
        unit_interval("correlation", self.correlation)
        unit_interval("balance", self.balance)
        non_negative("exponent", self.exponent)

    @property
    def eigenvalues(self) -> Array:
        """lambda, of the second moment of the text and of each token, (d,)."""
        values = np.arange(1.0, self.d + 1) ** -self.exponent
        return np.asarray(values / values.sum())

    @property
    def shares(self) -> tuple[float, float]:
        """r_a of the token that matches, and of each other one."""
        return self.correlation, -self.balance * self.correlation / (self.tokens - 1)

    @property
    def turn(self) -> Array:
        """Q, from text to token coordinates, (d, d)."""
        return random_rotation(self.d, np.random.default_rng(self.rotation))

    # Four arrays of tokens are held at once.
    @checked(together=in_memory("n", lambda of: 4 * of["n"] * of["self"].tokens * of["self"].d))
    def draw(self, n: int, seed: int) -> tuple[Array, Array]:
        """Return tokens (n, m, d) and texts (n, d) of n matched pairs.

        Args:
            n: number of pairs.
            seed: of all of them.

        Raises:
            InputError: for fewer than 1 pair.
        """
        count = positive_integer("n", n)
        rng = np.random.default_rng(positive_integer("seed", seed, minimum=0))
        g = rng.standard_normal((count, self.d))
        own = rng.standard_normal((count, self.tokens, self.d))
        matching, other = self.shares
        r = np.full((count, self.tokens, 1), other)
        r[np.arange(count), rng.integers(self.tokens, size=count)] = matching
        z = r * g[:, None] + np.sqrt(1 - r**2) * own
        root = np.sqrt(self.eigenvalues)
        return (z * root) @ self.turn.T, g * root

    def cross_covariance(
        self, image: Literal["mean", "covariance"], text: Literal["query", "pair"]
    ) -> Array:
        r"""Return the signal of an order, Cov of the image's and the text's part, in closed form.

        Mean and query: ((rho - balance rho)/m) S, S = Q diag(lambda). Covariance and pair: V times
        the matrix of S (x) S over symmetric pairs twice, V the variance of r_a over an image's
        tokens. The other two are 0: third moments of variables whose law given J is Gaussian.

        Args:
            image: name in `fusiontheory.tokens.IMAGE_ORDERS`.
            text: name in `fusiontheory.tokens.TEXT_ORDERS`.

        Returns:
            A row for each image feature, a column for each text feature.

        Raises:
            InputError: for another order.

        Example:
            >>> pairs = TokenPairs(d=2, balance=1.0)
            >>> bool(np.allclose(pairs.cross_covariance("mean", "query"), 0))
            True
            >>> bool(np.any(pairs.cross_covariance("covariance", "pair")))
            True
        """
        sizes = {"mean": self.d, "covariance": self.d * (self.d + 1) // 2}
        columns = {"query": self.d, "pair": self.d * (self.d + 1) // 2}
        if image not in sizes or text not in columns:
            raise InputError(
                f"image and text must be orders, {' or '.join(sizes)} and"
                f" {' or '.join(columns)}, got {image!r} and {text!r}"
            )
        signal = self.turn * self.eigenvalues
        matching, other = self.shares
        mean = (matching + (self.tokens - 1) * other) / self.tokens
        if (image, text) == ("mean", "query"):
            return np.asarray(mean * signal)
        if (image, text) != ("covariance", "pair"):
            return np.zeros((sizes[image], columns[text]))
        square = (matching**2 + (self.tokens - 1) * other**2) / self.tokens
        # Isserlis: Cov(h_k h_l, t_i t_j) = S_ki S_lj + S_kj S_li, h = Q L g.
        product = np.einsum("ki,lj->klij", signal, signal)
        both = product + product.swapaxes(2, 3)
        rows = symmetric_vector(np.moveaxis(both, (0, 1), (2, 3)))
        return np.asarray((square - mean**2) * symmetric_vector(np.moveaxis(rows, 2, 0)))
