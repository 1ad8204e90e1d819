"""Degradations of paired features, on either side: of arrays, and exactly of a population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fusiontheory.checks import InputError, non_negative, positive_integer, set_checked
from fusiontheory.constraints import checked
from fusiontheory.synthetic.latent_model import LatentModel
from fusiontheory.synthetic.rotations import aligned_rotation, unit_interval
from fusiontheory.typing import Array

__all__ = ["Degradation", "add_noise", "drop_dimensions", "rotate", "shuffle_rows"]


@checked
def add_noise(x: Array, sigma: float, rng: np.random.Generator) -> Array:
    """Return x + sigma e, e standard normal: M grows by sigma^2 I, C stays.

    Example:
        >>> add_noise(np.zeros((1, 2)), 0.0, np.random.default_rng(0))
        array([[0., 0.]])
    """
    noisy: Array = x + non_negative("sigma", sigma) * rng.standard_normal(x.shape)
    return noisy


@checked
def rotate(x: Array, rotation: Array) -> Array:
    """Return the rows turned, x Q^T: M becomes Q M Q^T, C becomes Q C (or C Q^T).

    Example:
        >>> rotate(np.array([[1.0, 0.0]]), np.array([[0.0, -1.0], [1.0, 0.0]]))
        array([[0., 1.]])
    """
    turned: Array = x @ rotation.T
    return turned


@checked
def shuffle_rows(x: Array, rate: float, rng: np.random.Generator) -> Array:
    """Return x with a share of its rows exchanged among themselves: C shrinks by 1 - rate.

    Of the chosen rows none keeps its place; a single one is not chosen. M stays.

    Example:
        >>> x = np.arange(4.0)[:, None]
        >>> bool((shuffle_rows(x, 1.0, np.random.default_rng(0)) != x).all())
        True
    """
    chosen = rng.permutation(len(x))[: round(unit_interval("rate", rate) * len(x))]
    result = x.copy()
    if chosen.size > 1:
        result[chosen] = x[np.roll(chosen, 1)]
    return result


@checked
def drop_dimensions(x: Array, dimensions: Sequence[int]) -> Array:
    """Return x with some coordinates set to 0: their rows and columns of M and C become 0.

    Example:
        >>> drop_dimensions(np.ones((1, 3)), [1])
        array([[1., 0., 1.]])
    """
    result = x.copy()
    result[:, list(dimensions)] = 0.0
    return result


@checked
@dataclass(frozen=True)
class Degradation:
    """What is done to the features after the labels are made, in the order of the fields.

    Attributes:
        drop_v: coordinates of v that are lost (set to 0): as many, drawn with ``seed``.
        drop_t: coordinates of t.
        sigma_v: standard deviation of noise added to v.
        sigma_t: standard deviation of noise added to t.
        rotation_v: 0 (none) .. 1 (random): v is turned by a rotation whose diagonal is 1 minus it.
        rotation_t: likewise for t.
        shuffle_v: share of rows that get the v of another pair. The label stays with t.
        shuffle_t: share of rows that get the t of another pair. The label stays with v.
        seed: of dropped coordinates and rotations.

    Raises:
        InputError: for a negative sigma, a share or rotation outside [0, 1], a negative count.

    Example:
        >>> import numpy as np
        >>> model = LatentModel.plain(np.eye(2), np.eye(2), np.ones(2))
        >>> Degradation(sigma_v=2.0).apply(model).covariance_v
        array([[5., 0.],
               [0., 5.]])
    """

    drop_v: int = 0
    drop_t: int = 0
    sigma_v: float = 0.0
    sigma_t: float = 0.0
    rotation_v: float = 0.0
    rotation_t: float = 0.0
    shuffle_v: float = 0.0
    shuffle_t: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        for name in ("drop_v", "drop_t", "seed"):
            value = positive_integer(name, getattr(self, name), minimum=0)
            set_checked(self, name, value)
        for name in ("sigma_v", "sigma_t"):
            set_checked(self, name, non_negative(name, getattr(self, name)))
        for name in ("rotation_v", "rotation_t", "shuffle_v", "shuffle_t"):
            set_checked(self, name, unit_interval(name, getattr(self, name)))

    def dropped(self, side: str, d: int) -> list[int]:
        """Return the coordinates of a side ("v" or "t") of d dimensions that are lost.

        Raises:
            InputError: if none would be left.
        """
        count = self.drop_v if side == "v" else self.drop_t
        if count >= d:
            raise InputError(f"drop_{side} must be below d_{side} = {d}, got {count}")
        rng = np.random.default_rng([self.seed, 0 if side == "v" else 1])
        return sorted(int(i) for i in rng.permutation(d)[:count])

    def rotation(self, side: str, d: int) -> Array:
        """Return the rotation of a side of d dimensions, shape (d, d)."""
        degree = self.rotation_v if side == "v" else self.rotation_t
        if degree > 0 and d == 1:
            raise InputError(f"rotation_{side} must be 0 at d_{side} = 1, got {degree:g}")
        return aligned_rotation(d, 1 - degree, 2 * self.seed + (side == "t"))

    def apply(self, model: LatentModel) -> LatentModel:
        """Return the exact model of the degraded features."""
        parts: dict[str, Array] = {}
        for side, sigma in (("v", self.sigma_v), ("t", self.sigma_t)):
            load, noise = getattr(model, f"load_{side}"), getattr(model, f"noise_{side}")
            d = len(load)
            keep = np.ones(d)
            keep[self.dropped(side, d)] = 0.0
            turn = self.rotation(side, d)
            noise = keep[:, None] * noise * keep + sigma**2 * np.eye(d)
            parts[f"load_{side}"] = turn @ (keep[:, None] * load)
            parts[f"noise_{side}"] = turn @ noise @ turn.T
            parts[f"mean_{side}"] = turn @ (keep * getattr(model, f"mean_{side}"))
            parts[f"axes_{side}"] = turn @ getattr(model, f"axes_{side}")
        return replace(
            model,
            **parts,
            keep_v=model.keep_v * (1 - self.shuffle_v),
            keep_t=model.keep_t * (1 - self.shuffle_t),
        )
