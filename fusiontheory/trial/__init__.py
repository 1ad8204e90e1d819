"""Trials: heads trained on the images at hand, where the theory is not to be trusted."""

from fusiontheory.trial.curve import LEAST_IMAGES, trial_curve
from fusiontheory.trial.forecast import trial_forecast

__all__ = ["LEAST_IMAGES", "trial_curve", "trial_forecast"]
