"""Tables, effects, figures and the page of trained heads."""

from validation.trained.report.effects import effect_table
from validation.trained.report.facts import record_facts
from validation.trained.report.figure import draw
from validation.trained.report.grids import ablation_grid, accuracy_grid, gap_grid
from validation.trained.report.page import write_page
from validation.trained.report.predictions import RIDGE, predictions
from validation.trained.report.report import Trained, tables, write_report
from validation.trained.report.tables import gap_table, scaling_table, trend_table

__all__ = [
    "RIDGE",
    "Trained",
    "ablation_grid",
    "accuracy_grid",
    "draw",
    "effect_table",
    "gap_grid",
    "gap_table",
    "predictions",
    "record_facts",
    "scaling_table",
    "tables",
    "trend_table",
    "write_page",
    "write_report",
]
