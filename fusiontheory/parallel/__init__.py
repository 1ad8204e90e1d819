"""One function over many tasks: here, in a pool of processes, on devices, or on a Dask cluster."""

from fusiontheory.parallel.devices import scatter_over
from fusiontheory.parallel.part import Part
from fusiontheory.parallel.pool import TIMES_ALONE, LostTasks
from fusiontheory.parallel.scatter import scatter

__all__ = ["TIMES_ALONE", "LostTasks", "Part", "scatter", "scatter_over"]
