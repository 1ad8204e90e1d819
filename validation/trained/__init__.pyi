from .design import (
    TrainedCell,
    TrainedStudy,
    Trial,
    held_out_pairs,
    noisy_features,
    training_pairs,
)
from .foretell import setting_predictions, write_setting_predictions
from .kept import check_report
from .kernels import (
    write_best_kernels,
    write_feature_learning,
    write_kernels,
    write_learned_metric,
    write_moving_kernel,
    write_tangent_ridges,
)
from .predict import write_predictions
from .predictors import (
    PLACE,
    TANGENT_HEADS,
    adam_moments,
    growth_predictions,
    logit_growth,
    optimiser_predictions,
)
from .report import Trained, tables, write_report
from .runs import derived_features, recorded_runs, train_cells
from .session import TrainedSession
from .settings import setting_errors, write_settings

__all__ = [
    "PLACE",
    "TANGENT_HEADS",
    "Trained",
    "TrainedCell",
    "TrainedSession",
    "TrainedStudy",
    "Trial",
    "adam_moments",
    "check_report",
    "derived_features",
    "growth_predictions",
    "held_out_pairs",
    "logit_growth",
    "noisy_features",
    "optimiser_predictions",
    "recorded_runs",
    "setting_errors",
    "setting_predictions",
    "tables",
    "train_cells",
    "training_pairs",
    "write_best_kernels",
    "write_feature_learning",
    "write_kernels",
    "write_learned_metric",
    "write_moving_kernel",
    "write_predictions",
    "write_report",
    "write_setting_predictions",
    "write_settings",
    "write_tangent_ridges",
]
