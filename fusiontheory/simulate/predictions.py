"""What the theory predicts for a head on a synthetic configuration, from population moments alone.

| head | where v and t share an eigenbasis | else |
|---|---|---|
| additive | `ridge_risk` on the joint spectrum, and what a bilinear part adds | the same |
| bilinear | `CorrelatedProducts` | `ridge_risk` on the spectrum of v (x) t, up to 2048 products |
| sum | `kernel_sum_risk` if uncorrelated, else `ridge_risk` on both spectra | likewise |
| dot-product | `ridge_risk` on its one feature | the same |
| low-rank | `low_rank_risk` if uncorrelated | none |
| concat-mlp | none | none |

In matching, bilinear, dot-product and concat-mlp are predicted by `predict_curve`, accuracy too.
What a head cannot represent counts as noise. An intercept counts as one sample.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fusiontheory.checks import InputError, ValidityWarning
from fusiontheory.constraints import checked
from fusiontheory.curves import predict_curve
from fusiontheory.risk import (
    CorrelatedProducts,
    KernelSum,
    LowRankTarget,
    effective_ridge,
    kernel_sum_risk,
    learned,
    low_rank_risk,
    overfitting,
    ridge_risk,
    training_risk,
)
from fusiontheory.simulate.moments import synthetic_moments
from fusiontheory.synthetic import (
    FeatureLaw,
    LabelLaw,
    Predictor,
    SyntheticConfig,
    best_additive,
    best_bilinear,
)
from fusiontheory.typing import Array

__all__ = ["Prediction", "predict_head"]


# Products whose spectrum is affordable without a shared eigenbasis.
_DENSE = 2048


@checked
@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted errors at each n for one ridge; NaN where there is no prediction.

    Attributes:
        test: test mean squared error, noise included, shape (k,).
        training: training mean squared error, shape (k,).
        accuracy: test accuracy, shape (k,).
        formula: name of the function that was used, "none" without.
    """

    test: Array
    training: Array
    accuracy: Array
    formula: str


@checked
def predict_head(
    config: SyntheticConfig,
    head: str,
    sizes: list[int],
    ridge: float,
    intercept: bool = True,
    rank: int | None = None,
    sharp: bool = True,
) -> Prediction:
    """Return the predicted errors of a head at each n.

    Args:
        config: pairs, target and degradation.
        head: one of ``fusiontheory.simulate.HEAD_NAMES``.
        sizes: sample sizes.
        ridge: delta of K + delta I.
        intercept: whether the head has one.
        rank: of the low-rank head.
        sharp: whether to take the formulas for products that are not Gaussian, which take a
            second or so for each n, where there are any; else `ridge_risk` on the spectrum.

    Example:
        >>> from fusiontheory.synthetic import SharedLatentPairs, Target
        >>> config = SyntheticConfig(SharedLatentPairs(5, 5), Target("additive", noise=1.0))
        >>> found = predict_head(config, "additive", [111], ridge=0.0)
        >>> found.formula, found.test.round(2)  # (1 + 10 / (110 - 10)) (1 + 1 / 111)
        ('ridge_risk', array([1.11]))
    """
    n = np.array(sizes, dtype=np.float64)
    label = config.label
    if config.mismatched and head in ("bilinear", "dot-product", "concat-mlp"):
        return _of_matching(config, head, n, ridge)
    # Directions are of n rows, and predictions of the aligned head know those of all images.
    if label is None or head in ("concat-mlp", "concat-mlp-aligned"):
        return _nothing(n)
    features = config.features
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)  # infinite at a peak, and so recorded
        if head == "low-rank":
            return _low_rank(config, features, label, n, rank)
        if head == "bilinear" and sharp:
            prediction = _sharp_products(config, features, label, n, ridge, intercept)
            if prediction is not None:
                return prediction
        if head == "sum" and sharp:
            prediction = _sharp_sum(config, features, label, n, ridge, intercept)
            if prediction is not None:
                return prediction
        prediction = _gaussian(head, features, label, n, ridge, intercept)
        if head == "additive" and sharp:
            extra = _misspecified(config, features, n, ridge, intercept)
            prediction = replace(prediction, test=prediction.test + extra)
        return prediction


def _nothing(n: Array) -> Prediction:
    nan = np.full(n.size, np.nan)
    return Prediction(nan, nan, nan, "none")


def _of_matching(config: SyntheticConfig, head: str, n: Array, ridge: float) -> Prediction:
    try:
        curve = predict_curve(head, synthetic_moments(config), n, ridge)
    except InputError:  # exchanged rows: not Gaussian pairs
        return _nothing(n)
    if config.target.flip > 0:
        return _nothing(n)
    risk, accuracy = (curve[name].to_numpy(dtype=np.float64) for name in ("risk", "accuracy"))
    return Prediction(risk, np.full(n.size, np.nan), accuracy, "predict_curve")


def _gaussian(
    head: str, features: FeatureLaw, label: LabelLaw, n: Array, ridge: float, intercept: bool
) -> Prediction:
    """Return `ridge_risk` on the exact spectrum of the head's features."""
    makers = {
        "additive": [_additive_spectrum],
        "bilinear": [_product_spectrum],
        "sum": [_additive_spectrum, _product_spectrum],
        "dot-product": [_dot_spectrum],
    }[head]
    if _product_spectrum in makers and features.matched_cross.size > _DENSE:
        return _nothing(n)
    parts = [maker(features, label, intercept) for maker in makers]
    values = np.concatenate([values for values, _ in parts])
    power = np.concatenate([power for _, power in parts])
    noise = label.second - (label.mean**2 if intercept else 0.0) - power.sum()
    used = np.maximum(n - intercept, 1.0)
    test = ridge_risk(values, power, used, ridge, max(float(noise), 0.0))
    if intercept:
        test = test * (1 + 1 / n)  # the constant's own error
    training = training_risk(values, power, used, ridge, max(float(noise), 0.0)) * used / n
    return Prediction(test, training, np.full(n.size, np.nan), "ridge_risk")


def _misspecified(
    config: SyntheticConfig, features: FeatureLaw, n: Array, ridge: float, intercept: bool
) -> Array:
    r"""Return what the bilinear part costs the additive head beyond noise of the same variance.

    Noise e adds E[e^2 x^T A x]/n to the risk, A = sum_k L_k^2 / lambda_k U_k U_k^T / (1 - gamma);
    e = z_v^T B z_t is large where x is: with H = [[0, B], [B^T, 0]]/2 the third cumulant
    8 tr(H S_zz H S_zx A S_xz) comes on top of Var(e) tr(A S). For n = p + many samples it adds
    4/p of that part's excess for independent isotropic features. To first order in p/n.
    """
    model = config.model
    if features.matched < 1 or config.target.kind not in ("mix", "bilinear"):
        return np.zeros(n.size)
    b, shared = config.coefficients.bilinear, model.shared
    q_v, q_t = shared.shape
    half = np.zeros((q_v + q_t, q_v + q_t))
    half[:q_v, q_v:], half[q_v:, :q_v] = b / 2, b.T / 2
    latent = np.block([[np.eye(q_v), shared], [shared.T, np.eye(q_t)]])
    load = np.zeros((features.mean_v.size + features.mean_t.size, q_v + q_t))
    load[: features.mean_v.size, :q_v] = model.load_v
    load[features.mean_v.size :, q_v:] = model.load_t
    values, vectors = np.linalg.eigh(features.joint_covariance)
    values = np.where(values > 1e-13 * values[-1], values, 0.0)
    turned = vectors.T @ load @ latent
    cumulants = 8 * np.einsum("ki,ij,kj->k", turned, half @ latent @ half, turned)
    used = np.maximum(n - intercept, 1.0)
    kappa = effective_ridge(values, used, ridge)
    factor = overfitting(values, kappa, used, ridge)
    weight = learned(values, kappa[:, None]) ** 2
    gamma = weight.sum(axis=1, keepdims=True) / used[:, None]
    # A sample far out is fitted more closely, the second term: 1 / (1 + h)^2 to first order in h.
    leverage = np.divide(weight, values, out=np.zeros_like(weight), where=values > 0)
    leverage -= 2 * gamma * np.where(values > 0, 1 / (values + kappa[:, None]), 0.0)
    # Near interpolation that expansion fails, and nothing is added.
    return np.asarray(factor * np.maximum(leverage @ cumulants, 0.0) / used)


def _additive_spectrum(
    features: FeatureLaw, label: LabelLaw, intercept: bool
) -> tuple[Array, Array]:
    moment = features.joint_covariance
    shared = np.concatenate([label.image, label.text])
    if not intercept:
        means = np.concatenate([features.mean_v, features.mean_t])
        moment, shared = moment + np.outer(means, means), shared + label.mean * means
    return _spectrum(moment, shared)


def _product_spectrum(
    features: FeatureLaw, label: LabelLaw, intercept: bool
) -> tuple[Array, Array]:
    d_v, d_t = features.matched_cross.shape
    unit = np.eye(d_v * d_t).reshape(-1, d_v, d_t)
    centred = features.centred(Predictor.of(d_v, d_t, product=unit))
    seen = features.overlap(centred)
    flat = [part.reshape(len(unit), -1) for part in (centred.image, centred.text, centred.product)]
    others = [part.reshape(len(unit), -1) for part in (seen.image, seen.text, seen.product)]
    moment = np.outer(centred.constant, seen.constant)
    moment += sum(left @ right.T for left, right in zip(flat, others, strict=True))
    shared = centred.constant * label.mean + centred.image @ label.image
    shared = shared + centred.text @ label.text + label.product.ravel()
    if intercept:
        moment = moment - np.outer(seen.constant, seen.constant)
        shared = shared - label.mean * seen.constant
    return _spectrum((moment + moment.T) / 2, shared)


def _dot_spectrum(features: FeatureLaw, label: LabelLaw, intercept: bool) -> tuple[Array, Array]:
    d = features.mean_v.size
    centred = features.centred(Predictor.of(d, d, product=np.eye(d)[None]))
    seen, power = features.overlap(centred), features.power(centred)
    shared = centred.constant * label.mean + centred.image @ label.image
    shared = shared + centred.text @ label.text + np.trace(label.product)
    if intercept:
        power, shared = power - seen.constant**2, shared - label.mean * seen.constant
    return power, shared**2 / power


def _spectrum(moment: Array, shared: Array) -> tuple[Array, Array]:
    """Return eigenvalues and the label's power along the eigenfunctions."""
    values, vectors = np.linalg.eigh(moment)
    kept = values > 1e-13 * values[-1]
    power = np.where(kept, (vectors.T @ shared) ** 2 / np.where(kept, values, 1.0), 0.0)
    return np.where(kept, values, 0.0), power


@dataclass(frozen=True, eq=False)
class _Canonical:
    """Variances, correlations and the target where v and t share an eigenbasis."""

    values_v: Array
    values_t: Array
    correlation: Array
    bilinear: Array
    additive: Array
    noise: float


def _canonical(
    config: SyntheticConfig, features: FeatureLaw, label: LabelLaw, intercept: bool
) -> _Canonical | None:
    """Return the canonical form, or None if there is none."""
    if features.matched < 1 or features.mean_v.any() or features.mean_t.any():
        return None
    u, w = config.model.axes_v, config.model.axes_t
    second = u.T @ features.covariance_v @ u, w.T @ features.covariance_t @ w
    cross = u.T @ features.matched_cross @ w
    scale = float(max(np.abs(second[0]).max(), np.abs(second[1]).max()))
    diagonal = np.zeros(cross.shape)
    np.fill_diagonal(diagonal, np.diagonal(cross))
    off = [m - np.diag(np.diagonal(m)) for m in second] + [cross - diagonal]
    if max(float(np.abs(m).max()) for m in off) > 1e-10 * scale:
        return None
    values_v, values_t = (np.maximum(np.diagonal(m), 0.0) for m in second)
    d = min(cross.shape)
    deviation = np.sqrt(values_v[:d] * values_t[:d])
    rho = np.diagonal(cross) / np.where(deviation > 0, deviation, 1.0)
    best, floor = best_bilinear(features, label, intercept)
    linear, _ = best_additive(features, label, intercept=True)
    root_v, root_t = np.sqrt(values_v), np.sqrt(values_t)
    additive = np.concatenate([linear.image[0] @ u * root_v, linear.text[0] @ w * root_t])
    explained = linear.image[0] @ label.image + linear.text[0] @ label.text
    return _Canonical(
        values_v=values_v,
        values_t=values_t,
        correlation=np.clip(rho, 0.0, 1.0),
        bilinear=root_v[:, None] * (u.T @ best.product[0] @ w) * root_t,
        additive=additive,
        noise=max(float(floor - explained), 0.0),
    )


@lru_cache(maxsize=4)
def _remembered(
    values_v: tuple[float, ...],
    values_t: tuple[float, ...],
    correlation: tuple[float, ...],
    intercept: bool,
) -> CorrelatedProducts:
    """The same features for each target: what was solved for one serves the next."""
    arrays = np.array(values_v), np.array(values_t), np.array(correlation)
    return CorrelatedProducts(*arrays, intercept)


def _sharp_products(
    config: SyntheticConfig,
    features: FeatureLaw,
    label: LabelLaw,
    n: Array,
    ridge: float,
    intercept: bool,
) -> Prediction | None:
    form = _canonical(config, features, label, intercept)
    if form is None:
        return None
    # Rounded, so that rotations of one configuration share what was solved.
    key = (tuple(np.round(x, 14)) for x in (form.values_v, form.values_t, form.correlation))
    products = _remembered(*key, intercept)
    try:
        test = products.risk(form.bilinear, n, ridge, form.noise, form.additive)
    except ArithmeticError:
        return None
    used = np.maximum(n - intercept, 1.0)
    kappa = effective_ridge(products.eigenvalues, used, ridge)
    ratio = np.divide(ridge, used * kappa, out=np.zeros_like(used), where=kappa > 0)
    # Residual over leave-one-out error, as for Gaussian features.
    training = ratio**2 * test if ridge > 0 else np.full(n.size, np.nan)
    return Prediction(test, training, np.full(n.size, np.nan), "CorrelatedProducts")


def _sharp_sum(
    config: SyntheticConfig,
    features: FeatureLaw,
    label: LabelLaw,
    n: Array,
    ridge: float,
    intercept: bool,
) -> Prediction | None:
    form = _canonical(config, features, label, intercept=True)
    if form is None or form.correlation.any():
        return None
    # Here the additive part is learned too; what is left is noise.
    kernel = KernelSum(
        eigenvalues_v=form.values_v,
        eigenvalues_t=form.values_t,
        additive_power=form.additive**2,
        bilinear_power=form.bilinear**2,
        additive_weight=1.0,
        bilinear_weight=1.0,
        ridge=ridge,
        noise=form.noise,
    )
    nan = np.full(n.size, np.nan)
    test = kernel_sum_risk(kernel, np.maximum(n - intercept, 1.0))
    return Prediction(test * (1 + intercept / n), nan, nan, "kernel_sum_risk")


def _low_rank(
    config: SyntheticConfig, features: FeatureLaw, label: LabelLaw, n: Array, rank: int | None
) -> Prediction:
    form = _canonical(config, features, label, intercept=False)
    if form is None or form.correlation.any() or rank is None:
        return _nothing(n)
    target = LowRankTarget(
        d_v=form.values_v.size,
        d_t=form.values_t.size,
        rank=rank,
        singular_values=np.asarray(np.linalg.svd(form.bilinear, compute_uv=False), float),
        noise=form.noise + float(form.additive @ form.additive),
    )
    nan = np.full(n.size, np.nan)
    return Prediction(low_rank_risk(target, n), nan, nan, "low_rank_risk")
