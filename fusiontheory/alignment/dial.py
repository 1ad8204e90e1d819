r"""Alignment as a dial: the same encoders, from unaligned to contrastively aligned features.

With x the features of one modality, less their mean over the *align* images and at unit norm:

    W_s = (1 - s) P + s c W,    z = W_s x / ||W_s x||,    feature = (z - m) / ||z - m||

P pads with zeros to a common dimension, so that image and text have a dot product at strength 0
and kernels do not change; W is the modality's contrastive head, c gives P and W the same
root-mean-square norm, m is the mean of z, all fitted on the align images and no other.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.alignment.contrastive import ALIGN, ContrastiveHeads, less_mean
from fusiontheory.checks import InputError, non_negative
from fusiontheory.constraints import checked
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.typing import AnyArray, Array

__all__ = ["align"]


@checked
def align(features: FeatureSet, heads: ContrastiveHeads | None, strength: float) -> FeatureSet:
    """Return the features at one strength of alignment; the equations are those of the module.

    Strength 0 gives the unaligned features, centred and at unit norm: the heads do not count,
    nor in the fingerprint. Strength 1 gives the contrastive features.

    Args:
        features: with align images, over which means and norms are taken.
        heads: trained on these features; None is enough at strength 0.
        strength: s in [0, 1].

    Returns:
        Image (n, d) and text (n, captions, d) at unit norm, d the largest of d_v, d_t and the
        dimension of the heads; ids and splits as they were; a fingerprint of all three arguments.

    Raises:
        InputError: if the strength is outside [0, 1], heads are missing or do not fit, there are
            no align images, or a vector becomes zero.

    >>> features = FeatureSet(np.eye(3), np.eye(3)[:, :2] + 0.5, split=["align"] * 3)
    >>> align(features, None, 0.0).text.shape
    (3, 1, 3)
    """
    strength = non_negative("strength", strength)
    if strength > 1:
        raise InputError(
            f"strength must be from 0 (unaligned) to 1 (trained heads), got {strength}"
        )
    if strength == 0:
        heads = None
    elif heads is None:
        raise InputError(f"heads must be given at a strength above 0, got None at {strength}")
    rows = features.rows(ALIGN)
    dimension = max(features.image.shape[-1], features.text.shape[-1])
    if heads is not None:
        dimension = max(dimension, len(heads.image))
    moved = {}
    for name in ("image", "text"):
        x: AnyArray = getattr(features, name)
        head = None if heads is None else getattr(heads, name)
        unit = less_mean(name, x, x[rows])
        dial = _dial(name, unit[rows], head, strength, dimension)
        z = normalise(unit @ dial.T, f"aligned {name}")
        moved[name] = less_mean(f"aligned {name}", z, z[rows]).astype(np.float32)
    recipe = [None if heads is None else heads.fingerprint, strength]
    return features.derived(moved["image"], moved["text"], recipe)


def _dial(name: str, x: Array, head: ArrayLike | None, strength: float, dimension: int) -> Array:
    """Return W_s = (1 - s) P + s c W, of shape (dimension, columns of x); x are the align rows."""
    identity = np.eye(dimension, x.shape[-1])
    if head is None:
        return identity
    trained = np.zeros(identity.shape)
    weights = np.asarray(head, dtype=np.float64)
    if weights.shape[1] != x.shape[-1]:
        raise InputError(
            f"heads must fit the {name} dimension {x.shape[-1]}, got shape {weights.shape}"
        )
    trained[: len(weights)] = weights
    # The rows of x have unit norm, and so has their image under the identity.
    size = math.sqrt(float(np.mean(np.sum((x @ weights.T) ** 2, axis=-1))))
    if size == 0:
        raise InputError(f"heads must not map all {name} vectors to zero")
    return (1 - strength) * identity + strength / size * trained
