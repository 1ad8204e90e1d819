"""Which rules of finding ranges and widths are kept: those that miss the fewest bars.

``python -m experiments.foreign_features.rules`` judges every population by what the others make of
it, once with each setting of `ranges.Rules`, and writes ``rules.csv``: a row a setting with what is
found for each bar. The criterion was written down before any of these rows was computed: fewest
bars missed; then the least sum of what they are missed by, as a share of the bar; then fewest cells
warned. The populations of `experiments.unseen_features` have no part in it.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pandas as pd

from experiments.foreign_features.__main__ import STUDY
from experiments.foreign_features.calibrate import SAID, judged
from experiments.foreign_features.ranges import Rules
from experiments.foreign_features.summary import TRIVIAL, judged_cells, targets
from experiments.side_tables import arguments, write_side_table

__all__ = ["SETTINGS", "best", "main", "missed"]

SETTINGS = tuple(Rules(*each) for each in product((0.5, 0.25), (0.1, 0.05), (False, True)))
"""Every way in which the rules may be set; the first is that of the study's first versions."""

TABLE = Path(__file__).with_name("rules.csv")
"""What was found with each."""

# As `summary.targets` names them: what is asked at most, or at least.
_MOST = {
    "mean error of unwarned cells, points": 1.0,
    "mean error at ridge 0.1, points": 1.0,
    "largest beyond noise, points": 2.5,
    "largest at ridge 0.1, points": 2.5,
    "cells of benign populations warned, %": 10.0,
    "populations below 85 % by more than chance": 0.0,
}
_LEAST = {
    "intervals of unwarned cells that hold, %": 92.0,
    "intervals of warned cells that hold, %": 90.0,
}
_WARNED = "cells warned, %"


def main() -> pd.DataFrame:
    """Return a row a setting."""
    tables, rows = STUDY.tables(), []
    for name, table in tables.items():
        if "head" in table:  # What is right everywhere is not counted, and takes its time.
            tables[name] = table[table["head"] != TRIVIAL]
    for rules in SETTINGS:
        table = judged_cells({**tables, "results.csv": judged(tables, rules=rules)[SAID]})
        found = targets(table).set_index("what")["found"]
        rows.append({**rules._asdict(), **found[[*_MOST, *_LEAST, _WARNED]]})
    return pd.DataFrame(rows)


def missed(table: pd.DataFrame) -> pd.DataFrame:
    """Return for each row how many bars are missed, and by what share of the bar in sum."""
    over = [(table[name] - bar).clip(lower=0) / max(bar, 1.0) for name, bar in _MOST.items()]
    under = [(bar - table[name]).clip(lower=0) / bar for name, bar in _LEAST.items()]
    by = pd.concat([*over, *under], axis=1)
    return pd.DataFrame({"bars": (by > 0).sum(axis=1), "by": by.sum(axis=1)})


def best(table: pd.DataFrame) -> Rules:
    """Return the rules that the criterion chooses among the rows of ``rules.csv``."""
    order = (
        missed(table)
        .assign(warned=table[_WARNED])
        .sort_values(["bars", "by", "warned"], kind="stable")
    )
    row = table.loc[order.index[0], list(Rules._fields)]
    return Rules(float(row["part"]), float(row["price"]), bool(row["extremes"]))


if __name__ == "__main__":
    arguments(__doc__)
    write_side_table(TABLE, main(), main)
