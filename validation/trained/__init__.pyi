from .design import TrainedCell, TrainedStudy
from .kernels import write_feature_learning, write_kernels
from .predict import write_predictions
from .report import Trained, tables, write_report
from .runs import recorded_runs, train_cells
from .session import TrainedSession
from .settings import setting_errors, write_settings

__all__ = [
    "Trained",
    "TrainedCell",
    "TrainedSession",
    "TrainedStudy",
    "recorded_runs",
    "setting_errors",
    "tables",
    "train_cells",
    "write_feature_learning",
    "write_kernels",
    "write_predictions",
    "write_report",
    "write_settings",
]
