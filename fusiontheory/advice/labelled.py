"""Advice for labels, from the learning curves of a pilot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from fusiontheory.advice.answer import Advice
from fusiontheory.advice.cost import cost_table
from fusiontheory.advice.decision import Decision, decide
from fusiontheory.advice.features import describe_features, diagnosed
from fusiontheory.advice.inputs import MOST_ITEMS, Pilot, thinned
from fusiontheory.advice.measured import measured_curves, side_by_side
from fusiontheory.advice.settings import LEVEL, Settings
from fusiontheory.advice.verify import held_out, verify_labelled
from fusiontheory.advice.words import METRIC_NAMES
from fusiontheory.checks import equal_dimensions
from fusiontheory.heads import find_pilot_head, head_names
from fusiontheory.pilot import (
    Choice,
    PilotCurve,
    assured_size,
    choose,
    crossover,
    interaction_split,
    interaction_test,
    metric_draws,
    missing_price,
    posterior_draws,
)
from fusiontheory.solvers import computing_on
from fusiontheory.typing import Array

__all__ = ["advise_labelled"]


# The default target, and how far the calibration of forecasts goes, in pilots.
_AHEAD, _REACH = 4, 16
# Items for the questions beside the main one, and how many other heads crossovers are looked for.
_SIDE, _OTHERS = 1024, 5
_PERMUTATIONS = 199
_SIZES = 32
# Fewest items from which no constant choice was better than the advice, and the fewer tried.
_ENOUGH, _TRIED = 100, 60
REGRETS = {"advice": 3.51, "always interaction": 2.85, "always concat-mlp": 2.98}
"""Mean regret in points from pilots of 60 items, by rule."""
BALANCED_HELD = (86, 98)
"""Least and most % of 90 % intervals of balanced accuracy above chance that hold, by pilot."""
REGRET_TASKS = 188
"""Number of tasks that they are means over."""


def advise_labelled(pilot: Pilot, settings: Settings) -> Advice:
    """Return the advice of a labelled pilot.

    Raises:
        InputError: for an unknown head, a constant modality, or too few items to hold some out.
    """
    heads = _heads(pilot, settings)
    tested = None
    if settings.verify:
        pilot, tested = held_out(pilot, settings.seed)
    curves, seconds = measured_curves(pilot, heads)
    target = _target(pilot, curves, settings)
    choice = choose(curves, target, settings.tolerance, LEVEL)
    decision = decide(
        *(pilot.task, choice.metric, target, pilot.items, heads),
        metric_draws(curves, posterior_draws(curves, target)),
        *(choice.table, choice.verdict, settings.tolerance),
        (pilot.image.shape[1], pilot.text.shape[1]),
    )
    notes = [*pilot.notes, *_limits(pilot, target, choice)]
    by_name = dict(zip(heads, curves, strict=True))
    ranked = [by_name[name] for name in decision.ranked]
    tables = _tables(pilot, decision, ranked, settings, notes)
    changes = _changes(tables["crossovers"], decision.head, target)
    tables |= _beside(pilot, decision.head, changes, notes, settings.seed)
    if decision.verdict == "undetermined":  # there is no recommendation that could change
        changes = []
    columns = pilot.labels.targets.shape[1]
    sides = pilot.image, pilot.text
    tables["cost"] = cost_table(decision.ranked, *sides, columns, target, seconds)
    if tested is not None:
        with computing_on(settings.device):
            verified = verify_labelled(ranked, pilot, tested, choice.metric, settings.seed)
        tables["verification"] = verified
    classes = 0 if pilot.labels.classes is None else len(pilot.labels.classes)
    found = decision.advice(settings, changes, notes, tables, classes)
    return replace(found, settle=f"{few_items(pilot.items)}{found.settle}")


def _tables(
    pilot: Pilot,
    decision: Decision,
    ranked: list[PilotCurve],
    settings: Settings,
    notes: list[str],
) -> dict[str, pd.DataFrame]:
    """Return features, curves, choice, crossovers and, for a goal, assurance."""
    sizes = _grid(pilot, decision.target)
    first = next(curve for curve in ranked if curve.head == decision.head)
    tables = {
        "features": describe_features(
            *(pilot.image, pilot.text, pilot.facts, notes),
            diagnosis=diagnosed(pilot.image, pilot.text, pilot.groups, notes),
            one_space=False,
            seed=settings.seed,
        ),
        "curves": pd.concat(
            side_by_side(lambda c: _rows(c, sizes, decision.metric), ranked), ignore_index=True
        ),
        "choice": decision.table,
        "crossovers": _crossovers(first, ranked, sizes),
    }
    goal = decision.goal(settings, notes)
    if goal is not None:
        tables["assurance"] = _assurance(ranked, goal, decision.target)
    return tables


def _heads(pilot: Pilot, settings: Settings) -> list[str]:
    d_v, d_t = pilot.image.shape[1], pilot.text.shape[1]
    if settings.heads is None:
        return list(head_names(d_v, d_t))
    for name in settings.heads:
        if find_pilot_head(name).equal_dimensions:
            equal_dimensions(name, d_v, d_t)
    return list(settings.heads)


def _target(pilot: Pilot, curves: list[PilotCurve], settings: Settings) -> float:
    """Return the n that the advice is for."""
    if settings.target_n is not None:
        return float(settings.target_n)
    if pilot.complete > MOST_ITEMS:
        return float(pilot.complete)
    if settings.target_accuracy is not None:
        sizes = [assured_size(c, settings.target_accuracy).n_assured for c in curves]
        reached = [n for n in sizes if np.isfinite(n)]
        if reached:
            return float(min(reached))
    return float(_AHEAD * pilot.items)


def _grid(pilot: Pilot, target: float) -> Array:
    top = max(2 * target, 4 * pilot.items)
    top = max(min(top, _REACH * pilot.items), target)
    sizes = np.append(np.geomspace(20, top, _SIZES), [pilot.items, target])
    return np.unique(np.round(sizes))


def _rows(curve: PilotCurve, sizes: Array, metric: str) -> pd.DataFrame:
    """Return a row a size: ``value``, ``low`` and ``high`` of the metric, and all metrics."""
    table = curve.to_frame(sizes, LEVEL)
    named = {metric: "value", f"{metric}_low": "low", f"{metric}_high": "high"}
    first = table.rename(columns=named)
    others = [c for c in table.columns if c in ("accuracy", "balanced_accuracy", "auc", "r2")]
    front = ["head", "n", "value", "low", "high", "beyond", "risk", "risk_low", "risk_high"]
    return pd.concat([first[front], table[[c for c in others if c != metric]]], axis=1)


def _crossovers(first: PilotCurve, ranked: list[PilotCurve], sizes: Array) -> pd.DataFrame:
    """Return from which n each of a pair is better, for the recommended head and a few others."""
    rows = []
    others = [c for c in ranked if c.head != first.head][:_OTHERS]
    for other in others:
        for one, two in ((first, other), (other, first)):
            crossing = crossover(one, two, sizes)
            interval = crossing.low, crossing.high
            rows.append((one.head, two.head, crossing.n, *interval, crossing.probability))
    names = ["better", "than", "from_n", "low", "high", "probability"]
    return pd.DataFrame(rows, columns=names)


def _changes(crossovers: pd.DataFrame, head: str, target: float) -> list[str]:
    """Return which other target would have another answer."""
    said = []
    for row in crossovers.itertuples():
        start = float(str(row.from_n))
        if row.better == head and 20 < start < target:
            said.append(f"Below n = {start:,.0f}, {row.than} is better than {head}.")
        if row.than == head and target < start:
            said.append(f"From n = {start:,.0f} on, {row.better} is better than {head}.")
    return said


def _assurance(ranked: list[PilotCurve], goal: float, target: float) -> pd.DataFrame:
    def row(curve: PilotCurve) -> tuple[object, ...]:
        largest = int(max(_REACH * curve.items, target))
        found = assured_size(curve, goal, largest=largest)
        return (curve.head, goal, found.n, found.n_assured, found.reached, found.sentence)

    names = ["head", "target", "n", "n_assured", "share_at_largest", "sentence"]
    return pd.DataFrame(side_by_side(row, ranked), columns=names)


def _beside(
    pilot: Pilot, head: str, changes: list[str], notes: list[str], seed: int
) -> dict[str, pd.DataFrame]:
    """Return the price of a missing modality and the split into parts, with what they change."""
    side = pilot
    if pilot.items > _SIDE:
        rng = np.random.default_rng(seed)
        side = pilot.subset(thinned(pilot.labels.codes, pilot.items, _SIDE, rng))
        notes.append(f"Missing modalities and interaction are measured on {_SIDE:,} of the items.")
    prices = []
    for gone, other in (("image", "text"), ("text", "image")):
        if head == f"{gone}-only":  # has nothing left
            continue
        table = missing_price(
            *(side.image, side.text, side.y, head),
            missing=gone,  # type: ignore[arg-type]
            task=side.task,
        )
        table.insert(0, "missing", {"image": "v", "text": "t"}[gone])
        prices.append(table)
        full, none = table.iloc[0], table.iloc[-1]
        alone = float(none["fallback"])
        share = (full["imputed"] - alone) / max(full["imputed"] - none["imputed"], 1e-9)
        if head != f"{other}-only" and 0.005 < share < 0.995:
            changes.append(
                f"Where more than {100 * share:.0f} % of the items lack"
                f" {'v' if gone == 'image' else 't'} and it is filled in by its mean,"
                f" {other}-only is better at the pilot's size; falling back on it item by item"
                " is better than either."
            )
    split = interaction_split(side.image, side.text, side.y, task=side.task, groups=side.groups)
    test = interaction_test(
        *(side.image, side.text, side.y),
        task=side.task,
        groups=side.groups,
        permutations=_PERMUTATIONS,
        seed=seed,
    )
    word = "is seen" if test.p_value <= 0.05 else "is not seen"
    notes.append(
        f"Interaction of the modalities {word} (p = {test.p_value:.3f} against labels that an"
        " additive fit with quadratic terms has made)"
        + ("." if test.p_value <= 0.05 else ": this pilot does not show that it buys anything.")
    )
    beside = {"interaction": split.table}
    return ({"missing": pd.concat(prices, ignore_index=True)} if prices else {}) | beside


def few_items(items: int) -> str:
    """Return what a person has to know whose pilot is so small that a constant choice is better.

    The numbers are mean regrets of the study of choices (`experiments/choice/leaderboard.csv`, all
    tasks); a test compares them.

    Example:
        >>> few_items(100)
        ''
    """
    if items >= _ENOUGH:
        return ""
    return (
        f"Caution: {items} items are too few to choose by this advice. From pilots of {_TRIED}"
        f" items it lost {REGRETS['advice']} points of accuracy against the best fusion, over"
        f" {REGRET_TASKS} tasks; taking interaction without looking lost"
        f" {REGRETS['always interaction']}, and concat-mlp {REGRETS['always concat-mlp']}. Take one"
        f" of these, or label {_ENOUGH} items and ask again. "
    )


def _limits(pilot: Pilot, target: float, choice: Choice) -> list[str]:
    """Return what has to be known about the numbers."""
    said = [
        f"Intervals are at {LEVEL:.0%}. Up to n = {pilot.items:,} the curves are close to a"
        " measurement; beyond, they are forecasts, calibrated on synthetic worlds.",
        f"Probabilities, regrets and gaps are shrunk towards a stored prior: {choice.prior}."
        f" The {METRIC_NAMES[choice.metric]} of each head and its interval are those of its own"
        " curve, without it.",
    ]
    if choice.metric == "balanced_accuracy":
        low, high = BALANCED_HELD
        said.append(
            "Intervals of balanced accuracy are calibrated on few synthetic worlds: in others of"
            f" unequal classes {low} to {high} % of those of 90 % hold, by the size of the pilot."
        )
    if target > _REACH * pilot.items:
        said.append(
            f"The target is {target / pilot.items:.0f} times the pilot; forecasts were checked up"
            f" to {_REACH} times: believe the ranking, if anything, not the values."
        )
    return said
