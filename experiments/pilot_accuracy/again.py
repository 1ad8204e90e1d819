"""The stored intervals without the truth's noise, and balanced accuracy by the code of now.

``python -m experiments.pilot_accuracy.again``; nothing is trained. Writes

* `quiet.csv`: how many of the sealed intervals hold by pilot and size, as measured and with each
  end moved out in quadrature by what the measured truth itself varies by (1.645 deviations);
* `balanced.csv`: errors and coverage of balanced accuracy in the worlds of unequal classes, as
  sealed and by the code of now. The truths were known when this code was written; the worlds had no
  part in its calibration. Pilots without an item of some class are left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.choice import fresh_worlds, pilot_curves, pilot_record
from experiments.pilot_accuracy.__main__ import STUDY
from experiments.pilot_accuracy.predict import KEY
from experiments.side_tables import arguments, write_side_table
from fusiontheory.checks import InputError
from fusiontheory.pilot import metric_interval
from fusiontheory.typing import AnyArray, Array

FOLDER = Path(__file__).parent
METRIC = "balanced_accuracy"
# Of a normal distribution, outside of which are 10 %.
_SPREAD = 1.645


def quiet(both: pd.DataFrame) -> pd.DataFrame:
    """Return the share of intervals that hold, by pilot and size, with and without noise."""
    said, noise = both["accuracy"], _SPREAD * np.sqrt(both["noise"])
    low = said - np.hypot(said - both["accuracy_low"], noise)
    high = said + np.hypot(both["accuracy_high"] - said, noise)
    table = both.assign(
        covered=both["true_accuracy"].between(both["accuracy_low"], both["accuracy_high"]),
        quiet_covered=both["true_accuracy"].between(low, high),
        noise=100 * np.sqrt(both["noise"]),
        width=100 * (both["accuracy_high"] - both["accuracy_low"]),
    )
    columns = ["covered", "quiet_covered", "noise", "width"]
    parts = [table.assign(n="any"), table.assign(n=table["n"].astype(str))]
    grouped = pd.concat(parts).groupby(["pilot", "n"])
    found = grouped[columns].mean()
    found["tasks"] = grouped["task"].nunique()
    return found.reset_index().round(4)


def balanced(both: pd.DataFrame) -> pd.DataFrame:
    """Return errors in points, coverage and width of balanced accuracy by pilot and size."""
    config = STUDY.config
    rows: list[tuple[object, ...]] = []
    for world in fresh_worlds(config.worlds, config.first):
        if world.family != "unequal":
            continue
        for n in (*config.pilots, config.large):
            rows += _rows(
                f"world{world.seed}", world.classes, n, world.sampler()(n, 100 + 1000 * n)
            )
    names = [*KEY, "now", "now_low", "now_high"]
    table = both.merge(pd.DataFrame(rows, columns=names), on=KEY)
    truth = table[f"true_{METRIC}"]
    table = table.assign(
        error=100 * (table["now"] - truth).abs(),
        bias=100 * (table["now"] - truth),
        covered=truth.between(table["now_low"], table["now_high"]),
        width=table["now_high"] - table["now_low"],
        sealed_error=100 * (table[METRIC] - truth).abs(),
        sealed_bias=100 * (table[METRIC] - truth),
        sealed_covered=truth.between(table[f"{METRIC}_low"], table[f"{METRIC}_high"]),
    )
    columns = ["error", "bias", "covered", "width"]
    columns += ["sealed_error", "sealed_bias", "sealed_covered"]
    found = table.groupby("pilot")[columns].mean()
    worlds = table.groupby(["pilot", "task"])["covered"].mean().groupby("pilot")
    found["covered_error"], found["tasks"] = worlds.std() / np.sqrt(worlds.size()), worlds.size()
    return found.reset_index().round(4)


def _rows(
    task: str, classes: int, n: int, items: tuple[Array, Array, AnyArray]
) -> list[tuple[object, ...]]:
    """Return what is said of each head at each size; nothing where a class has no items."""
    try:
        record = pilot_record(*items)
    except InputError:
        return []  # a class with too few items
    if record["codes"].max() + 1 < classes:
        return []
    sizes, rows = STUDY.config.sizes, list[tuple[object, ...]]()
    for curve in pilot_curves(record):
        found, law = curve.forecast(sizes), curve.score_law
        ends = metric_interval(law, found, METRIC)
        columns = zip(sizes, law.at(found.risk)[METRIC], *ends, strict=True)
        rows += [(task, n, curve.head, *row) for row in columns]
    return rows


def main() -> None:
    """Write both tables and print them."""
    arguments(__doc__)
    tables = STUDY.tables()
    both = tables["predictions.csv"].merge(tables["truth.csv"], on=["task", "n", "head"])
    for name, table in {"quiet": quiet(both), "balanced": balanced(both)}.items():
        write_side_table(FOLDER / f"{name}.csv", table, main)
        print(table.to_string(index=False))


if __name__ == "__main__":
    main()
