r"""How far the logits of a head linear in v (x) t grow under Adam, and how far its bias follows.

*Targets.* On a training pair the logistic loss has the gradient y r, r = sigma(-y f) at the logit
f = S + b. Within a class it is taken as linear in S, with the class's mean of r and the mean
curvature c = mean r (1 - r). Then S follows a target, a number s of each class,

    dS/dT = (K / n) (s - S),    s = mean of S + y (mean of r) / c,

and starts from s = +-2. As the pairs are fitted, r falls, and the target moves on: the logits do
not stop at twice a least-squares fit.

*Time.* An update at rate eta on B pairs adds eta sqrt(B) c / rho to T: Adam divides by the root
mean square of its gradients, which is rho times that of the coordinate over sqrt(B), rho^2 the
running mean of r^2 that it keeps. K is the kernel in Adam's metric (`optimiser.adam_moments`).

*Response.* S is linear in its targets: S(T) = int F(T - T') ds(T'), where F is what the flow has
learned of a target at once. Along an eigenvalue lambda that is 1 - exp(-lambda T), here
1 - (1 + lambda T / 2)^{-2}, since ridge regression knows it: of R, its answer at a ridge,

    F(T) = R - dR / d log(ridge)    at ridge 2 n / T.

Without an intercept, and with centred features, only the target of matched pairs has a signal,
since the mean of v (x) t over mismatched pairs is 0 and over matched pairs is not: R of the
distance D of the class means is (q/2) / (1 + q/2), with q the signal at the effective ridge kappa.
A training pair is further on: of a target it lacks ridge / (n kappa) of what new pairs lack. For
the flow R - dR / d log(ridge) is taken of each of the two factors, not of their product.

*Spread.* Logits of new pairs are normal with the deviation D / (2 z), z = Phi^{-1}(accuracy) at the
ridge n / T. Those of training pairs deviate less, by the share above at the age of all training.

*Bias.* Adam's own steps on the mean of y r, against a running mean of its square, sampling
included. It follows late, since that mean is small where both classes are fitted alike.

Left out: Adam also divides by the mean gradient, not by its noise alone. Where a signal stands out
in a batch, its first steps are slower than this says. The other way, 1 - (1 + lambda T / 2)^{-2}
grows more slowly than 1 - exp(-lambda T) once lambda T is not small. Late in training the two
partly make up for each other: without the second, logits would be farther from Adam's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit, ndtr, ndtri

from fusiontheory.curves import find_model, predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.matching import MatchingModel, Terms
from fusiontheory.moments import Moments
from fusiontheory.risk import effective_ridge
from fusiontheory.training import TrainingSettings
from fusiontheory.typing import Array, Integers
from validation.trained.predictors.optimiser import (
    POWERS,
    adam_moments,
    lagging,
    optimiser_predictions,
)
from validation.trained.predictors.table import as_table, records

__all__ = ["LogitPath", "Response", "growth_predictions", "logit_growth", "ridge_response"]

_HEAD = "bilinear"
_BETA, _SQUARES = 0.9, 0.999  # Adam's, of PyTorch
_STEPS = 480  # at most, of the flow; more move no number by a thousandth
_RIDGES, _SPREADS = 60, 5
_POINTS, _WEIGHTS = hermegauss(21)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Response:
    """What ridge regression without an intercept has learned at each ridge, in rising order.

    Attributes:
        ridges: absolute, of K + ridge I.
        distance: of the class means of new pairs, over the target of matched pairs.
        lacking: what training pairs lack of a target, over what new pairs lack.
    """

    ridges: Array
    distance: Array
    lacking: Array

    def flow(self) -> Response:
        """Return the same of gradient flow: R - dR / d log(ridge), for time 2 n / ridge."""
        rate = np.log(self.ridges)
        return Response(
            self.ridges,
            self.distance - np.gradient(self.distance, rate),
            self.lacking - np.gradient(self.lacking, rate),
        )


@dataclass(frozen=True)
class LogitPath:
    """Where logits and bias are after each step of training; arrays of one shape.

    Attributes:
        update: number of updates so far.
        distance: of the mean logits of new matched and mismatched pairs.
        bias: of the head; the right one is minus half the distance.
        accuracy: on new pairs, with this bias.
    """

    update: Integers
    distance: Array
    bias: Array
    accuracy: Array


def ridge_response(model: MatchingModel, n: int, ridges: Array) -> Response:
    """Return the response of a head's model after n pairs at ridges above 0."""
    total = ridges + model.ridge
    kappa = np.array([effective_ridge(model.spectrum, float(n), float(one)) for one in total])
    q = np.maximum(model.signal(kappa)[0], 0.0)
    return Response(ridges, (q / 2) / (1 + q / 2), total / (n * kappa))


def logit_growth(
    moments: Moments, n: int, settings: TrainingSettings, training_images: int
) -> LogitPath:
    """Return the path of the bilinear head's logits and bias in training on n pairs.

    Args:
        moments: of features in Adam's metric (`optimiser.adam_moments`).
        n: training pairs.
        settings: of the training, with Adam.
        training_images: that the pairs are drawn from.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.standard_normal((300, 6))
        >>> text = shared + rng.standard_normal((300, 6))
        >>> path = logit_growth(Moments.from_features(shared, text), 512, TrainingSettings(), 300)
        >>> bool(path.distance[-1] > path.distance[0] > 0), bool(path.bias[-1] < 0)
        (True, True)
    """
    updates = settings.updates_of(n)
    one = settings.learning_rate * float(settings.batch_size) ** 0.5 / 2  # of T, at the start
    response = ridge_response(
        find_model(_HEAD)(moments, Terms()),
        n,
        np.geomspace(n / (4 * updates * one), 20 * n / one, _RIDGES),
    ).flow()
    seen = np.geomspace(n / (2 * updates * one), n / one, _SPREADS)
    told = [
        predict_curve(_HEAD, moments, n, float(ridge), training_images=training_images)
        for ridge in seen
    ]
    z = ndtri(np.clip([float(curve["accuracy"].iloc[0]) for curve in told], 0.5001, 1 - 1e-9))
    return _follow(response, (seen, z), n, settings)


def growth_predictions(
    places: pd.DataFrame,
    features: Mapping[str, FeatureSet],
    rows: Mapping[str, Integers],
    settings: TrainingSettings,
    training_images: int,
) -> pd.DataFrame:
    """Return what Adam's metric and the growth of the logits say of the published setting.

    It is the prediction of the fixed setting, lowered for the bilinear head by what its bias lags
    behind at the last update that the settings allow; a run that loses patience ends before it. An
    MLP moves its threshold with all of its biases: no lag.

    Args:
        places: one row per cell, columns `PLACE`.
        features: by condition.
        rows: of the images that predictions may know, by condition.
        settings: of the training.
        training_images: that the training pairs are drawn from.
    """
    known = (features, rows, settings, training_images)
    told = records(optimiser_predictions(places, *known, "fixed"))
    seen: dict[str, Moments] = {}
    for cell in told:
        cell["predictor"] = "logit growth"
        if cell["head"] != _HEAD:
            continue
        name = str(cell["condition"])
        if name not in seen:
            seen[name] = adam_moments(features[name], rows[name], POWERS[_HEAD])
        path = logit_growth(seen[name], int(cell["n"]), settings, training_images)
        half, moved = float(path.distance[-1]) / 2, -float(path.bias[-1])
        cell["predicted"] = lagging(float(cell["predicted"]), half, max(moved, 0.0))
        cell["by"] += ", logits that grow"
    return as_table(told)


def _follow(
    response: Response,
    spread: tuple[Array, Array],
    n: int,
    settings: TrainingSettings,
) -> LogitPath:
    """Follow targets, flow and bias, several updates at a step where there are many.

    Args:
        response: of the flow.
        spread: ridges in rising order, and Phi^{-1}(accuracy) at them.
        n: training pairs.
        settings: of the training.
    """
    updates = settings.updates_of(n)
    ends = np.linspace(0, updates, min(updates, _STEPS) + 1).round().astype(np.int64)[1:]
    log_ridge, log_seen = np.log(response.ridges), np.log(spread[0])
    adam = _Adam(settings.learning_rate, settings.batch_size)
    time = bias = matched = mismatched = wide = 0.0
    targets, moves, since = np.zeros(2), np.zeros((2, ends.size)), np.zeros(ends.size)
    distance, biases, z = (np.zeros(ends.size) for _ in range(3))
    for k, end in enumerate(ends.tolist()):
        # r of the training pairs of both classes.
        left = expit([-(matched + bias + wide * _POINTS), mismatched + bias + wide * _POINTS])
        mean, curvature = left @ _WEIGHTS, float(((left - left**2) @ _WEIGHTS).mean())
        now = np.array([matched + mean[0] / curvature, mismatched - mean[1] / curvature])
        moves[:, k], since[k], targets = now - targets, time, now
        weights, step = adam.steps(
            end, float((left**2 @ _WEIGHTS).mean()), float(mean @ [0.5, -0.5])
        )
        time, bias = time + weights * curvature, bias + step
        # What the flow has learned by now of each move of the targets.
        age = np.log(2 * n / (time - since[: k + 1]))
        new = np.interp(age, log_ridge, response.distance)
        lack = np.interp(age, log_ridge, response.lacking)
        distance[k], biases[k] = moves[0, : k + 1] @ new, bias
        z[k] = np.interp(np.log(n / time), log_seen, spread[1])
        matched = float(moves[0, : k + 1] @ (1 - lack * (1 - new)))
        mismatched = float(moves[1, : k + 1] @ (1 - lack))
        wide = float(lack[0] * distance[k] / (2 * z[k]))
    right = ndtr(z)
    told = [lagging(*one) for one in zip(right, distance / 2, -biases, strict=True)]
    return LogitPath(ends, distance, biases, np.array(told))


class _Adam:
    """Mean steps of Adam, of the weights' flow and of the bias, from the residuals of a batch."""

    def __init__(self, rate: float, batch: int) -> None:
        """Start with nothing kept."""
        self.rate, self.batch = rate, batch
        self.done, self.mean, self.squares, self.bias_squares = 0, 0.0, 0.0, 0.0

    def steps(self, end: int, square: float, pull: float) -> tuple[float, float]:
        """Return what the updates up to ``end`` add to T, over the curvature, and to the bias.

        Args:
            end: number of updates after them.
            square: mean of r^2.
            pull: mean of y r, the gradient of the bias.
        """
        count, self.done = end - self.done, end
        kept, kept_mean = _SQUARES**count, _BETA**count
        self.squares = kept * self.squares + (1 - kept) * square
        noisy = pull**2 + (square - pull**2) / self.batch
        self.bias_squares = kept * self.bias_squares + (1 - kept) * noisy
        self.mean = kept_mean * self.mean + (1 - kept_mean) * pull
        full = 1 - _SQUARES**end
        flow = count * self.rate * float(np.sqrt(self.batch * full / self.squares))
        steps = count * self.rate * self.mean / (1 - _BETA**end)
        return flow, steps / float(np.sqrt(self.bias_squares / full))
