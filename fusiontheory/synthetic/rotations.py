r"""Rotations with a dial: from the identity to a random one, at a known trace.

For even d the family is Q = a I + sqrt(1 - a^2) J with J a random complex structure (orthogonal
and antisymmetric, J^2 = -I): the geodesic exp(theta J) at cos theta = a. The diagonal of J is 0, so
that every diagonal entry of Q is a. For odd d one axis n = (+-1, ..., +-1)/sqrt(d) stays in place;
every diagonal entry is again a, with cos theta = (a d - 1)/(d - 1).

A constant diagonal is what makes the dial exact: with C = D Q^T, D diagonal, tr C = a sum_i D_ii
whatever D, hence whatever the spectra and canonical correlations.
"""

from __future__ import annotations

import numpy as np

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.typing import Array

__all__ = ["aligned_rotation", "random_rotation", "unit_interval"]


@checked
def random_rotation(d: int, rng: np.random.Generator) -> Array:
    """Return an orthogonal matrix drawn from the Haar measure, shape (d, d).

    Source: Mezzadri, "How to generate random matrices from the classical compact groups" (2007).

    Example:
        >>> q = random_rotation(3, np.random.default_rng(0))
        >>> bool(np.allclose(q @ q.T, np.eye(3)))
        True
    """
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    rotation: Array = q * np.sign(np.diagonal(r))
    return rotation


@checked
def aligned_rotation(d: int, alignment: float, seed: int) -> Array:
    """Return a rotation Q all of whose diagonal entries are ``alignment``, shape (d, d).

    Args:
        d: dimension; a single one cannot be turned.
        alignment: a in [0, 1]; 1 gives the identity, 0 a random rotation of trace 0.
        seed: of the direction in which to turn.

    Raises:
        InputError: for an alignment outside [0, 1], or below 1 at d = 1.

    Source: derived in the module's docstring.

    Example:
        >>> q = aligned_rotation(5, 0.3, seed=0)
        >>> np.diagonal(q).round(9), bool(np.allclose(q @ q.T, np.eye(5)))
        (array([0.3, 0.3, 0.3, 0.3, 0.3]), True)
    """
    d = positive_integer("d", d)
    a = unit_interval("alignment", alignment)
    seed = positive_integer("seed", seed, minimum=0)
    if a == 1:
        return np.eye(d)
    if d == 1:
        raise InputError(f"alignment must be 1 in one dimension, got {a:g}")
    rng = np.random.default_rng(seed)
    still = d % 2
    axes = rng.standard_normal((d, d))
    axes[:, 0] = rng.choice([-1.0, 1.0], d) if still else axes[:, 0]
    basis = np.linalg.qr(axes)[0]
    first, second = basis[:, still::2], basis[:, still + 1 :: 2]
    turn = second @ first.T - first @ second.T
    cosine = (a * d - 1) / (d - 1) if still else a
    rotation = cosine * np.eye(d) + np.sqrt(1 - cosine**2) * turn
    if still:
        rotation += (1 - cosine) * np.outer(basis[:, 0], basis[:, 0])
    return np.asarray(rotation)


def unit_interval(name: str, value: float) -> float:
    """Return ``value`` as a float in [0, 1].

    Raises:
        InputError: if it is no number or outside.

    Example:
        >>> unit_interval("interaction", 1.5)
        Traceback (most recent call last):
        fusiontheory.checks.InputError: interaction must be a number in [0, 1], got 1.5
    """
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a number in [0, 1], got {value!r}") from error
    if not 0 <= number <= 1:
        raise InputError(f"{name} must be a number in [0, 1], got {value!r}")
    return number
