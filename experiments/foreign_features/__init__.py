"""Are predictions right on features that the theory was not made for, and do they say if not?"""

from experiments.foreign_features.config import Config, heads_of
from experiments.foreign_features.figure import mark_cells
from experiments.foreign_features.predict import groups_of, sample_of
from experiments.foreign_features.summary import cell_errors, targets
from experiments.foreign_features.truth import truth as measured_truth

__all__ = [
    "Config",
    "cell_errors",
    "groups_of",
    "heads_of",
    "mark_cells",
    "measured_truth",
    "sample_of",
    "targets",
]
