"""What regret would be left to a rule that is told more: ``python -m experiments.choice.floor``.

Writes two tables from the stored ones alone. `floor.csv` has the mean regret at the target by pilot
of

* the advice, as it is;
* the advice with a prior made of true risks in the *judged* worlds, and of the errors of their
  forecasts, in place of the calibration worlds'. Each task is left out of its own: the prior that
  no user has; or, which a user could have, all worlds of its family are;
* the head with the best forecast, and with forecasts whose errors are smaller by a factor, up to
  none at all;
* the head with the best forecast, each moved so that it passes through the head's true risk at the
  pilot's size, where that was measured.

`floor_risk.csv` has the error of the risk at 8 times a pilot of 100 of the forecast; of the same
when it is told the true risk at the pilot's size, or the factor of its gain that is best on the
judged tasks themselves; of a flat curve and of a power law.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.choice.__main__ import STUDY
from experiments.side_tables import arguments, write_side_table
from fusiontheory.pilot import mixture_posterior
from fusiontheory.typing import Array, Integers

FOLDER = Path(__file__).parent
# What is left of the forecasts' errors.
LEFT = (1.0, 0.75, 0.5, 0.25, 0.0)
# Spread of the level of all risks in the prior, as in `fusiontheory.pilot.choice`.
_LEVEL = 3.0
_PILOT = ["task", "pilot"]


def wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a row a pilot and a column a head."""
    return table.pivot_table(index=["n0", *_PILOT], columns="head", values=column)


def regrets(picked: Integers, accuracy: Array) -> Array:
    """Return what the picked column loses in points against the best of each row."""
    lost: Array = 100 * (accuracy.max(1) - accuracy[np.arange(len(accuracy)), picked])
    return lost


def floor(choices: pd.DataFrame, truth: pd.DataFrame, target: int) -> pd.DataFrame:
    """Return the mean regret in points of each rule, by pilot, with its error over tasks."""
    both = choices[choices["n0"] < target].merge(
        truth[truth["n"] == target], on=["task", "head"], validate="many_to_one"
    )
    arrays = {
        name: wide(both, name)
        for name in ("advised_risk", "forecast", "deviation", "true_risk", "true_accuracy")
    }
    accuracy = arrays["true_accuracy"].to_numpy()
    found = {"advice": regrets(arrays["advised_risk"].to_numpy().argmin(1), accuracy)}
    index = arrays["true_risk"].index
    task, n0 = (index.get_level_values(name) for name in ("task", "n0"))
    family = choices.drop_duplicates("task").set_index("task")["family"].reindex(task).to_numpy()
    own: dict[str, Any] = {
        "a prior of the other judged worlds": task,
        "of those of other families": family,
    }
    for rule, kind in own.items():
        world = task.str.startswith("world")
        others = [world & (n0 == n) & (kind != k) for n, k in zip(n0, kind, strict=True)]
        found[rule] = regrets(_told_prior(arrays, others), accuracy)
    for left in LEFT:
        name = f"forecast errors times {left:g}"
        risk, forecast = arrays["true_risk"], arrays["forecast"]
        found[name] = regrets((risk + left * (forecast - risk)).to_numpy().argmin(1), accuracy)
    found["told the level"] = regrets(_told_level(both, truth, index).argmin(1), accuracy)
    measured = index.get_level_values("n0").isin(truth["n"])
    found["told the level"] = np.where(measured, found["told the level"], np.nan)
    rows = []
    for rule, values in found.items():
        table = pd.DataFrame({"regret": values, "above": values - found["advice"]}, index)
        by_task = table.dropna().groupby(["n0", "task"]).mean()
        for size, part in by_task.groupby("n0"):
            errors = part.std() / np.sqrt(len(part))
            means = [x for name in table for x in (part[name].mean(), errors[name])]
            rows.append((rule, size, *means, len(part)))
    names = ["rule", "n0", "regret", "error", "above_advice", "above_error", "tasks"]
    return pd.DataFrame(rows, columns=names).round(4)


def _told_level(both: pd.DataFrame, truth: pd.DataFrame, index: pd.Index) -> Array:
    """Return the true risk at the pilot's size less the gain that is forecast; 0 if unmeasured."""
    level = truth.rename(columns={"n": "n0", "true_risk": "level"})
    known = both.merge(level[["task", "n0", "head", "level"]], on=["task", "n0", "head"])
    moved = wide(known.assign(moved=known["level"] - known["flat"] + known["forecast"]), "moved")
    risks: Array = moved.reindex(index).fillna(0.0).to_numpy()
    return risks


def _told_prior(arrays: dict[str, pd.DataFrame], others: list[NDArray[np.bool_]]) -> Integers:
    """Return the column with the least expected risk of each row, given the truths of others."""
    truth, forecast, scale = (arrays[k].to_numpy() for k in ("true_risk", "forecast", "deviation"))
    standard = (forecast - truth) / scale
    settings = files("fusiontheory.pilot").joinpath("calibration.json").read_text(encoding="utf-8")
    bandwidth = float(json.loads(settings)["choice"]["bandwidth"])
    picked = np.empty(len(truth), int)
    for k, known in enumerate(others):
        errors = standard[known].T @ standard[known] / known.sum()
        covariance = errors * np.outer(scale[k], scale[k])
        told = (truth[known], bandwidth, _LEVEL)
        weights, means, _ = mixture_posterior(forecast[k], covariance, *told)
        picked[k] = (weights @ means).argmin()
    return picked


def risk_floor(choices: pd.DataFrame, truth: pd.DataFrame, target: int, n0: int) -> pd.DataFrame:
    """Return mean absolute errors of the risk at the target in points, and ratios of them."""
    keys = ["task", "head"]
    there = truth[truth["n"] == n0].rename(columns={"true_risk": "level"})[[*keys, "level"]]
    both = choices[(choices["n0"] == n0) & choices["power"].notna()].merge(
        truth[truth["n"] == target], on=keys, validate="many_to_one"
    )
    both = both.merge(there, on=keys, validate="many_to_one")
    flat, level, risk = (both[k].to_numpy() for k in ("flat", "level", "true_risk"))
    gain = flat - both["forecast"].to_numpy()
    power = both["power"].to_numpy()
    factors = np.linspace(0, 2, 81)
    said = {
        "forecast": flat - gain,
        "told the level": level - gain,
        "told the best factor": flat - _best(factors, flat, gain, risk) * gain,
        "told both": level - _best(factors, level, gain, risk) * gain,
        "flat curve": flat,
        "power law": power,
        "power law, told the level": power * level / flat,
    }
    errors = pd.DataFrame({name: 100 * np.abs(x - risk) for name, x in said.items()})
    means = errors.mean()
    by_task = errors.groupby(both["task"]).mean()
    table = pd.DataFrame(
        {
            "error": means,
            "standard_error": by_task.std() / np.sqrt(len(by_task)),
            "to_flat": means / means["flat curve"],
            "to_power": means / means["power law"],
            "to_flat_error": _ratio_errors(errors, both["task"], "flat curve"),
            "to_power_error": _ratio_errors(errors, both["task"], "power law"),
        }
    )
    return table.rename_axis("rule").reset_index().round(4)


def _ratio_errors(errors: pd.DataFrame, task: pd.Series[str], below: str) -> pd.Series[float]:
    """Return the standard error of each mean over that of a rule, a jackknife over tasks."""
    sums = errors.groupby(task).sum()
    left_out = sums.sum() - sums
    ratios = left_out.div(left_out[below], axis=0)
    found: pd.Series[float] = ratios.std(ddof=0) * np.sqrt(len(ratios) - 1)
    return found


def _best(factors: Array, start: Array, gain: Array, risk: Array) -> float:
    """Return the factor of the gain with the least mean absolute error."""
    errors = [np.abs(start - factor * gain - risk).mean() for factor in factors]
    return float(factors[int(np.argmin(errors))])


def main() -> None:
    """Write `floor.csv` and `floor_risk.csv`."""
    arguments(__doc__)
    tables = STUDY.tables()
    choices = tables["choices.csv"].merge(tables["tasks.csv"][["task", "family"]], on="task")
    found = floor(choices, tables["truth.csv"], STUDY.config.target)
    write_side_table(FOLDER / "floor.csv", found, main)
    print(found.to_string(index=False))
    risk = risk_floor(tables["choices.csv"], tables["truth.csv"], STUDY.config.target, 100)
    write_side_table(FOLDER / "floor_risk.csv", risk, main)
    print(risk.to_string(index=False))


if __name__ == "__main__":
    main()
