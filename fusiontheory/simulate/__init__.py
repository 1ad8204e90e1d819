"""Simulation of fusion heads on synthetic pairs: a grid in, one tidy table out.

>>> import tempfile
>>> from fusiontheory.simulate import SimulationGrid, simulate
>>> grid = SimulationGrid.of({"pairs.d_v": 4, "pairs.d_t": 4}, {"pairs.correlation": [0.0, 0.9]},
...     heads=["additive", "bilinear"], n=[8, 32], seeds=2, ridges=[0.1])
>>> len(simulate(grid, tempfile.mkdtemp()))
16
"""

from fusiontheory.simulate.engine import LostUnits, simulate
from fusiontheory.simulate.figure import check_panels, plot_simulation
from fusiontheory.simulate.fits import HEAD_NAMES, HeadFit, fit_head, head_features
from fusiontheory.simulate.grid import SimulationGrid, read_grid
from fusiontheory.simulate.measuring import measure_unit
from fusiontheory.simulate.moments import synthetic_moments
from fusiontheory.simulate.predictions import Prediction, predict_head
from fusiontheory.simulate.table import differences, read_table
from fusiontheory.simulate.units import run_unit, units_of

__all__ = [
    "HEAD_NAMES",
    "HeadFit",
    "LostUnits",
    "Prediction",
    "SimulationGrid",
    "check_panels",
    "differences",
    "fit_head",
    "head_features",
    "measure_unit",
    "plot_simulation",
    "predict_head",
    "read_grid",
    "read_table",
    "run_unit",
    "simulate",
    "synthetic_moments",
    "units_of",
]
