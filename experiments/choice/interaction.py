"""Size and power of the interaction test, in worlds with the ranges of the judged ones.

Pilots of 500; half their scores may be noise, their modalities may correlate by 0.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.choice.config import Config
from experiments.choice.worlds import world_of
from fusiontheory.pilot import interaction_test
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records

__all__ = ["FAMILIES", "NULLS", "tests"]

SIDES = (("linear-v", 0.35), ("linear-t", 0.35))
NULLS = {
    "additive": (("linear-v", 0.5), ("linear-t", 0.5)),
    "quadratic": (("quadratic-v", 0.6), ("linear-t", 0.4)),
    "quadratic2": (("quadratic-v", 0.5), ("quadratic-t", 0.5)),
}
FAMILIES = {
    **NULLS,
    "share3": (("planted", 0.3), *SIDES),
    "rank3": (("rank-one", 0.3), *SIDES),
    "xor3": (("xor", 0.3), *SIDES),
}
# Seeds from 50,000 on were looked at while the test was made.
ITEMS, PERMUTATIONS, FIRST_SEED = 500, 199, 60_000


def tests(config: Config, records: Records) -> pd.DataFrame:
    """Return a row a test: family, properties of its world, and the p-value."""
    code = code_version(test_rows)
    seeds = range(FIRST_SEED, FIRST_SEED + config.interaction_worlds)
    cells = [Cell(records.name, {"interaction": seed}, f"world{seed}", code) for seed in seeds]
    names = ["family", "seed", "classes", "noise", "correlation", "p_value"]
    return records.rows(cells, test_rows, config.jobs)[names]


def test_rows(cell: Cell) -> list[dict[str, Any]]:
    """Test each family with the properties of one seed."""
    rows = []
    for family, terms in FAMILIES.items():
        world = world_of(family, terms, cell.config["interaction"], judged=True)
        v, t, y = world.sampler()(ITEMS, 1)
        found = interaction_test(v, t, y, permutations=PERMUTATIONS)
        rows.append(
            {
                "family": family,
                "seed": world.seed,
                "classes": world.classes,
                "noise": world.noise,
                "correlation": world.correlation,
                "p_value": found.p_value,
            }
        )
    return rows
