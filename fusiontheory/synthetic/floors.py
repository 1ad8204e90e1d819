"""Risk floors: the least test error that any function, or any predictor of a head, can have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from fusiontheory.constraints import checked
from fusiontheory.synthetic.latent_model import LatentModel
from fusiontheory.synthetic.population import FeatureLaw, LabelLaw, Predictor, inverse_root
from fusiontheory.synthetic.targets import Coefficients, Target, additive_variance
from fusiontheory.typing import Array

__all__ = ["RiskFloor", "bayes_risk", "best_additive", "best_bilinear", "risk_floor"]


@checked
@dataclass(frozen=True)
class RiskFloor:
    """Least test mean squared errors; NaN where there is no closed form.

    Attributes:
        bayes: of any function of the features.
        additive: of c + w_v . v + w_t . t.
        bilinear: of c + v^T W t.
        both: of the sum of the two.
        dot_product: of c + w v . t; NaN if d_v and d_t differ.
    """

    bayes: float
    additive: float
    bilinear: float
    both: float
    dot_product: float


@checked
def best_additive(
    features: FeatureLaw, label: LabelLaw, intercept: bool = True
) -> tuple[Predictor, float]:
    """Return the best predictor linear in [v; t], and its test error.

    Example:
        >>> import numpy as np
        >>> law = FeatureLaw.of(LatentModel.plain(np.eye(1), np.eye(1), np.zeros(1)))
        >>> label = LabelLaw(1.25, 0.0, np.array([1.0]), np.zeros(1), np.zeros((1, 1)))
        >>> best_additive(law, label)[1]
        0.25
    """
    d_v = features.mean_v.size
    means = np.concatenate([features.mean_v, features.mean_t])
    moment = features.joint_covariance
    right = np.concatenate([label.image, label.text])
    if not intercept:
        moment, right = moment + np.outer(means, means), right + label.mean * means
    values, vectors = np.linalg.eigh(moment)
    kept = values > 1e-13 * values[-1]
    turned = np.where(kept, vectors.T @ right, 0.0)
    weights = vectors @ (turned / np.where(kept, values, 1.0))
    gain = float(np.sum(turned**2 / np.where(kept, values, 1.0)))
    constant = label.mean - means @ weights if intercept else 0.0
    best = Predictor.of(
        d_v,
        features.mean_t.size,
        constant=np.array([constant]),
        image=weights[None, :d_v],
        text=weights[None, d_v:],
    )
    return best, label.second - gain - (label.mean**2 if intercept else 0.0)


@checked
def best_bilinear(
    features: FeatureLaw, label: LabelLaw, intercept: bool = True
) -> tuple[Predictor, float]:
    """Return the best predictor c + v^T W t (c = 0 without intercept), and its test error.

    The normal equations are solved by conjugate gradients in whitened coordinates, where their
    eigenvalues are near 1 unless canonical correlations are.

    Raises:
        ArithmeticError: if the equations were not solved.

    Example:
        >>> import numpy as np
        >>> law = FeatureLaw.of(LatentModel.plain(np.eye(1), np.eye(1), np.array([0.5])))
        >>> label = LabelLaw(1.5, 0.5, np.zeros(1), np.zeros(1), np.array([[1.5]]))  # v t
        >>> found, risk = best_bilinear(law, label)
        >>> found.product.round(6), abs(round(risk, 9))
        (array([[[1.]]]), 0.0)
    """
    left, right = inverse_root(features.covariance_v), inverse_root(features.covariance_t)
    mu, nu = features.mean_v, features.mean_t
    shape = mu.size, nu.size

    def predictor(unknown: Array) -> Predictor:
        product = left @ unknown[1:].reshape(shape) @ right
        constant = np.array([unknown[0] if intercept else 0.0])
        return Predictor.of(*shape, constant=constant, product=product[None])

    def gather(constant: float, image: Array, text: Array, product: Array) -> Array:
        # The adjoint of ``predictor`` in centred coordinates.
        total = product + np.outer(image, nu) + np.outer(mu, text) + constant * np.outer(mu, nu)
        free = constant if intercept else 0.0
        return np.concatenate([[free], (left @ total @ right).ravel()])

    def normal(unknown: Array) -> Array:
        seen = features.overlap(features.centred(predictor(unknown)))
        return gather(float(seen.constant[0]), seen.image[0], seen.text[0], seen.product[0])

    side = gather(label.mean, label.image, label.text, label.product)
    operator = LinearOperator((side.size, side.size), matvec=normal, dtype=np.float64)
    solution, failed = cg(operator, side, rtol=1e-11, atol=0.0, maxiter=5000)
    if failed:
        raise ArithmeticError("the best bilinear predictor was not found in 5000 steps")
    return predictor(solution), label.second - float(side @ solution)


def bayes_risk(target: Target, model: LatentModel, coefficients: Coefficients) -> float:
    """Return the error of E[label | v, t]; NaN where there is no closed form.

    For a regression whose rows are not exchanged, with K the covariance of E[z | v, t] and
    D = Cov(z | v, t), it is E[label^2] less

        a^T K a + |B|^2_K + (<B, K_vt> + <B, D_vt>)^2,   |B|^2_K = <B, K_v B K_t + K_vt B^T K_vt>.

    A classification has flip alone, 4 p (1 - p), if v and t determine the latents; that of matching
    is not known in closed form.
    """
    if target.kind == "matching" or model.keep_v < 1 or model.keep_t < 1:
        return float("nan")
    shared = model.shared
    q_v = len(shared)
    latent = np.block([[np.eye(q_v), shared], [shared.T, np.eye(shared.shape[1])]])
    load = np.zeros((len(model.load_v) + len(model.load_t), len(latent)))
    load[: len(model.load_v), :q_v], load[len(model.load_v) :, q_v:] = model.load_v, model.load_t
    noise = np.zeros((len(load), len(load)))
    noise[: len(model.load_v), : len(model.load_v)] = model.noise_v
    noise[len(model.load_v) :, len(model.load_v) :] = model.noise_t
    root = inverse_root(load @ latent @ load.T + noise)
    half = latent @ load.T @ root
    known = half @ half.T
    if target.task == "classification":
        certain = np.abs(latent - known).max() < 1e-9
        return 4 * target.flip * (1 - target.flip) if certain else float("nan")
    a, b = coefficients.additive, coefficients.bilinear
    k_v, k_t, k_vt = known[:q_v, :q_v], known[q_v:, q_v:], known[:q_v, q_v:]
    square = np.vdot(b, k_v @ b @ k_t + k_vt @ b.T @ k_vt)
    full = np.vdot(b, b + shared @ b.T @ shared)
    # The mean is the same for the label and its conditional mean.
    missing = additive_variance(a, shared) - a @ known @ a + full - square
    return target.noise + max(float(missing), 0.0)


def risk_floor(
    target: Target,
    model: LatentModel,
    coefficients: Coefficients,
    features: FeatureLaw,
    label: LabelLaw | None,
    intercept: bool = True,
) -> RiskFloor:
    """Return the floors of a target on features; only the Bayes error where ``label`` is None."""
    nan = float("nan")
    bayes = bayes_risk(target, model, coefficients)
    if label is None:
        return RiskFloor(bayes, nan, nan, nan, nan)
    additive = best_additive(features, label, intercept)[1]
    bilinear = best_bilinear(features, label, intercept)[1]
    means = bool(features.mean_v.any() or features.mean_t.any())
    if means and not intercept:
        both = nan  # the two parts overlap then
    elif means:
        zero = FeatureLaw(
            np.zeros_like(features.mean_v),
            np.zeros_like(features.mean_t),
            features.covariance_v,
            features.covariance_t,
            features.matched_cross,
            features.matched,
        )
        linear = label.second - label.mean**2 - best_additive(zero, label)[1]
        both = best_bilinear(zero, label)[1] - linear
    else:
        constant = label.mean**2 if intercept else 0.0
        both = bilinear - (label.second - constant - additive)
    return RiskFloor(bayes, additive, bilinear, both, _dot_floor(features, label, intercept))


def _dot_floor(features: FeatureLaw, label: LabelLaw, intercept: bool) -> float:
    d_v, d_t = features.matched_cross.shape
    if d_v != d_t:
        return float("nan")
    score = features.centred(Predictor.of(d_v, d_t, product=np.eye(d_v)[None]))
    seen = features.overlap(score)
    mean, power = float(seen.constant[0]), float(features.power(score)[0])
    shared = float(
        score.constant[0] * label.mean
        + score.image[0] @ label.image
        + score.text[0] @ label.text
        + np.trace(label.product)
    )
    if intercept:
        power, shared = power - mean**2, shared - mean * label.mean
    gain = shared**2 / power if power > 0 else 0.0
    return label.second - gain - (label.mean**2 if intercept else 0.0)
