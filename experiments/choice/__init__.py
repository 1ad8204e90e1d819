"""The choice study: does the advice from a pilot pick the right fusion?"""

from experiments.choice.calibrate import hats, weighted_quantile
from experiments.choice.calibrate_accuracy import PARTS, RATIOS
from experiments.choice.pilots import pilot_curves, pilot_record
from experiments.choice.sets import Source
from experiments.choice.truth import Fitted, fitted_heads
from experiments.choice.worlds import World, fresh_worlds

__all__ = [
    "PARTS",
    "RATIOS",
    "Fitted",
    "Source",
    "World",
    "fitted_heads",
    "fresh_worlds",
    "hats",
    "pilot_curves",
    "pilot_record",
    "weighted_quantile",
]
