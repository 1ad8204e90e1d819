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
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusiontheory.checks import ValidityWarning
from fusiontheory.constraints import checked
from fusiontheory.moments.gaussian import GaussianPairs
from fusiontheory.moments.paired import Moments
from fusiontheory.moments.sample import SampledPairs
from fusiontheory.signal import MINIMUM_IMAGES

__all__ = ["Centred", "centred"]

_Array: TypeAlias = NDArray[np.float64]

# Standard errors above 0 from where a mean is known, as for `fusiontheory.signal.ritz`.
_CLEAR = 3.0
# Share of the second moment below which a mean moves accuracies by at most 0.1 points.
_LEAST = 0.01
# Below this share of the second moment nothing is left of the features but rounding.
_CONSTANT = 1e-9


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

    def joint_eigenvalues(self, image: float, text: float) -> _Array:
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
    pairs, found = moments.pairs, None
    if isinstance(pairs, GaussianPairs):
        found = _of_gaussian(pairs)
    elif isinstance(pairs, SampledPairs):
        found = _of_sample(pairs)
    return Centred(moments, 0.0, 0.0) if found is None else found


def _of_gaussian(pairs: GaussianPairs) -> Centred | None:
    mean_v, mean_t = pairs.image_mean, pairs.text_mean
    means = [(float(mean_v @ mean_v), pairs.image), (float(mean_t @ mean_t), pairs.text)]
    if all(power <= _LEAST * values.sum() for power, values in means):
        return None
    image, text = (
        np.diag(values) - np.outer(mean, mean)
        for values, mean in ((pairs.image, mean_v), (pairs.text, mean_t))
    )
    moments = Moments.from_second_moments(image, text, pairs.cross)
    return Centred(moments, float(mean_v @ mean_v), float(mean_t @ mean_t))


def _of_sample(pairs: SampledPairs) -> Centred | None:
    if len(pairs.image) < MINIMUM_IMAGES:
        return None
    rows = pairs.image, pairs.text.mean(axis=1)
    powers = [
        trace * _mean_power(np.asarray(x, dtype=np.float64))
        for trace, x in zip(pairs.traces, rows, strict=True)
    ]
    if not any(powers):
        return None
    roots = np.sqrt(pairs.traces)
    image = roots[0] * pairs.image.astype(np.float64)
    text = roots[1] * pairs.text.astype(np.float64)
    # In the coordinates of the image, in which v.t is defined.
    text = text if pairs.turn is None else text @ pairs.turn.T
    with warnings.catch_warnings():
        # Few images were warned of when the moments were made.
        warnings.simplefilter("ignore", ValidityWarning)
        centre = image.mean(axis=0), text.mean(axis=(0, 1))
        moments = Moments.of_checked(image - centre[0], text - centre[1])
        assert isinstance(moments.pairs, SampledPairs)
        lengths = (image**2).sum(axis=1), (text**2).sum(axis=2)
        kept = replace(moments, pairs=replace(moments.pairs, squared_lengths=lengths))
        noisy = kept.with_noise(image=pairs.noise[0], text=pairs.noise[1])
    return Centred(noisy if any(pairs.noise) else kept, *powers)


def _mean_power(rows: _Array) -> float:
    """Return |E x|^2 without bias; 0 where noise may be all of it, or all else is rounding."""
    mean = rows.mean(axis=0)
    covariance = np.cov(rows, rowvar=False).reshape(mean.size, mean.size)
    spread = float(np.trace(covariance))
    found = float(mean @ mean) - spread / len(rows)
    error = np.sqrt(2 * np.sum(covariance**2)) / len(rows)
    constant = spread <= _CONSTANT * float(mean @ mean)
    known = found > max(_CLEAR * error, _LEAST * (found + spread))
    return found if known and not constant else 0.0
