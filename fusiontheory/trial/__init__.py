"""Trials: heads trained on the images at hand, where the theory is not to be trusted."""

from fusiontheory.trial.curve import LEAST_IMAGES, trial_curve

__all__ = ["LEAST_IMAGES", "trial_curve"]
