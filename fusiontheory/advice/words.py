"""Sentences of the advice, made of its numbers."""

from __future__ import annotations

import math

import pandas as pd

from fusiontheory.heads import PILOT_HEADS
from fusiontheory.typing import Array

__all__ = [
    "METRIC_NAMES",
    "count",
    "headline",
    "in_metric",
    "points",
    "recommend",
    "settling",
    "simplest",
]

METRIC_NAMES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "r2": "R²"}
TASKS = {
    "image-text matching": "Task: image-text matching (is this text the image's own?), because no"
    " labels were given; chance is 50 %.",
    "regression": "Task: regression of your labels from two modalities.",
}


def headline(task: str, classes: int = 0) -> str:
    """Return the first line of every output."""
    if task in TASKS:
        return TASKS[task]
    return f"Task: classification of your labels ({classes} classes) from two modalities."


def in_metric(value: float, metric: str, digits: int = 1) -> str:
    """Write a value of the metric: per cent, or a number for R^2.

    The space before % does not break.

    >>> in_metric(0.8125, "accuracy").split(), in_metric(0.5, "r2"), in_metric(float("nan"), "r2")
    (['81.2', '%'], '0.500', '–')
    """
    if not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if metric == "r2" else f"{100 * value:.{digits}f}\u00a0%"


def points(value: float, metric: str) -> str:
    """Write a difference: in points, or a number for R^2."""
    return f"{value:.3f}" if metric == "r2" else f"{100 * value:.1f} points"


def count(n: float) -> str:
    """Write a number of items.

    >>> count(12345.6), count(float("nan"))
    ('12,346', '–')
    """
    return f"{n:,.0f}" if math.isfinite(n) else "–"


def recommend(
    choice: pd.DataFrame,
    *,
    head: str,
    verdict: str,
    metric: str,
    target: float,
    tolerance: float,
    unit: str,
) -> str:
    """Return the one sentence of recommendation with its confidence.

    Args:
        choice: rows of heads, the recommended first.
        head: that is recommended.
        verdict: see `Advice`.
        metric: of the values.
        target: n.
        tolerance: below which a difference does not matter.
        unit: what n counts.
    """
    top = choice[choice["head"] == head].iloc[0]
    where = f"at n = {count(target)} {unit}"
    if verdict == "undetermined":
        return (
            f"Undetermined: no fusion is seen to learn anything from these items, so nothing says"
            f" which is best {where}; do not choose on this pilot."
        )
    reached = (
        f"{in_metric(top['expected'], metric)} {METRIC_NAMES[metric]},"
        f" {in_metric(top['low'], metric)} to {in_metric(top['high'], metric)}"
    )
    if verdict == "does not matter":
        close = choice[choice["gap"] >= choice["gap"].max() - tolerance]["head"].tolist()
        return (
            f"It does not matter which of {', '.join(close)}: {where} they are within"
            f" {points(tolerance, metric)} of each other; {head} is the simplest and should reach"
            f" {reached}."
        )
    rest = choice[choice["head"] != head].iloc[0]
    return (
        f"Use {head}: {where} it should reach {reached}; with probability {top['p_best']:.2f} no"
        f" other fusion is better, and next is {rest['head']}, {_distance(top, rest, metric)}."
    )


def _distance(top: pd.Series[float], rest: pd.Series[float], metric: str) -> str:
    """Say how far the next head is behind, and what speaks for it."""
    behind = float(top["gap"] - rest["gap"])
    if behind < 0:
        return f"{points(-behind, metric)} ahead, but at a higher risk, which is the surer guide"
    said = f"{points(behind, metric)} behind"
    if rest["expected"] > top["expected"] + 0.001:
        said += " (its own curve is the higher one; the prior over heads turns the order)"
    return said


def settling(
    verdict: str,
    values: Array,
    heads: list[str],
    head: str,
    items: int,
    target: float,
    unit: str = "labelled items",
) -> str:
    """Return how many labelled items more would settle the choice.

    The gap of the best two is taken to stay, and its error to fall as the root of the items.

    Args:
        verdict: see `Advice`.
        values: (draws, heads) of the metric at the target.
        heads: their names.
        head: the recommended one.
        items: of the pilot.
        target: n.
        unit: what is labelled.
    """
    if verdict == "clear":
        return "It is settled as far as this pilot can: probability 0.9 or more."
    if verdict == "undetermined":
        return (
            "How many more items would settle it cannot be said: where nothing is learned there is"
            " nothing to extrapolate. Label more, or look for better features, and ask again."
        )
    means = values.mean(0)
    first = heads.index(head)
    second = max((k for k in range(len(heads)) if k != first), key=lambda k: float(means[k]))
    gap = values[:, first] - values[:, second]
    mean, spread = float(gap.mean()), float(gap.std())
    # One-sided 0.9 of a normal.
    needed = items * (1.2816 * spread / mean) ** 2 if mean > 0 else math.inf
    if verdict == "does not matter":
        return f"Nothing has to be settled: {heads[second]} is as good within the tolerance."
    if needed <= items:
        return (
            f"{heads[first]} is ahead of {heads[second]} with probability 0.9 or more already; what"
            " is open is spread over the others."
        )
    if needed > 16 * items:
        return (
            f"More labels will hardly settle it: {heads[first]} and {heads[second]} are too close"
            f" for a pilot of up to {count(16 * items)} items."
        )
    return (
        f"About {count(needed - items)} {unit} more should settle {heads[first]} against"
        f" {heads[second]} with probability 0.9, if their gap stays as it is"
        f"{' (more than the target itself)' if needed > target else ''}."
    )


def simplest(heads: list[str], d_v: int, d_t: int) -> str:
    """Return the head with the fewest weights; those without a finite number come last.

    >>> simplest(["rbf-both", "interaction", "concat-linear"], 3, 4)
    'concat-linear'
    """

    def weights(name: str) -> float:
        head = PILOT_HEADS[name]
        if head.members:
            return sum(weights(member) for member in head.members)
        return math.inf if head.parameters is None else float(head.parameters(d_v, d_t))

    return min(heads, key=weights)
