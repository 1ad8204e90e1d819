"""The sharp theory: kernel ridge regression with the head's kernel, from second moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd

from fusiontheory.curves import predict_curve
from fusiontheory.heads import HEADS
from fusiontheory.moments import Moments
from validation.trained.design import Noise
from validation.trained.predictors.table import PLACE, as_table, prediction, records

__all__ = ["AT_CHANCE", "RIDGE", "sharp_predictions"]

RIDGE = 0.1
"""Of the kernel heads: the theory is of kernel ridge regression, not of the trained network."""

AT_CHANCE = ("cross-attention", "image-only", "text-only")
"""Networks that read one modality; E[y | v] = E[y | t] = 0 puts them at chance."""

_BY_READING = "reads one modality"
_NO_KERNEL = "not predicted: no kernel of that name"


def sharp_predictions(
    places: pd.DataFrame,
    moments: Mapping[str, Moments],
    renormalise: bool,
    test_images: int | None = None,
    training_images: int | None = None,
    ridge: float | Literal["best", "least-risk"] = RIDGE,
) -> pd.DataFrame:
    """Return the accuracy that `fusiontheory.predict_curve` predicts of each cell.

    Heads with a kernel of the same name carry its prediction at one ridge, full theory. Noise is
    added to the moments in closed form and, where noisy features are brought back to unit norm,
    they are rescaled by (1 + sigma^2 d)^(-1/2), the noise's mean effect on length. Heads that read
    one modality are at 1/2, without an interval.

    Args:
        places: one row per cell, columns `PLACE`.
        moments: of the training images without noise, by condition.
        renormalise: whether noisy features were brought back to unit norm.
        test_images: see `fusiontheory.predict_curve`; the interval then also has their sampling.
        training_images: see `fusiontheory.predict_curve`; that the training pairs are drawn from.
        ridge: of the kernel; a number is the predictor "sharp", "least-risk" the predictor "best
            ridge", and "best" the predictor "best accuracy".
    """
    name, by = "sharp", f"kernel theory, ridge {ridge}"
    if ridge == "best":
        name, by = "best accuracy", "kernel theory, ridge of highest predicted accuracy at each n"
    elif ridge == "least-risk":
        name, by = "best ridge", "kernel theory, ridge of least risk at each n"
    rows = [
        prediction(place, name, _BY_READING, predicted=0.5)
        if place["head"] in AT_CHANCE
        else prediction(place, name, _NO_KERNEL)
        for place in records(places[~places["head"].isin(list(HEADS))][PLACE])
    ]
    known = places[places["head"].isin(list(HEADS))]
    for _, group in known.groupby(["condition", "sigma", "side"]):
        condition, sigma, side = (group[name].iloc[0] for name in ("condition", "sigma", "side"))
        seen = _noisy(moments[condition], Noise(float(sigma), side), renormalise)
        for head, part in group.groupby("head"):
            part = part.sort_values("n")
            curve = predict_curve(
                str(head),
                seen,
                part["n"],
                ridge,
                test_images=test_images,
                training_images=training_images,
            )
            for place, told in zip(records(part[PLACE]), records(curve), strict=True):
                said = {"predicted": told["accuracy"]}
                said |= {"low": told["accuracy_low"], "high": told["accuracy_high"]}
                rows.append(prediction(place, name, by, **said))
    return as_table(rows)


def _noisy(moments: Moments, noise: Noise, renormalise: bool) -> Moments:
    if noise.sigma == 0:
        return moments
    image, text = noise.sigmas
    noisy = moments.with_noise(image=image, text=text)
    if not renormalise:
        return noisy
    d_v, d_t = moments.dimensions
    return noisy.rescaled(
        image=(1 + image**2 * d_v) ** -0.5,
        text=(1 + text**2 * d_t) ** -0.5,
    )
