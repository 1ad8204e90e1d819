"""How figures look, and figures of curves; they draw tables and compute nothing."""

from fusiontheory.plotting.curves import plot_calibration, plot_comparison, plot_curve, plot_gap
from fusiontheory.plotting.panels import panels, per_panel
from fusiontheory.plotting.ridges import gap_by_ridge, plot_ridges
from fusiontheory.plotting.runs import plot, plot_runs
from fusiontheory.plotting.style import (
    INK,
    MUTED,
    NORMAL_95,
    HeadStyle,
    head_styles,
    label_ends,
    line_key,
    render_figure,
    sample_axis,
    save_figure,
    style,
)
from fusiontheory.plotting.theory import figure6, plot_risk

__all__ = [
    "INK",
    "MUTED",
    "NORMAL_95",
    "HeadStyle",
    "figure6",
    "gap_by_ridge",
    "head_styles",
    "label_ends",
    "line_key",
    "panels",
    "per_panel",
    "plot",
    "plot_calibration",
    "plot_comparison",
    "plot_curve",
    "plot_gap",
    "plot_ridges",
    "plot_risk",
    "plot_runs",
    "render_figure",
    "sample_axis",
    "save_figure",
    "style",
]
