"""What the study of trained heads runs: conditions, noise, variants, draws."""

from validation.trained.design.ablations import ABLATIONS
from validation.trained.design.condition import Condition, controlled_features
from validation.trained.design.draws import held_out_pairs, training_pairs
from validation.trained.design.noise import Noise, noisy_features
from validation.trained.design.scaling import scaled_features
from validation.trained.design.search_grid import Trial, further_trials
from validation.trained.design.study import PARTS, TrainedCell, TrainedStudy
from validation.trained.design.variant import FIXED, PUBLISHED, Variant

__all__ = [
    "ABLATIONS",
    "FIXED",
    "PARTS",
    "PUBLISHED",
    "Condition",
    "Noise",
    "TrainedCell",
    "TrainedStudy",
    "Trial",
    "Variant",
    "controlled_features",
    "further_trials",
    "held_out_pairs",
    "noisy_features",
    "scaled_features",
    "training_pairs",
]
