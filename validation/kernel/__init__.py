"""The study of kernel heads: measured, predicted, compared, reported."""

from validation.kernel.cells import measured_cells, predicted_cells
from validation.kernel.compare import MissingRecords, compare
from validation.kernel.fill import fill_store, fingerprints
from validation.kernel.measure import measure_cell
from validation.kernel.predict import predict_cell
from validation.kernel.report import write_report
from validation.kernel.runs import Run, asked_run, note_run, noted_runs
from validation.kernel.session import Session, parse_ridge, parse_sizes
from validation.kernel.study import ONE_DIMENSION, Study
from validation.kernel.verdicts import (
    GAP_CLAIM,
    cell_verdicts,
    claim_verdicts,
    crossover_verdicts,
    head_summary,
    sign_verdicts,
)

__all__ = [
    "GAP_CLAIM",
    "ONE_DIMENSION",
    "MissingRecords",
    "Run",
    "Session",
    "Study",
    "asked_run",
    "cell_verdicts",
    "claim_verdicts",
    "compare",
    "crossover_verdicts",
    "fill_store",
    "fingerprints",
    "head_summary",
    "measure_cell",
    "measured_cells",
    "note_run",
    "noted_runs",
    "parse_ridge",
    "parse_sizes",
    "predict_cell",
    "predicted_cells",
    "sign_verdicts",
    "write_report",
]
