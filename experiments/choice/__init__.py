"""The choice study: does the advice from a pilot pick the right fusion?"""

from experiments.choice.pilots import pilot_curves, pilot_record
from experiments.choice.sets import Source
from experiments.choice.truth import Fitted, fitted_heads
from experiments.choice.worlds import fresh_worlds

__all__ = ["Fitted", "Source", "fitted_heads", "fresh_worlds", "pilot_curves", "pilot_record"]
