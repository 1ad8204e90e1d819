"""
Simulation
==========

You have an idea of what your two modalities are like, and no data yet. Make pairs with these
properties, train every head on them, and put the theory beside it.
"""

# %%
# A grid
# ------
#
# Two modalities of 8 dimensions. Two things vary: how strongly the modalities are *correlated*, and
# which share of the target is an *interaction*, a product of a coordinate of one with one of the
# other. A head that only adds functions of each (``additive``) cannot learn that share.

import tempfile

from fusiontheory.simulate import SimulationGrid, plot_simulation, simulate

grid = SimulationGrid.of(
    {"pairs.d_v": 8, "pairs.d_t": 8, "target.kind": "mix", "target.noise": 0.25},
    {"pairs.correlation": [0.0, 0.9], "target.interaction": [0.0, 0.5, 1.0]},
    heads=["additive", "bilinear"],
    n=[32, 128, 512],
    seeds=4,
    ridges=[0.01],
)

# %%
# Results are kept in a folder. Run it again and only what is missing is computed.

table = simulate(grid, tempfile.mkdtemp())
columns = ["head", "n", "pairs.correlation", "target.interaction", "seed", "test", "predicted_test"]
table[columns].head()

# %%
# Theory and simulation in one picture
# ------------------------------------
#
# Lines are the theory, points are the simulation: the mean squared error on new pairs.

plot_simulation(table)

# %%
# The interaction share decides which head wins; the correlation of the modalities hardly does. The
# study ``crossover`` asks that over 400 such cells.
#
# How far apart are theory and simulation?
# ----------------------------------------
#
# Each point is the mean of four training sets, so part of this is chance.

mean = table.groupby(["head", "n", "pairs.correlation", "target.interaction"], as_index=False)[
    ["test", "predicted_test"]
].mean()
off = (mean["predicted_test"] / mean["test"] - 1).abs()
print(f"mean relative error {100 * off.mean():.1f} %, largest {100 * off.max():.1f} %")
