"""Intervals of balanced accuracy: calibrated on worlds of unequal classes, judged on other ones.

``python -m experiments.pilot_accuracy.unequal collect | calibrate | judge``, in this order. Worlds
are of the ten families of the choice study with two to four classes whose scores are moved apart.

* ``collect`` writes `unequal_worlds.csv`: errors of the worlds that calibrate, a record a world, so
  that a run can go on;
* ``calibrate`` makes the part of `fusiontheory/pilot/accuracy_error.json` that is of balanced
  accuracy;
* ``judge`` writes `unequal_judged.csv`, errors in worlds with other seeds, and `unequal.csv`, how
  many intervals hold there, and in calibration worlds that were left out of the calibration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fusiontheory.pilot
from experiments.choice import (
    PARTS,
    RATIOS,
    World,
    fitted_heads,
    fresh_worlds,
    hats,
    pilot_curves,
    pilot_record,
    weighted_quantile,
)
from experiments.pilot_accuracy.__main__ import STUDY
from experiments.side_tables import arguments, write_side_table
from experiments.study import Records
from fusiontheory.checks import InputError
from fusiontheory.pilot import Labels, error_parts, score_metrics
from fusiontheory.store import Cell, code_version
from fusiontheory.typing import Array

FOLDER = Path(__file__).parent
METRIC = "balanced_accuracy"
# Number of worlds and the seed of the first; no other study has these.
CALIBRATING, JUDGED = (40, 95_000), (30, 97_000)
COLUMNS = [
    *("world", "family", "pilot", "head", "n", "ratio", "classes"),
    *("said", "truth", "error", "noise", *PARTS),
]
"""Of both tables of worlds."""


def unequal_worlds(count: int, first: int) -> Iterator[World]:
    """Yield worlds of every family with two to four classes of unequal size."""
    for world in fresh_worlds(count, first):
        rng = np.random.default_rng([world.seed, 11])
        classes, apart = int(rng.choice((2, 3, 4))), float(rng.choice((0.4, 0.8, 1.2)))
        yield replace(world, classes=classes, unequal=apart)


def world_rows(world: World) -> pd.DataFrame:
    """Return a row for each pilot, head and size: truth, error and the parts of its scale.

    Pilots without an item of some class are left out. ``noise`` is the variance of the truth.
    """
    truth = _truth(world)
    rows: list[dict[str, Any]] = []
    for n0 in (*STUDY.config.pilots, STUDY.config.large):
        try:
            record = pilot_record(*world.sampler()(n0, 100 + 1000 * n0))
        except InputError:
            continue  # a class with too few items
        if record["codes"].max() + 1 < world.classes:
            continue
        for curve in pilot_curves(record):
            law, found = curve.score_law, curve.forecast(sorted(truth))
            parts = error_parts(law, found, METRIC)
            said = zip(found.sizes, law.at(found.risk)[METRIC], parts, strict=True)
            for n, value, part in said:
                true, noise = truth[int(n)][curve.head]
                about = {"world": world.seed, "family": world.family, "pilot": n0}
                about |= {"head": curve.head, "n": int(n), "ratio": n / n0}
                about |= {"classes": world.classes}
                judged = {"said": value, "truth": true, "error": value - true, "noise": noise}
                rows.append({**about, **judged, **dict(zip(PARTS, part, strict=True))})
    return pd.DataFrame(rows)


def _truth(world: World) -> dict[int, dict[str, tuple[float, float]]]:
    """Return balanced accuracy and its variance by size and head."""
    config, draw = STUDY.config, world.sampler()
    pool, test = draw(config.pool, 1), draw(config.test, 0)
    judged = Labels.from_labels(np.r_[test[2], pool[2]]).subset(np.arange(len(test[2])))
    return {
        n: {head: _valued([fit.scores[0] for fit in fits], judged) for head, fits in heads.items()}
        for n, heads in fitted_heads(pool, test, config.training_sets)
    }


def _valued(scores: list[Array], judged: Labels) -> tuple[float, float]:
    """Return the mean over training sets, and its variance over these and the items that judge."""
    values = np.array([score_metrics(s, judged)[METRIC] for s in scores])
    mean, shares = float(values.mean()), judged.shares[judged.shares > 0]
    noise = mean * (1 - mean) * float((1 / shares).sum()) / len(shares) ** 2 / judged.items
    several = float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0
    return mean, noise + several


def collected(count: int, first: int, root: Path = STUDY.records) -> pd.DataFrame:
    """Return the rows of all worlds; those without a record of this code are measured and kept.

    A world with a class of which there are not even five items to judge by is left out.
    """
    records, parts = Records(root, f"{STUDY.name}_unequal"), []
    code = code_version(world_rows)
    for world in unequal_worlds(count, first):
        cell = Cell(records.name, {"seed": world.seed}, features=world.family, code=code)
        rows = records.computed([cell], partial(_recorded, world=world))
        if "error" in rows:
            parts.append(rows[COLUMNS])
    return pd.concat(parts, ignore_index=True)


def _recorded(cell: Cell, world: World) -> list[dict[str, Any]]:
    """Return the rows of a world, or one that says why it is left out."""
    del cell  # named by the world's seed
    try:
        rows = world_rows(world)
    except InputError as error:
        return [{"left_out": str(error)}]
    if rows.empty:
        return [{"left_out": "no pilot has all classes"}]
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows[COLUMNS].itertuples(index=False)]


def seen(rows: pd.DataFrame) -> pd.Series:
    """Return which rows forecast at least 5 points above chance.

    Where nothing is learned a forecast of chance is right to the last digit, and says nothing about
    intervals elsewhere.
    """
    return rows["said"] > 1 / rows["classes"] + 0.05


def calibrated(rows: pd.DataFrame, stored: dict[str, Any]) -> dict[str, Any]:
    """Return the weights that accuracy has, with quantiles of the errors of balanced accuracy.

    Quantiles are of rows that forecast more than chance. The weights themselves, fitted to these
    few worlds, held no better when each world was left out in turn.
    """
    rows = rows[seen(rows)]
    near = hats(rows["ratio"].to_numpy(), RATIOS)
    standard = rows["error"].to_numpy() / _scale(rows, stored["deviations"])
    quantiles = {
        level: [
            [weighted_quantile(standard, column, (1 + sign * float(level)) / 2) for sign in (-1, 1)]
            for column in near.T
        ]
        for level in stored["quantiles"]
    }
    return {
        **{key: stored[key] for key in ("ratios", "parts", "deviations")},
        "quantiles": {level: np.round(q, 4).tolist() for level, q in quantiles.items()},
        "worlds": int(rows["world"].nunique()),
        "rows": len(rows),
    }


def left_out(rows: pd.DataFrame, stored: dict[str, Any]) -> pd.DataFrame:
    """Return low and high ends by a calibration that each row's world had no part in."""
    parts = []
    for world in rows["world"].unique():
        own = rows["world"] == world
        low, high = ends(rows[own], calibrated(rows[~own], stored))
        parts.append(pd.DataFrame({"low": low, "high": high}))
    return pd.concat(parts).loc[rows.index]


def _scale(rows: pd.DataFrame, deviations: list[list[float]]) -> Array:
    """Return the scale of each row's error."""
    weights = hats(rows["ratio"].to_numpy(), RATIOS) @ np.array(deviations)
    scale: Array = np.sqrt(((weights * rows[list(PARTS)].to_numpy()) ** 2).sum(1))
    return scale


def ends(rows: pd.DataFrame, stored: dict[str, Any]) -> tuple[pd.Series, pd.Series]:
    """Return low and high ends of 90 % intervals by a stored calibration."""
    scale = _scale(rows, stored["deviations"])
    quantiles = hats(rows["ratio"].to_numpy(), RATIOS) @ np.array(stored["quantiles"]["0.9"])
    low, high = (rows["said"] - quantiles[:, k] * scale for k in (1, 0))
    return low.clip(0, 1), high.clip(0, 1)


def held(
    rows: pd.DataFrame, low: pd.Series, high: pd.Series, stored: dict[str, Any]
) -> pd.DataFrame:
    """Return errors in points and the share of 90 % intervals that hold, by pilot.

    ``kind`` is "all" rows, or those "seen" above chance. ``carried`` is of intervals with the
    calibration of accuracy.
    """
    truth, before = rows["truth"], ends(rows, stored)
    table = rows.assign(
        error=100 * rows["error"].abs(),
        bias=100 * rows["error"],
        covered=truth.between(low, high),
        carried=truth.between(*before),
        width=high - low,
        carried_width=before[1] - before[0],
    )
    columns = ["error", "bias", "covered", "carried", "width", "carried_width"]
    kinds = [table.assign(kind="all"), table[seen(table)].assign(kind="seen")]
    parts = [part.assign(pilot=part["pilot"].astype(int).astype(str)) for part in kinds]
    parts += [part.assign(pilot="any") for part in kinds]
    both = pd.concat(parts)
    found = both.groupby(["kind", "pilot"])[columns].mean()
    worlds = both.groupby(["kind", "pilot", "world"])["covered"].mean().groupby(["kind", "pilot"])
    found["covered_error"] = worlds.std() / np.sqrt(worlds.size())
    found["worlds"] = worlds.size()
    return found.reset_index().round(4)


def main() -> None:
    """Do what the word says."""
    [word] = arguments(__doc__, {"word": ("collect", "calibrate", "judge")})
    path = Path(fusiontheory.pilot.__file__).with_name("accuracy_error.json")
    stored = json.loads(path.read_text(encoding="utf-8"))
    if word == "collect":
        rows = collected(*CALIBRATING)
        write_side_table(FOLDER / "unequal_worlds.csv", rows, world_rows, "%.5g")
    elif word == "calibrate":
        rows = pd.read_csv(FOLDER / "unequal_worlds.csv")
        stored[METRIC] = calibrated(rows, stored)
        path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        alone = left_out(rows, stored)
        print(held(rows, alone["low"], alone["high"], stored).to_string(index=False))
    else:
        rows = collected(*JUDGED)
        write_side_table(FOLDER / "unequal_judged.csv", rows, world_rows, "%.5g")
        calibrating = pd.read_csv(FOLDER / "unequal_worlds.csv")
        alone = left_out(calibrating, stored)
        tables = {
            "left out": held(calibrating, alone["low"], alone["high"], stored),
            "judged": held(rows, *ends(rows, stored[METRIC]), stored),
        }
        table = pd.concat([part.assign(set=name) for name, part in tables.items()])
        write_side_table(FOLDER / "unequal.csv", table, held)
        print(table.to_string(index=False))


if __name__ == "__main__":
    main()
