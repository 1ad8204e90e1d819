"""What is predicted of the runs, from the features alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from fusiontheory.curve import predict_curve
from fusiontheory.features import FeatureSet
from fusiontheory.heads import HEADS
from fusiontheory.moments import Moments
from validation.conditions import condition_moments
from validation.trained.noise import Noise
from validation.trained.study import TrainedCell, TrainedStudy

__all__ = ["AT_CHANCE", "RIDGE", "predictions"]

RIDGE = 0.1
"""Of the kernel heads: the theory is of kernel ridge regression, not of the trained network."""

AT_CHANCE = ("cross-attention", "image-only", "text-only")
"""Networks that read one modality; E[y | v] = E[y | t] = 0 puts them at chance."""

_BY_KERNEL, _BY_READING = f"kernel theory, ridge {RIDGE:g}", "reads one modality"


def predictions(
    study: TrainedStudy, conditions: Mapping[str, FeatureSet], cells: Iterable[TrainedCell]
) -> pd.DataFrame:
    """Return the predicted accuracy of each of the cells for which there is a prediction.

    Heads with a kernel of the same name carry its prediction at ridge 0.1, full theory. Noise is
    added to the moments in closed form and, where the study brings features back to unit norm,
    they are rescaled by (1 + sigma^2 d)^(-1/2), the noise's mean effect on length.

    Returns:
        Columns ``condition``, ``head``, ``n``, ``sigma``, ``side``, ``predicted`` (a fraction) and
        ``by``: "kernel theory, ridge 0.1" or "reads one modality".
    """
    wanted: dict[tuple[str, Noise], dict[str, list[int]]] = {}
    rows = []
    for cell in cells:
        at_chance, known = cell.head in AT_CHANCE, cell.head in HEADS
        if known:
            by_head = wanted.setdefault((cell.condition, cell.noise), {})
            by_head.setdefault(cell.head, []).append(cell.n)
        elif at_chance:
            how = (cell.noise.sigma, cell.noise.side)
            rows.append((cell.condition, cell.head, cell.n, *how, 0.5, _BY_READING))
    clean: dict[str, Moments] = {}
    for (condition, noise), by_head in wanted.items():
        features = conditions[condition]
        if condition not in clean:
            clean[condition] = condition_moments(features, study.conditions[condition].strength)
        moments = _noisy(clean[condition], features, noise, study.renormalise)
        for head, sizes in by_head.items():
            curve = predict_curve(head, moments, sorted(sizes), RIDGE)
            rows += [
                (condition, head, int(n), noise.sigma, noise.side, float(accuracy), _BY_KERNEL)
                for n, accuracy in zip(curve["n"], curve["accuracy"], strict=True)
            ]
    columns = ["condition", "head", "n", "sigma", "side", "predicted", "by"]
    return pd.DataFrame(rows, columns=columns)


def _noisy(moments: Moments, features: FeatureSet, noise: Noise, renormalise: bool) -> Moments:
    if noise.sigma == 0:
        return moments
    image, text = noise.sigmas
    noisy = moments.with_noise(image=image, text=text)
    if not renormalise:
        return noisy
    d_v, d_t = features.image.shape[-1], features.text.shape[-1]
    return noisy.rescaled(
        image=(1 + image**2 * d_v) ** -0.5,
        text=(1 + text**2 * d_t) ** -0.5,
    )
