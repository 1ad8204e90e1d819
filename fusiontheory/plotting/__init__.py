"""How figures look, and figures of curves; they draw tables and compute nothing."""

from fusiontheory.plotting.curves import plot_calibration, plot_comparison, plot_curve, plot_gap
from fusiontheory.plotting.style import (
    INK,
    MUTED,
    NORMAL_95,
    HeadStyle,
    head_styles,
    line_key,
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
    "head_styles",
    "line_key",
    "plot_calibration",
    "plot_comparison",
    "plot_curve",
    "plot_gap",
    "render_figure",
    "sample_axis",
    "save_figure",
    "style",
]
