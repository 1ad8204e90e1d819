r"""Targets: what the labels are made of, as functions of the latents z_v and z_t.

    mix        a . [z_v; z_t] + z_v^T B z_t, the second part with the share s of their variance
    additive   s = 0;   bilinear   s = 1
    xor        sign(a . z_v) sign(b . z_t)
    matching   +1 if t belongs to v, -1 if not, half of each

Shares are exact under correlation: Var(a . z) = |a|^2 + 2 sum rho_i a_i a_{q_v + i} and
Var(z_v^T B z_t) = |B|^2 + sum rho_i rho_j B_ij B_ji; both parts are uncorrelated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from fusiontheory.checks import InputError, non_negative, positive_integer, set_checked
from fusiontheory.constraints import checked
from fusiontheory.synthetic.latent_model import Draw, LatentModel
from fusiontheory.synthetic.population import LabelLaw
from fusiontheory.synthetic.rotations import unit_interval
from fusiontheory.typing import Array

__all__ = ["Coefficients", "Target", "coefficients", "draw_labels", "label_law"]

Kind: TypeAlias = Literal["mix", "additive", "bilinear", "xor", "matching"]
Structure: TypeAlias = Literal["full", "low-rank", "diagonal"]
Weights: TypeAlias = Literal["flat", "spectrum"]
Task: TypeAlias = Literal["regression", "classification"]


@checked
@dataclass(frozen=True)
class Target:
    """What is to be learned, and the noise of the labels.

    Attributes:
        kind: "mix", "additive", "bilinear", "xor" or "matching".
        interaction: s in [0, 1], the bilinear share of the variance; of a "mix" only.
        structure: of B: "full", "low-rank" (of rank ``rank``) or "diagonal" (all of one sign).
        rank: of a low-rank B, at most min(q_v, q_t) of the latents; else None.
        weights: "flat": coefficients of the latents are alike; "spectrum": coefficients of v and t
            are, so that a latent counts as the variance of its coordinate.
        task: "regression", or "classification": the sign of the mix about its mean. xor and
            matching are classification.
        power: variance of the target of a regression.
        noise: variance of Gaussian noise added to it.
        flip: probability in [0, 1/2] that the label of a classification is turned round.
        seed: of the coefficients.

    Raises:
        InputError: for another word, a share outside [0, 1], a rank without low-rank structure,
            noise on a classification, flips in a regression.

    Example:
        >>> Target("mix", interaction=0.3).share, Target("bilinear").share, Target("xor").task
        (0.3, 1.0, 'classification')
    """

    kind: Kind = "mix"
    interaction: float | None = None
    structure: Structure = "full"
    rank: int | None = None
    weights: Weights = "flat"
    task: Task | None = None
    power: float = 1.0
    noise: float = 0.0
    flip: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        _one_of("kind", self.kind, get_args(Kind))
        _one_of("structure", self.structure, get_args(Structure))
        _one_of("weights", self.weights, get_args(Weights))
        if self.kind == "mix":
            given = 0.5 if self.interaction is None else self.interaction
            set_checked(self, "interaction", unit_interval("interaction", given))
        elif self.interaction is not None:
            raise InputError(f"interaction must be left out of {self.kind}, got {self.interaction}")
        if self.structure == "low-rank":
            set_checked(self, "rank", positive_integer("rank", self.rank))
        elif self.rank is not None:
            raise InputError(f"rank must be left out of a {self.structure} target, got {self.rank}")
        made = "classification" if self.kind in ("xor", "matching") else "regression"
        task = made if self.task is None else self.task
        _one_of("task", task, (made,) if made == "classification" else get_args(Task))
        set_checked(self, "task", task)
        for name in ("power", "noise", "flip"):
            set_checked(self, name, non_negative(name, getattr(self, name)))
        if self.power == 0:
            raise InputError("power must be above 0, got 0")
        if self.flip > 0.5:
            raise InputError(f"flip must be in [0, 0.5], got {self.flip:g}")
        if task == "classification" and self.noise > 0:
            raise InputError(f"noise must be 0 in a classification, got {self.noise:g}; use flip")
        if task == "regression" and self.flip > 0:
            raise InputError(f"flip must be 0 in a regression, got {self.flip:g}; use noise")
        positive_integer("seed", self.seed, minimum=0)

    @property
    def share(self) -> float:
        """Share of the bilinear part in the variance of a mix; NaN for xor and matching."""
        if self.interaction is not None:
            return self.interaction
        return {"additive": 0.0, "bilinear": 1.0}.get(self.kind, float("nan"))


@checked
@dataclass(frozen=True, eq=False)
class Coefficients:
    """a, shape (q_v + q_t,), and B, shape (q_v, q_t), in the units of the label.

    For an xor a holds the directions of z_v and of z_t, of length 1 each, and B is 0.
    """

    additive: Array
    bilinear: Array


def coefficients(target: Target, model: LatentModel) -> Coefficients:
    """Return the coefficients that a target has on the latents of a model.

    Raises:
        InputError: for a rank above min(q_v, q_t), or a target that is constant.

    Example:
        >>> import numpy as np
        >>> model = LatentModel.plain(np.eye(3), np.eye(3), np.full(3, 0.6))
        >>> found = coefficients(Target("mix", interaction=0.25, structure="diagonal"), model)
        >>> b = found.bilinear[0, 0]
        >>> round(float(3 * b**2 * (1 + 0.6**2)), 9)  # variance of the bilinear part
        0.25
    """
    q_v, q_t = model.shared.shape
    if target.rank is not None and target.rank > min(q_v, q_t):
        raise InputError(f"rank must be at most min(d_v, d_t) = {min(q_v, q_t)}, got {target.rank}")
    rng = np.random.default_rng(target.seed)
    a, b = rng.standard_normal(q_v + q_t), _matrix(target, (q_v, q_t), rng)
    if target.weights == "spectrum":
        scale_v = np.linalg.norm(model.load_v, axis=0)
        scale_t = np.linalg.norm(model.load_t, axis=0)
        a, b = a * np.concatenate([scale_v, scale_t]), scale_v[:, None] * b * scale_t
    if target.kind == "xor":
        image, text = a[:q_v], a[q_v:]
        halves = [image / np.linalg.norm(image), text / np.linalg.norm(text)]
        return Coefficients(np.concatenate(halves), np.zeros((q_v, q_t)))
    if target.kind == "matching":
        return Coefficients(np.zeros(q_v + q_t), np.zeros((q_v, q_t)))
    sizes = additive_variance(a, model.shared), bilinear_variance(b, model.shared)
    shares = 1 - target.share, target.share
    for size, share, name in zip(sizes, shares, ("additive", "bilinear"), strict=True):
        if share > 0 and size <= 0:
            raise InputError(f"interaction: the {name} part has no variance to give {share:g} to")
    factors = [
        np.sqrt(target.power * share / size) if share > 0 else 0.0
        for size, share in zip(sizes, shares, strict=True)
    ]
    return Coefficients(factors[0] * a, factors[1] * b)


def additive_variance(a: Array, shared: Array) -> float:
    """Return Var(a . [z_v; z_t])."""
    q_v = len(shared)
    return float(a @ a + 2 * a[:q_v] @ shared @ a[q_v:])


def bilinear_variance(b: Array, shared: Array) -> float:
    """Return Var(z_v^T B z_t)."""
    return float(np.sum(b**2) + np.vdot(b, shared @ b.T @ shared))


def draw_labels(
    target: Target, model: LatentModel, coefficients: Coefficients, draw: Draw
) -> Array:
    """Return the labels of drawn rows, shape (n,), of a target with the given coefficients."""
    q_v = draw.z_v.shape[1]
    turned = np.where(draw.uniform < target.flip, -1.0, 1.0)
    image, text = coefficients.additive[:q_v], coefficients.additive[q_v:]
    if target.kind == "matching":
        return turned * draw.matched
    if target.kind == "xor":
        return turned * _sign((draw.z_v @ image) * (draw.z_t @ text))
    score = draw.z_v @ image + draw.z_t @ text
    score = score + np.einsum("ni,ni->n", draw.z_v @ coefficients.bilinear, draw.z_t)
    if target.task == "classification":
        return turned * _sign(score - np.vdot(coefficients.bilinear, model.shared))
    return np.asarray(score + np.sqrt(target.noise) * draw.normal)


def label_law(target: Target, model: LatentModel, coefficients: Coefficients) -> LabelLaw | None:
    """Return the exact moments of label and features; None for the sign of a mix.

    ``coefficients`` are the target's coefficients, of the features before they were degraded.

    With G the covariances of features and latents, and B the bilinear part,

        E[label x y^T] = <B, R> C + G_vv B G_tt^T + G_vt B^T G_tv^T.

    For sign(g) sign(h), g and h of correlation r, the same holds with Gaussian conditional means;
    E[sign g sign h g h] = 2/pi (sqrt(1 - r^2) + r asin r) and
    E[sign g sign h g^2] = 2/pi (asin r + r sqrt(1 - r^2)).

    Source: Isserlis' theorem; the last two by integration over g given h.
    """
    if target.task == "classification" and target.kind not in ("xor", "matching"):
        return None
    if target.kind == "matching":
        return _matching_law(target, model)
    shared = model.shared
    q_v = len(shared)
    # Rows that are exchanged share nothing with the label.
    vv, vt = model.keep_v * model.load_v, model.keep_v * model.load_v @ shared
    tt, tv = model.keep_t * model.load_t, model.keep_t * model.load_t @ shared.T
    kept = model.keep_v * model.keep_t
    image, text = coefficients.additive[:q_v], coefficients.additive[q_v:]
    if target.kind == "xor":
        return _xor_law(target, model, image, text, kept)
    b = coefficients.bilinear
    mean = float(np.vdot(b, shared))
    power = additive_variance(coefficients.additive, shared) + bilinear_variance(b, shared)
    return LabelLaw(
        second=power + mean**2 + target.noise,
        mean=mean,
        image=vv @ image + vt @ text,
        text=tv @ image + tt @ text,
        product=kept * mean * model.cross + vv @ b @ tt.T + vt @ b.T @ tv.T,
    )


def _matching_law(target: Target, model: LatentModel) -> LabelLaw:
    d_v, d_t = len(model.load_v), len(model.load_t)
    sure = 1 - 2 * target.flip
    product = sure * model.keep_v * model.keep_t / 2 * model.cross
    return LabelLaw(1.0, 0.0, np.zeros(d_v), np.zeros(d_t), product)


def _xor_law(
    target: Target, model: LatentModel, image: Array, text: Array, kept: float
) -> LabelLaw:
    shared = model.shared
    r = float(np.clip(image @ shared @ text, -1.0, 1.0))
    angle, root = 2 / np.pi * np.arcsin(r), np.sqrt(1 - r**2)
    crossed = 2 / np.pi * root + r * angle
    square = angle + 2 / np.pi * r * root
    # Regression of the features on (g, h): loadings on g and h, with what is left of C.
    with_v = np.stack([model.load_v @ image, model.load_v @ shared @ text], axis=1)
    with_t = np.stack([model.load_t @ shared.T @ image, model.load_t @ text], axis=1)
    inverse = np.linalg.pinv(np.array([[1.0, r], [r, 1.0]]))
    on_v, on_t = with_v @ inverse, with_t @ inverse
    product = on_v @ np.array([[square, crossed], [crossed, square]]) @ on_t.T
    product += angle * (model.cross - with_v @ inverse @ with_t.T)
    sure = 1 - 2 * target.flip
    zero = np.zeros(len(model.load_v)), np.zeros(len(model.load_t))
    return LabelLaw(1.0, sure * float(angle), *zero, product=sure * kept * product)


def _matrix(target: Target, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    if target.structure == "diagonal":
        return np.eye(*shape)
    if target.rank is not None:
        left = rng.standard_normal((shape[0], target.rank))
        return np.asarray(left @ rng.standard_normal((target.rank, shape[1])))
    return rng.standard_normal(shape)


def _sign(score: Array) -> Array:
    return np.where(score >= 0, 1.0, -1.0)


def _one_of(name: str, value: object, words: tuple[str, ...]) -> None:
    if value not in words:
        raise InputError(f"{name} must be one of {', '.join(words)}, got {value!r}")
