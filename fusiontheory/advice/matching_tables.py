"""Tables of the advice for matching: curves, crossovers, assurance, costs, verification."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from fusiontheory.advice.cost import cost_table
from fusiontheory.advice.verify import inside
from fusiontheory.advice.words import count, in_metric
from fusiontheory.curves import predict_curve
from fusiontheory.data import draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.moments import Moments
from fusiontheory.solvers import PairFeatures, gather, measure_curve
from fusiontheory.typing import Array

__all__ = [
    "assured",
    "costs",
    "crossovers",
    "missing_price",
    "predicted_curve",
    "verify_matching",
]


# Images and texts that costs are timed on.
_TIMED = 2000
# Normal quantiles: of 95 % intervals, which `predict_curve` gives, of 90 % ones, and of the share
# of 80 % of the training sets.
_OF_95, _OF_90, _OF_80 = 1.96, 1.645, 0.8416
_MOST_VERIFIED = 2048


def predicted_curve(head: str, moments: Moments, sizes: Array) -> pd.DataFrame:
    """Return the predicted curve at the best ridge with its 90 % interval.

    ``spread`` is the standard error of the accuracy, ``scatter`` its deviation over training sets.
    """
    table = predict_curve(head, moments, sizes, "best")
    one = predict_curve(head, moments, sizes, "best", training_sets=1)
    spread = (table["accuracy_high"] - table["accuracy_low"]) / (2 * _OF_95)
    both = (one["accuracy_high"] - one["accuracy_low"]) / (2 * _OF_95)
    value = table["accuracy"]
    return pd.DataFrame(
        {
            "head": head,
            "n": table["n"].astype(float),
            "value": value,
            "low": (value - _OF_90 / _OF_95 * (value - table["accuracy_low"])).clip(0, 1),
            "high": (value + _OF_90 / _OF_95 * (table["accuracy_high"] - value)).clip(0, 1),
            "risk": table["risk"],
            "ridge": table["ridge"],
            "spread": spread,
            "scatter": np.sqrt(np.maximum(both**2 - spread**2, 0)),
        }
    )


def crossovers(
    head: str, ranked: list[str], curves: dict[str, pd.DataFrame], seed: int
) -> pd.DataFrame:
    """Return from which n each of a pair is better, errors drawn once for all sizes."""
    rng = np.random.default_rng([seed, 4])
    rows = []
    for other in (name for name in ranked if name != head):
        for one, two in ((head, other), (other, head)):
            a, b = curves[one], curves[two]
            gap = (a["value"] - b["value"]).to_numpy()
            sizes, spread = a["n"].to_numpy(), np.hypot(*(x["spread"].to_numpy() for x in (a, b)))
            drawn = gap + rng.standard_normal((1000, 1)) * spread
            starts = np.array([_start(row, sizes) for row in drawn])
            there = starts[np.isfinite(starts)]
            ends = np.quantile(there, (0.05, 0.95)) if there.size else np.full(2, np.nan)
            share = float(np.isfinite(starts).mean())
            rows.append((one, two, _start(gap, sizes), float(ends[0]), float(ends[1]), share))
    names = ["better", "than", "from_n", "low", "high", "probability"]
    return pd.DataFrame(rows, columns=names)


def _start(gap: Array, sizes: Array) -> float:
    """Return the size from which the gap stays above 0; NaN if it does not end above."""
    below = np.flatnonzero(gap <= 0)
    if below.size == 0:
        return float(sizes[0])
    return float("nan") if below[-1] == sizes.size - 1 else float(sizes[below[-1] + 1])


def assured(head: str, curve: pd.DataFrame, goal: float) -> dict[str, Any]:
    """Return the smallest n at which 80 % of the training sets reach the goal."""
    sizes = np.geomspace(curve["n"].iloc[0], curve["n"].iloc[-1], 200)
    own, spread = curve["scatter"].to_numpy(), curve["spread"].to_numpy()
    both = np.hypot(own, spread)
    reached = []
    for error in (own, both):
        low = np.interp(np.log(sizes), np.log(curve["n"]), curve["value"] - _OF_80 * error)
        reached.append(float(np.ceil(_start(low - goal + 1e-12, sizes))))
    top = float(sizes[-1])
    at_top = float(curve["value"].iloc[-1] - goal) / max(float(both[-1]), 1e-9)
    if np.isnan(reached[1]):
        said = f"no n up to {count(top)} assures {in_metric(goal, 'accuracy')} with {head}"
    else:
        said = f"{head} reaches {in_metric(goal, 'accuracy')} in 80 % of training sets from"
        said += f" n = {count(reached[1])} on, the error of the moments allowed for"
    return {
        "head": head,
        "target": goal,
        "n": reached[0],
        "n_assured": reached[1],
        "share_at_largest": float(ndtr(at_top)),
        "sentence": said,
    }


def missing_price(full: float) -> pd.DataFrame:
    """Return accuracy against the share of items without a modality: one alone tells nothing."""
    shares = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
    value = (1 - shares) * full + shares * 0.5
    table = {"share": shares, "imputed": value, "fallback": value}
    return pd.concat([pd.DataFrame({"missing": gone, **table}) for gone in "vt"], ignore_index=True)


def costs(heads: list[str], image: Array, text: Array, target: float) -> pd.DataFrame:
    """Return costs, with the fit of as many pairs as were timed."""
    rows = np.arange(min(_TIMED // 2, len(image)))
    flat = text[:, 0] if text.ndim == 3 else text
    pairs = draw_pairs(rows, 1, 2 * len(rows), np.random.SeedSequence(0))
    made = gather(image, flat[:, None], pairs)
    seconds = {}
    for name in heads:
        start = perf_counter()
        few = PairFeatures(made.image[:2], made.text[:2], made.label[:2])
        measure_curve(find_head(name), made, few, [len(made.label)], 1.0)
        seconds[name] = perf_counter() - start
    return cost_table(heads, made.image, made.text, 1, target, seconds)


def verify_matching(
    heads: list[str],
    moments: Moments,
    train: tuple[Array, Array],
    tested: tuple[Array, Array],
    seed: int,
) -> pd.DataFrame:
    """Measure each head at sizes within the images, on pairs of the images held out."""
    sides = []
    for image, text in (train, tested):
        texts = text if text.ndim == 3 else text[:, None]
        limit = min(2 * len(image) * texts.shape[1], _MOST_VERIFIED)
        pairs = draw_pairs(
            np.arange(len(image)), texts.shape[1], limit, np.random.SeedSequence([seed, 5])
        )
        sides.append(gather(image, texts, pairs))
    top = len(sides[0].label)
    sizes = [int(2 * (top // (2 * k))) for k in (8, 4, 2, 1) if top // k >= 32]
    rows = []
    for head in heads:
        table = predict_curve(
            head, moments, sizes, "best", training_images=len(train[0]), training_sets=1
        )
        points = measure_curve(find_head(head), sides[0], sides[1], sizes, table["ridge"].tolist())
        for measured, row in zip(points, table.to_dict("records"), strict=True):
            # Matched and mismatched pairs share images: as if each image counted once.
            error = float(np.sqrt(measured.accuracy * (1 - measured.accuracy) / len(tested[0])))
            ends = [
                row["accuracy"] + _OF_90 / _OF_95 * (row[f"accuracy_{end}"] - row["accuracy"])
                for end in ("low", "high")
            ]
            rows.append((head, measured.n, 1, measured.accuracy, error, row["accuracy"], *ends))
    names = ["head", "n", "training_sets", "measured", "error", "predicted", "low", "high"]
    return inside(pd.DataFrame(rows, columns=names))
