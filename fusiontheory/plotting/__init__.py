"""How figures look, and figures of curves; they draw tables and compute nothing."""

from fusiontheory.plotting.curves import plot_calibration, plot_comparison, plot_curve, plot_gap
from fusiontheory.plotting.ridges import gap_by_ridge, plot_ridges
from fusiontheory.plotting.style import (
    INK,
    MUTED,
    NORMAL_95,
    HeadStyle,
    head_styles,
    label_ends,
    line_key,
    panels,
    per_panel,
    render_figure,
    sample_axis,
    save_figure,
    style,
)

__all__ = [
    "INK",
    "MUTED",
    "NORMAL_95",
    "HeadStyle",
    "gap_by_ridge",
    "head_styles",
    "label_ends",
    "line_key",
    "panels",
    "per_panel",
    "plot_calibration",
    "plot_comparison",
    "plot_curve",
    "plot_gap",
    "plot_ridges",
    "render_figure",
    "sample_axis",
    "save_figure",
    "style",
]
