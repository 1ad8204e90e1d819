"""Trained fusion networks at one fixed setting: accuracy, gaps with intervals, claims judged.

``python -m validation trained`` fills the record store, ``trained-report`` writes the tables.

>>> from validation.trained import TrainedStudy
>>> str(TrainedStudy().cells("grid")[1])
'aligned, cross-attention, n = 2048'
"""

from validation.trained.design import TrainedCell, TrainedStudy
from validation.trained.predict import write_predictions
from validation.trained.report import Trained, tables, write_report
from validation.trained.runs import recorded_runs, train_cells
from validation.trained.session import TrainedSession

__all__ = [
    "Trained",
    "TrainedCell",
    "TrainedSession",
    "TrainedStudy",
    "recorded_runs",
    "tables",
    "train_cells",
    "write_predictions",
    "write_report",
]
