"""One command for a machine with a GPU: agreement with the processor, the grid, and rates."""

from validation.gpu.agreement import agreement
from validation.gpu.compiled import break_even, compiled_rates
from validation.gpu.rates import extraction_rates, ridge_rates, update_rates
from validation.gpu.run import FULL, SMALL, Size, gpu_run

__all__ = [
    "FULL",
    "SMALL",
    "Size",
    "agreement",
    "break_even",
    "compiled_rates",
    "extraction_rates",
    "gpu_run",
    "ridge_rates",
    "update_rates",
]
