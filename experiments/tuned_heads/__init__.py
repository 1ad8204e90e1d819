"""Whether heads that were never tuned leave chance, and their kernels, when they are tuned."""

from experiments.tuned_heads.config import Config
from experiments.tuned_heads.figure import draw_rows
from experiments.tuned_heads.measure import measure as measured_heads
from experiments.tuned_heads.summary import stored_fixed, tuned_means

__all__ = ["Config", "draw_rows", "measured_heads", "stored_fixed", "tuned_means"]
