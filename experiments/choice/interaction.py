"""Size and power of the interaction test: ``python -m experiments.choice.interaction [WORLDS]``.

Pilots of 500 from worlds with the ranges of the judged ones (half their scores may be noise, their
modalities may correlate by 0.6), a world for each test, with seeds that the test was not made on.
Writes `interaction.csv`, a row a test, `interaction_power.csv`, rejections at 5 % by what worlds
are like, and `interaction_level.csv`, the share that is found at sizes of 0.05 and 0.07. Beside
the p-value of the test stand those of the same test when it is told

* ``p_kernel``: what the world's functions are like. It sees the modalities before their axes were
  scaled and their rows lengthened, and has as its two kernels the covariances, over worlds, of
  the additive functions and of the interaction;
* ``p_function``: the interaction itself, where there is one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.choice.worlds import World, world_of
from experiments.side_tables import arguments, write_side_table
from fusiontheory.pilot import interaction_test, kernel_test
from fusiontheory.typing import AnyArray, Array

SIDES = (("linear-v", 0.35), ("linear-t", 0.35))
FAMILIES = {
    "additive": (("linear-v", 0.5), ("linear-t", 0.5)),
    "quadratic": (("quadratic-v", 0.6), ("linear-t", 0.4)),
    "quadratic2": (("quadratic-v", 0.5), ("quadratic-t", 0.5)),
    "share3": (("planted", 0.3), *SIDES),
    "rank3": (("rank-one", 0.3), *SIDES),
    "xor3": (("xor", 0.3), *SIDES),
}
NAMES = {
    "additive": "additive",
    "quadratic": "quadratic in one modality",
    "quadratic2": "quadratic in both",
    "share3": "planted product",
    "rank3": "rank-one product",
    "xor3": "XOR",
}
PRODUCTS = ("planted", "rank-one", "xor")
ITEMS, PERMUTATIONS, FIRST_SEED = 500, 199, 56_000
# Share of quadratic terms that the told kernel has anyway.
_LEAST = 1e-3


def main() -> None:
    """Test each family in each world and print the share of rejections at 5 %."""
    [count] = arguments(__doc__, {"count": int}, count=40)
    rows = []
    for k in range(count * len(FAMILIES)):
        family, seed = list(FAMILIES)[k % len(FAMILIES)], FIRST_SEED + k
        world = world_of(family, FAMILIES[family], seed, judged=True)
        v, t, y = world.sampler()(ITEMS, 1)
        found = interaction_test(v, t, y, permutations=PERMUTATIONS)
        about = (world.classes, world.noise, world.correlation, world.tails, world.alignment)
        rows.append((family, seed, *about, found.p_value, *told(world, y)))
    names = ["family", "seed", "classes", "noise", "correlation", "tails", "alignment"]
    values = ["p_value", "p_kernel", "p_function"]
    table = pd.DataFrame(rows, columns=[*names, *values])
    folder = Path(__file__).parent
    write_side_table(folder / "interaction.csv", table, main, None)
    counts = power(table)
    write_side_table(folder / "interaction_power.csv", counts, main)
    print(counts.to_string(index=False))
    levels = at_level(table)
    write_side_table(folder / "interaction_level.csv", levels, main)
    print(levels.to_string(index=False))


def at_level(table: pd.DataFrame) -> pd.DataFrame:
    """Return the share found where a certain share of worlds without interaction is rejected.

    Tests that reject fewer of these than they may are compared so. ``below`` is the p-value at
    which that is.
    """
    planted = table["family"].isin([name for name in FAMILIES if name.endswith("3")])
    rows = []
    for column in ("p_value", "p_kernel"):
        null, other = table.loc[~planted, column], table.loc[planted, column]
        for size in (0.05, 0.07):
            below = float(np.sort(null)[int(size * len(null)) - 1])
            rows.append((column, size, below, float((other <= below).mean())))
    return pd.DataFrame(rows, columns=["test", "size", "below", "found"])


def power(table: pd.DataFrame) -> pd.DataFrame:
    """Return rejections at 5 % of worlds without and with an interaction, by what they are like.

    ``without`` and ``rejected`` count the former, ``with``, ``found``, ``by_kernel`` and
    ``by_function`` the latter.
    """
    planted = table["family"].isin([name for name in FAMILIES if name.endswith("3")])
    rows = []
    for name, chosen in _groups(table).items():
        null, other = table[chosen & ~planted], table[chosen & planted]
        columns = ("p_value", "p_kernel", "p_function")
        found = [int((other[column] <= 0.05).sum()) for column in columns]
        counts = (len(null), int((null["p_value"] <= 0.05).sum()), len(other), *found)
        rows.append((name, *counts))
    names = ["worlds", "without", "rejected", "with", "found", "by_kernel", "by_function"]
    return pd.DataFrame(rows, columns=names)


def _groups(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return which rows belong to each kind of worlds, by its name in words."""
    correlation, noise = table["correlation"], table["noise"]
    groups = {
        "all": table["seed"] > 0,
        "independent modalities": correlation == 0,
        "correlation of 0.3": (correlation > 0) & (correlation < 0.5),
        "correlation of 0.6": correlation > 0.5,
        "labels are numbers": table["classes"] == 0,
        "two classes": table["classes"] == 2,
        "four classes": table["classes"] == 4,
        "no noise or a tenth": noise < 0.2,
        "0.3 of the score is noise": (noise > 0.2) & (noise < 0.4),
        "half of the score is noise": noise > 0.4,
        "rows of Gaussian length": table["tails"] == 0,
        "rows of heavy-tailed length": table["tails"] > 0,
    }
    kinds = {name: table["family"] == family for family, name in NAMES.items()}
    return {**groups, **kinds}


def told(world: World, y: AnyArray) -> tuple[float, float]:
    """Return the p-value of the test that is told the kernels, and of that told the function."""
    v, t = world.latent(ITEMS, np.random.default_rng([world.seed, 2, 1]))
    a, b = (_weighted(x, world.alignment) for x in (v, t))
    shares = dict(world.terms)
    interaction = sum(shares.get(name, 0.0) for name in PRODUCTS)
    # A product of correlated modalities is for this part of its root quadratic in each of them.
    shadow = world.correlation / (1 + world.correlation**2)
    quadratic = _LEAST + interaction * shadow**2
    base = shares.get("linear-v", 0.0) * a + shares.get("linear-t", 0.0) * b
    base = base + (quadratic + shares.get("quadratic-v", 0.0)) * a**2
    base = base + (quadratic + shares.get("quadratic-t", 0.0)) * b**2
    product = _signs(a) * _signs(b) if "xor" in shares else a * b
    by_kernel = kernel_test(base, product, y, permutations=PERMUTATIONS).p_value
    if not interaction:
        return by_kernel, float("nan")
    function = world.scores()(v, t)[:, :, 0]
    function = function - function.mean(0)
    return by_kernel, kernel_test(base, function @ function.T, y, permutations=PERMUTATIONS).p_value


def _weighted(x: Array, alignment: float) -> Array:
    """Return the covariance over worlds of w'x, w as `worlds` draws it."""
    weights = np.arange(1, x.shape[1] + 1) ** (-2 * alignment)
    kernel: Array = (x * (weights / weights.sum())) @ x.T
    return kernel


def _signs(kernel: Array) -> Array:
    """Return the covariance of sign(w'x) where that of w'x is a kernel."""
    length = np.sqrt(np.diag(kernel))
    angle: Array = np.arcsin(np.clip(kernel / np.outer(length, length), -1, 1))
    return 2 / np.pi * angle


if __name__ == "__main__":
    main()
