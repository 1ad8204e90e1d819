"""Size and power of the interaction test: ``python -m experiments.choice.interaction [WORLDS]``.

Pilots of 500 from worlds with the ranges of the judged ones (half their scores may be noise, their
modalities may correlate by 0.6), a world for each test, with seeds that the test was not made on.
Writes `interaction.csv`, a row a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from experiments.choice.worlds import world_of
from fusiontheory.pilot import interaction_test

SIDES = (("linear-v", 0.35), ("linear-t", 0.35))
FAMILIES = {
    "additive": (("linear-v", 0.5), ("linear-t", 0.5)),
    "quadratic": (("quadratic-v", 0.6), ("linear-t", 0.4)),
    "quadratic2": (("quadratic-v", 0.5), ("quadratic-t", 0.5)),
    "share3": (("planted", 0.3), *SIDES),
    "rank3": (("rank-one", 0.3), *SIDES),
    "xor3": (("xor", 0.3), *SIDES),
}
ITEMS, PERMUTATIONS, FIRST_SEED = 500, 199, 54_000


def main() -> None:
    """Test each family in each world and print the share of rejections at 5 %."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    rows = []
    for k in range(count * len(FAMILIES)):
        family, seed = list(FAMILIES)[k % len(FAMILIES)], FIRST_SEED + k
        world = world_of(family, FAMILIES[family], seed, judged=True)
        v, t, y = world.sampler()(ITEMS, 1)
        found = interaction_test(v, t, y, permutations=PERMUTATIONS)
        about = (world.classes, world.noise, world.correlation, world.tails)
        rows.append((family, seed, *about, found.p_value))
    names = ["family", "seed", "classes", "noise", "correlation", "tails", "p_value"]
    table = pd.DataFrame(rows, columns=names)
    table.to_csv(Path(__file__).with_name("interaction.csv"), index=False)
    print(table.assign(rejected=table["p_value"] <= 0.05).groupby("family")["rejected"].mean())


if __name__ == "__main__":
    main()
