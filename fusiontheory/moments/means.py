r"""Features with means: what a head's kernel is on the features less their means.

Write v = m + x and t = l + y, m and l the means. With u_0 = (|m|^2 + |l|^2)/2 a kernel on pairs is,
up to what an intercept absorbs, a sum of orders of the centred features alone,

    product:  (v.v') (t.t')  =  ... + |l|^2 x.x' + |m|^2 y.y' + (x.x') (y.y'),
    tangent:  K(u)           =  ... + K'(u_0) w + K''(u_0) w^2 / 2 + ...,    w = (x.x' + y.y') / 2.

Left out are terms in which x has a component along m or y along l (of relative size m.x / |m|^2,
next to nothing at unit norm, where m.x hardly varies). Derivation: ``docs/means.md``.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fusiontheory.checks import ValidityWarning
from fusiontheory.constraints import checked
from fusiontheory.moments.paired import Moments
from fusiontheory.moments.source import PairSource
from fusiontheory.typing import Array

__all__ = ["Centred", "centred"]


@checked
@dataclass(frozen=True, eq=False)
class Centred:
    """The moments of features less their means, and the squared lengths of the means.

    Attributes:
        moments: of v - E v and t - E t; as given where neither mean is clear of noise.
        image: |E v|^2 without bias; 0 where it is not 3 standard errors above 0, or below a
            hundredth of E|v|^2.
        text: |E t|^2.
    """

    moments: Moments
    image: float
    text: float

    @property
    def power(self) -> float:
        """Return (E|v|^2 + E|t|^2)/2, means included."""
        return self.spread + (self.image + self.text) / 2

    @property
    def spread(self) -> float:
        """Return (E|x|^2 + E|y|^2)/2, without the means."""
        image, text = self.moments.image_eigenvalues, self.moments.text_eigenvalues
        return float(image.sum() + text.sum()) / 2

    @property
    def cosine(self) -> float:
        """Return u_0 over the mean power, the cosine of two unrelated pairs."""
        return (self.image + self.text) / 2 / self.power

    def joint_eigenvalues(self, image: float, text: float) -> Array:
        """Return eigenvalues of the second moment of [sqrt(image) x; sqrt(text) y], balanced pairs.

        Half the pairs are matched, so that C / 2 couples the blocks. Shape (d_v + d_t,).
        """
        (values_v, values_t), d_v = self.moments.pairs.eigenvalues, len(self.moments.cross)
        joint = np.diag(np.concatenate([image * values_v, text * values_t]))
        joint[:d_v, d_v:] = np.sqrt(image * text) * self.moments.cross / 2
        joint[d_v:, :d_v] = joint[:d_v, d_v:].T
        # Sampling noise and rounding can push the smallest ones below 0.
        return np.clip(np.linalg.eigvalsh(joint), 0.0, None)


@checked
@lru_cache(maxsize=8)
def centred(moments: Moments) -> Centred:
    """Return the moments less the means of the features; kept for the next calls.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((500, 4))
        >>> found = centred(Moments.from_features(x + 2.0, x))
        >>> round(found.image), found.text
        (16, 0.0)
        >>> float(found.moments.image_eigenvalues.sum().round())
        4.0
    """
    powers = moments.pairs.mean_powers()
    if not any(powers):
        return Centred(moments, 0.0, 0.0)
    features = moments.pairs.features(noise=False)
    if features is None:
        return Centred(_of_distribution(moments), *powers)
    return Centred(_of_features(moments.pairs, *features), *powers)


def _of_distribution(moments: Moments) -> Moments:
    """Return the moments of a distribution less its means."""
    pairs = moments.pairs
    image, text = (
        np.diag(values) - np.outer(mean, mean)
        for values, mean in zip(pairs.eigenvalues, pairs.means, strict=True)
    )
    return Moments.from_second_moments(image, text, moments.cross)


def _of_features(pairs: PairSource, image: Array, text: Array) -> Moments:
    """Return the moments of features less their means, with the noise and lengths of the pairs."""
    # In the coordinates of the image, in which v.t is defined.
    text = text if pairs.turn is None else text @ pairs.turn.T
    centred_image, centred_text = image - image.mean(axis=0), text - text.mean(axis=(0, 1))
    with warnings.catch_warnings():
        # Few images were warned of when the moments were made.
        warnings.simplefilter("ignore", ValidityWarning)
        lengths = (image**2).sum(axis=1), (text**2).sum(axis=2)
        moments = Moments.of_checked(centred_image, centred_text, lengths)
        sigma_v, sigma_t = pairs.noise
        return moments.with_noise(image=sigma_v, text=sigma_t) if any(pairs.noise) else moments
