"""The search of hyper-parameters: one grid for every head, judged on dev pairs alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from fusiontheory.data import FeatureSet
from fusiontheory.store import RecordStore
from validation.trained.design import TrainedCell, TrainedStudy, Trial, Variant, further_trials
from validation.trained.runs.runs import recorded_runs

__all__ = ["choices", "chosen_table", "search_cells"]

_PLACE = ["condition", "head", "n"]


def chosen_table(runs: pd.DataFrame, least: Callable[[int], int]) -> pd.DataFrame:
    """Return the best learning rate, weight decay and initial scale of each condition, head and n.

    Best is the highest dev accuracy, of equal ones the lowest dev loss; a run that diverged is
    none. Only a search that is complete counts: what it starts from, and the neighbours of the
    best.

    Args:
        runs: of the search.
        least: number of settings that the search at an n starts from.

    Returns:
        Columns condition, head, n, learning_rate, weight_decay, init_scale (factor on the initial
        weights), dev_accuracy, tried and diverged; no test accuracy.
    """
    rows = []
    for place, part in _complete(runs, least):
        dev = _dev(part)
        if further_trials(dev):
            continue
        best = max(dev, key=lambda trial: dev[trial])
        scales = part.loc[(part["init_scale"] != 1) == best.unit_logits, "init_scale"]
        told = (best.learning_rate, best.weight_decay, float(scales.iloc[0]), dev[best][0])
        rows.append((*place, *told, len(part), int(part["diverged"].sum())))
    columns = [*_PLACE, "learning_rate", "weight_decay", "init_scale", "dev_accuracy"]
    return pd.DataFrame(rows, columns=[*columns, "tried", "diverged"])


def choices(
    table: pd.DataFrame, training: tuple[tuple[str, Any], ...] = ()
) -> dict[tuple[str, str, int], Variant]:
    """Return the tuned variant of each condition, head and n in a table of `chosen_table`.

    Args:
        table: what was chosen.
        training: what differs from the published setting beside the choice.
    """
    wanted = table[[*_PLACE, "learning_rate", "weight_decay", "init_scale"]]
    return {
        (str(condition), str(head), int(n)): Variant(
            "tuned", "", (rate,), (decay,), training, unit_logits=scale != 1
        )
        for condition, head, n, rate, decay, scale in wanted.itertuples(index=False, name=None)
    }


def search_cells(
    study: TrainedStudy,
    conditions: Mapping[str, FeatureSet],
    store: RecordStore,
    kind: str,
    declared: Sequence[TrainedCell],
) -> list[TrainedCell]:
    """Return the cells of a search: the declared ones, and what their records ask for beyond.

    Args:
        study: with the grid.
        conditions, store, kind: as for `recorded_runs`.
        declared: cells of the grid.
    """
    cells = list(declared)
    new = cells
    frames: list[pd.DataFrame] = []
    while new:
        frames.append(recorded_runs(study, conditions, store, new, kind)[0])
        runs = pd.concat(frames, ignore_index=True)
        known = {*cells}
        asked = [
            study.trial_cell(*place, trial)
            for place, part in _complete(runs, study.least_trials)
            for trial in further_trials(_dev(part))
        ]
        chosen = chosen_table(runs, study.least_trials)
        for (condition, head, n), variant in choices(chosen).items():
            if (larger := study.started_from(n)) is not None:
                start = _trial(variant)
                asked.append(study.trial_cell(condition, head, larger, start))
        new = [cell for cell in asked if cell not in known]
        cells += new
    return cells


def _trial(variant: Variant) -> Trial:
    rate, decay = variant.learning_rates[0], variant.weight_decays[0]
    assert rate is not None
    assert decay is not None
    return Trial(rate, decay, variant.unit_logits)


def _complete(
    runs: pd.DataFrame, least: Callable[[int], int]
) -> Iterator[tuple[tuple[str, str, int], pd.DataFrame]]:
    """Yield place and runs where the whole start is there, and some run did not diverge."""
    if runs.empty:
        return
    for _, part in runs.groupby(_PLACE, sort=False):
        condition, head, n = (part[name].iloc[0] for name in _PLACE)
        if len(part) >= least(int(n)) and part["dev_accuracy"].notna().any():
            yield (str(condition), str(head), int(n)), part


def _dev(part: pd.DataFrame) -> dict[Trial, tuple[float, float]]:
    """Return dev accuracy and minus dev loss of each trial; one that diverged is the worst."""
    columns = ["learning_rate", "weight_decay", "init_scale", "dev_accuracy", "dev_loss"]
    worst = float("-inf")
    return {
        Trial(rate, decay, scale != 1): (accuracy, -loss) if accuracy == accuracy else (worst,) * 2
        for rate, decay, scale, accuracy, loss in part[columns].itertuples(index=False, name=None)
    }
