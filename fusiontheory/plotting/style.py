"""The one style of all figures: colours and markers of heads, axes, legends, files.

Nothing here keeps or changes global state of matplotlib: `style` sets it for a block.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.store import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "CROSSOVER",
    "INK",
    "MUTED",
    "NORMAL_95",
    "HeadStyle",
    "draw_band",
    "draw_points",
    "head_styles",
    "label_ends",
    "line_key",
    "render_figure",
    "sample_axis",
    "save_figure",
    "stacked",
    "style",
]


class HeadStyle(NamedTuple):
    """Colour, marker and its size in points of one head, and the dashes of its line."""

    colour: str
    marker: str
    size: float = 4.5
    line: Literal["-", "--", ":"] = "-"

    @property
    def marks(self) -> dict[str, Any]:
        """How points with bars are drawn: what ``Axes.errorbar`` takes.

        >>> HeadStyle("#000000", "o").marks["fmt"]
        'o'
        """
        return {
            "fmt": self.marker,
            "color": self.colour,
            "markersize": self.size,
            "markeredgecolor": "white",
            "markeredgewidth": 0.5,
            "capsize": 2,
        }


# The palette of Okabe & Ito, told apart with any common colour vision. Heads are drawn in this
# order: at chance the small triangles lie on the large diamonds, and both are seen. Heads of one
# family share a colour and differ in marker and line.
_HEADS = {
    "bilinear": HeadStyle("#D55E00", "s"),
    "low-rank": HeadStyle("#D55E00", "v", line="--"),
    "concat-mlp": HeadStyle("#0072B2", "o"),
    "concat-mlp-aligned": HeadStyle("#0072B2", "h", 5.2, line="--"),
    "gated": HeadStyle("#56B4E9", "p", 5.2, line="--"),
    "dot-product": HeadStyle("#009E73", "D", 5.2),
    "hadamard": HeadStyle("#009E73", "X", 5.2, line="--"),
    "cross-attention": HeadStyle("#E69F00", "P", 5.6),
    "two-way-attention": HeadStyle("#E69F00", "<", 5.0, line="--"),
    "token-attention": HeadStyle("#E69F00", "*", 6.5, line=":"),
    "concat-linear": HeadStyle("#CC79A7", "^", 4.0),
    "image-only": HeadStyle("#000000", "d", 4.0, line=":"),
    "text-only": HeadStyle("#000000", ">", 4.0, line=":"),
}
_OTHERS = (
    HeadStyle("#E69F00", "v"),
    HeadStyle("#56B4E9", "P"),
    HeadStyle("#000000", "X"),
    HeadStyle("#F0E442", "p"),
)
INK, MUTED, _GRID, CROSSOVER = "#222222", "#666666", "#E3E3E3", "#E69F00"
NORMAL_95 = 1.96
_STACKED_BELOW = 5.0  # inches: two panels side by side would be too narrow for their tick labels
_LINE_POINTS = 12.5  # height of a line of text
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs on every machine
    "font.size": 8.5,
    "text.color": INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.hashsalt": "fusiontheory",
    "svg.fonttype": "path",
    "savefig.dpi": 200,
}


@checked
def head_styles(heads: Iterable[str]) -> dict[str, HeadStyle]:
    """Return the style of each head in drawing order; unknown heads take spare ones in turn.

    >>> head_styles(["mine", "bilinear"])["bilinear"].colour
    '#D55E00'
    """
    names = list(dict.fromkeys(heads))
    known = {name: look for name, look in _HEADS.items() if name in names}
    unknown = [name for name in names if name not in _HEADS]
    return known | {name: _OTHERS[i % len(_OTHERS)] for i, name in enumerate(unknown)}


@checked
@contextmanager
def style() -> Iterator[None]:
    """Use this style, and nothing of the user's own settings, within a ``with`` block."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def stacked(width: float) -> bool:
    """Whether a figure of this width (inches) has its panels on top of each other."""
    return width < _STACKED_BELOW


@checked
def sample_axis(axes: Axes, sizes: Iterable[Any], room: float) -> None:
    """Make x a log2 axis of training pairs with plain labels at powers of two.

    Args:
        axes: to change.
        sizes: arrays of the n that are drawn.
        room: width of the panel in inches; where labels would touch, only each k-th is written.
    """
    drawn = np.concatenate([np.asarray(list(part), dtype=float) for part in sizes])
    low, high = float(drawn.min()), float(drawn.max())
    powers = 2.0 ** np.arange(np.ceil(np.log2(low) - 1e-9), np.floor(np.log2(high) + 1e-9) + 1)
    ticks = powers if len(powers) > 1 else np.unique([low, high])
    label_width = 0.075 * len(f"{ticks[-1]:.0f}") + 0.06
    every = max(1, int(np.ceil(label_width * len(ticks) / max(room - 0.7, 0.5))))
    axes.set_xscale("log", base=2)
    axes.set_xlim(low / 2**0.3, high * 2**0.3)
    labels = [f"{n:.0f}" if i % every == 0 else "" for i, n in enumerate(ticks)]
    axes.set_xticks(ticks, labels=labels)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("training pairs n")


# Dashes of a line that is not trusted.
_DOUBTED = (0, (3, 2))


def draw_band(
    axes: Axes, curve: pd.DataFrame, quantity: str, colour: str, scale: float = 100.0
) -> None:
    """Draw a predicted curve: a thin line and, from <quantity>_low to _high, a pale band.

    Where a column ``trusted`` is False the line is dashed and the band paler.
    """
    curve = curve.sort_values("n")
    sizes = curve["n"].to_numpy(dtype=float)
    height = scale * curve[quantity].to_numpy(dtype=float)
    doubted = np.zeros(len(curve), dtype=bool)
    if "trusted" in curve:
        doubted = ~curve["trusted"].fillna(True).to_numpy(dtype=bool)
    if doubted.any():
        axes.plot(sizes, height, color=colour, zorder=3, linestyle=_DOUBTED)
    axes.plot(sizes, np.where(doubted, np.nan, height), color=colour, zorder=3)
    if {f"{quantity}_low", f"{quantity}_high"} <= set(curve.columns):
        low, high = (scale * curve[f"{quantity}_{end}"].to_numpy(float) for end in ("low", "high"))
        for part, alpha in ((~doubted, 0.18), (doubted, 0.08)):
            if part.any():
                axes.fill_between(
                    *(sizes, low, high),
                    where=part.tolist(),
                    color=colour,
                    alpha=alpha,
                    linewidth=0,
                    zorder=2,
                )


def draw_points(axes: Axes, rows: pd.DataFrame, quantity: str, look: HeadStyle) -> None:
    """Draw measured points (fractions) in per cent with bars of 1.96 standard errors."""
    if rows.empty:
        return
    axes.errorbar(
        rows["n"].to_numpy(dtype=float),
        100 * rows[quantity].to_numpy(dtype=float),
        # One seed has no standard error: its point is drawn without a bar.
        yerr=NORMAL_95 * 100 * rows[f"{quantity}_se"].fillna(0).to_numpy(dtype=float),
        **look.marks,
        elinewidth=1.0,
        zorder=4,
    )


@checked
def label_ends(
    figure: Figure, axes: Axes, ends: pd.Series[float], styles: Mapping[str, HeadStyle]
) -> None:
    """Write each head's name to the right of the panel, at the end of its line.

    Args:
        figure: that the panel is in.
        axes: the panel, with its final limits.
        ends: height of each line's end, in units of the y axis; the index names the heads.
        styles: of these heads.
    """
    figure.draw_without_rendering()  # settles the size of the panel
    low, high = axes.get_ylim()
    step = (high - low) * _LINE_POINTS / (72 * axes.get_window_extent().height / figure.dpi)
    ends = ends.dropna().sort_values()
    beside = axes.get_yaxis_transform()
    for (head, _), y in zip(ends.items(), _spread([float(y) for y in ends], step), strict=True):
        look = styles[str(head)]
        axes.plot(
            [1.04],
            [y],
            look.marker,
            color=look.colour,
            markersize=look.size,
            transform=beside,
            clip_on=False,
        )
        axes.text(1.085, y, str(head), transform=beside, va="center", parse_math=False)


@checked
def line_key(figure: Figure, *, band: bool = False, crossover: bool = False) -> None:
    """Say above the panels what lines, bands, points and marks are."""
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    line = Line2D([], [], color=INK)
    dot = Line2D([], [], color=INK, marker="o", linestyle="none")
    bar = Line2D([], [], color=INK, marker="|", markersize=10, linestyle="none")
    entries: dict[str, Any] = {
        "predicted": (Patch(color=INK, alpha=0.18), line) if band else line,
        "measured, 95 % interval": (bar, dot),
    }
    if crossover:
        entries["crossover, predicted"] = _crossover_mark(Line2D, "D", "white", 6.5)
        entries["crossover, measured"] = _crossover_mark(Line2D, "o", CROSSOVER, 5.5)
    figure.legend(
        list(entries.values()),
        list(entries),
        loc="outside upper left",
        ncols=2 if stacked(figure.get_figwidth()) else 4,
        handlelength=1.8,
        columnspacing=1.6,
        handler_map={tuple: HandlerTuple(ndivide=1)},
    )


def _crossover_mark(line: Any, marker: str, face: str, size: float) -> Any:
    return line(
        [], [], color=INK, marker=marker, markersize=size, markerfacecolor=face, linestyle="none"
    )


def _spread(heights: Sequence[float], step: float) -> list[float]:
    """Move sorted heights apart to at least ``step``, groups staying centred where they were."""
    groups = [[y] for y in heights]
    centres = list(heights)
    i = 0
    while i + 1 < len(groups):
        need = step * (len(groups[i]) + len(groups[i + 1])) / 2
        if centres[i + 1] - centres[i] >= need:
            i += 1
            continue
        groups[i] += groups.pop(i + 1)
        centres.pop(i + 1)
        centres[i] = float(np.mean(groups[i]))
        i = max(i - 1, 0)
    return [
        centre + step * (k - (len(group) - 1) / 2)
        for group, centre in zip(groups, centres, strict=True)
        for k in range(len(group))
    ]


@checked
def save_figure(
    figure: Figure, stem: Path | str, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``stem.<format>`` for each format, each in one step; return the paths.

    The same figure gives the same bytes: files hold no date and no random names.

    Raises:
        InputError: if a format is not png, svg or pdf, or the folder cannot be written to.
    """
    stem = Path(stem)
    rendered = {name: render_figure(figure, name) for name in formats}
    return [
        write_atomically(stem.with_name(f"{stem.name}.{name}"), data)
        for name, data in rendered.items()
    ]


@checked
def render_figure(figure: Figure, image_format: str) -> bytes:
    """Return the figure as the bytes of a png, svg or pdf file, the same at each call.

    Raises:
        InputError: if the format is another one.
    """
    # What matplotlib would note by itself and what changes from day to day or version to version.
    noted: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    if image_format not in noted:
        raise InputError(f"format must be one of {', '.join(noted)}, got {image_format!r}")
    with style(), io.BytesIO() as file:
        figure.savefig(file, format=image_format, metadata=noted[image_format])
        return file.getvalue()
