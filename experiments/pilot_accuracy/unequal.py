"""Intervals of balanced accuracy: calibrated on worlds of unequal classes, judged on other ones.

``python -m experiments.pilot_accuracy.unequal collect | calibrate | judge``, in this order. Worlds
are of the ten families of the choice study with two to four classes whose scores are moved apart.

* ``collect`` writes `unequal_worlds.csv`: errors of the worlds that calibrate, one world at a time,
  so that a run can go on;
* ``calibrate`` makes the part of `fusiontheory/pilot/accuracy_error.json` that is of balanced
  accuracy;
* ``judge`` writes `unequal_judged.csv`, errors and intervals in worlds with other seeds, and
  `unequal.csv`, how many of these intervals hold.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fusiontheory.pilot
from experiments.choice import (
    PARTS,
    RATIOS,
    World,
    calibrate_accuracy,
    fitted_heads,
    fresh_worlds,
    hats,
    pilot_curves,
    pilot_record,
)
from experiments.pilot_accuracy.__main__ import STUDY
from fusiontheory.checks import InputError
from fusiontheory.pilot import Labels, error_parts, score_metrics
from fusiontheory.typing import Array

FOLDER = Path(__file__).parent
METRIC = "balanced_accuracy"
# Number of worlds and the seed of the first; no other study has these.
CALIBRATING, JUDGED = (40, 95_000), (30, 97_000)


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


def collected(path: Path, count: int, first: int) -> pd.DataFrame:
    """Return the rows of all worlds; those that the file lacks are measured and added.

    A world with a class of which there are not even five items to judge by is left out.
    """
    table = pd.read_csv(path) if path.exists() else pd.DataFrame({"world": []})
    for world in unequal_worlds(count, first):
        if (table["world"] == world.seed).any():
            continue
        try:
            table = pd.concat([table, world_rows(world)], ignore_index=True)
        except InputError as error:
            print("world left out:", error)
            continue
        table.to_csv(path, index=False, float_format="%.5g")
        print(world.seed, flush=True)
    return table


def ends(rows: pd.DataFrame, stored: dict[str, Any]) -> tuple[pd.Series, pd.Series]:
    """Return low and high ends of 90 % intervals by a stored calibration."""
    near = hats(rows["ratio"].to_numpy(), RATIOS)
    weights = near @ np.array(stored["deviations"])
    scale = np.sqrt(((weights * rows[list(PARTS)].to_numpy()) ** 2).sum(1))
    quantiles = near @ np.array(stored["quantiles"]["0.9"])
    low, high = (rows["said"] - quantiles[:, k] * scale for k in (1, 0))
    return low.clip(0, 1), high.clip(0, 1)


def held(rows: pd.DataFrame, stored: dict[str, Any]) -> pd.DataFrame:
    """Return errors in points and the share of 90 % intervals that hold, by pilot.

    ``carried`` is of intervals with the calibration of accuracy, ``quiet_covered`` of intervals
    whose ends are moved out by 1.645 deviations of the measured truth.
    """
    said, truth, noise = rows["said"], rows["truth"], 1.645 * np.sqrt(rows["noise"])
    low, high = ends(rows, stored[METRIC])
    before = ends(rows, stored)
    quiet = said - np.hypot(said - low, noise), said + np.hypot(high - said, noise)
    table = rows.assign(
        error=100 * rows["error"].abs(),
        bias=100 * rows["error"],
        covered=truth.between(low, high),
        quiet_covered=truth.between(*quiet),
        carried=truth.between(*before),
        width=high - low,
        carried_width=before[1] - before[0],
    )
    columns = ["error", "bias", "covered", "quiet_covered", "carried", "width", "carried_width"]
    parts = pd.concat([table.assign(pilot="any"), table.astype({"pilot": str})])
    found = parts.groupby("pilot")[columns].mean()
    worlds = parts.groupby(["pilot", "world"])["covered"].mean().groupby("pilot")
    found["covered_error"] = worlds.std() / np.sqrt(worlds.size())
    found["worlds"] = worlds.size()
    return found.reset_index().round(4)


def main() -> None:
    """Do what the word says."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    path = Path(fusiontheory.pilot.__file__).with_name("accuracy_error.json")
    stored = json.loads(path.read_text(encoding="utf-8"))
    if word == "collect":
        collected(FOLDER / "unequal_worlds.csv", *CALIBRATING)
    elif word == "calibrate":
        rows = pd.read_csv(FOLDER / "unequal_worlds.csv")
        stored[METRIC] = calibrate_accuracy(rows)
        path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    elif word == "judge":
        rows = collected(FOLDER / "unequal_judged.csv", *JUDGED)
        table = held(rows, stored)
        table.to_csv(FOLDER / "unequal.csv", index=False, float_format="%.6g")
        print(table.to_string(index=False))
    else:
        sys.exit("give one of collect, calibrate, judge")


if __name__ == "__main__":
    main()
