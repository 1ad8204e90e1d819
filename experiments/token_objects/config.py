"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.token_attention import Config as Tokens
from experiments.token_attention import Drawn
from fusiontheory.typing import Array

__all__ = ["POPULATIONS", "Config", "TokenObjects"]


@dataclass(frozen=True)
class TokenObjects:
    r"""Images whose tokens each show an object, and captions that name one of these objects.

    With prototypes p_k and words w_k of unit length, k = 1 .. K, drawn once, an object k_a for each
    token and a place J at random, and e standard normal,

        x_a = p_{k_a} + noise e_a / sqrt(d),    t = w_{k_J} + noise e / sqrt(d).

    A caption of another image may by chance name an object that is shown.

    Attributes:
        tokens: m.
        objects: K.
        d: dimension of tokens and of texts.
        noise: length of the noise.
        vocabulary: seed of prototypes and words.
    """

    tokens: int
    objects: int
    d: int = 16
    noise: float = 0.7
    vocabulary: int = 0

    def draw(self, n: int, seed: int) -> tuple[Array, Array]:
        """Return tokens (n, m, d) and texts (n, d) of n matched pairs.

        >>> [x.shape for x in TokenObjects(6, 24).draw(10, seed=0)]
        [(10, 6, 16), (10, 16)]
        """
        known = np.random.default_rng(self.vocabulary)
        sides = known.standard_normal((2, self.objects, self.d))
        prototypes, words = sides / np.linalg.norm(sides, axis=-1, keepdims=True)
        rng = np.random.default_rng(seed)
        shown = rng.integers(self.objects, size=(n, self.tokens))
        named = shown[np.arange(n), rng.integers(self.tokens, size=n)]
        spread = self.noise / np.sqrt(self.d)
        tokens = prototypes[shown] + spread * rng.standard_normal((n, self.tokens, self.d))
        return tokens, words[named] + spread * rng.standard_normal((n, self.d))


POPULATIONS = {
    "6 tokens of 24 objects": TokenObjects(6, 24),
    "9 tokens of 60 objects": TokenObjects(9, 60),
}


@dataclass(frozen=True)
class Config(Tokens):
    """Settings of `experiments.token_attention` on these populations."""

    trained: tuple[str, ...] = ()
    entropy: int = 17_0008

    @property
    def populations(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(POPULATIONS)

    def draw(self, population: str, seed: int) -> Drawn:
        """Return the images of a seed; no image is in two of its splits."""
        counts = np.cumsum(self.images)
        number = 1000 * seed + list(POPULATIONS).index(population)
        tokens, text = POPULATIONS[population].draw(int(counts[-1]), self.entropy + number)
        rows = np.split(np.arange(counts[-1]), counts[:-1])
        return Drawn(tokens, text[:, None], *rows)
