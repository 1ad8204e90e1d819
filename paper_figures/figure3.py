"""Figure 3, degradation: accuracy and the lead of concat-mlp against noise, by side.

``python -m paper_figures.figure3``. Nothing is computed: everything drawn is in stored tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fusiontheory.plotting import NORMAL_95, head_styles, style
from fusiontheory.typing import Array
from paper_figures.marks import PUBLISHED, chance_line, head_legend, heads_of, measured, not_run
from paper_figures.tables import PAGE, Tables, command, for_setting, seeds_of
from paper_figures.trained import accuracies, leads, not_run_cells
from validation.claims import find_claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_CONDITIONS = ("aligned", "unaligned")
_SIDES = ("both", "image", "text")
_FIRST = "concat-mlp"
# Sigma 0 on a logarithmic axis stands at this place.
_NO_NOISE = 0.005
_APART = 0.025


def draw(root: Path, out: Path) -> list[Path]:
    """Write ``figure3`` as PNG, SVG, PDF and its caption.

    Args:
        root: folder of ``docs/results/trained``.
        out: folder for the figures.

    Raises:
        InputError: if a table cannot be read or ``out`` cannot be written to.
    """
    tables = Tables(root)
    accuracy, gaps = (for_setting(read(tables, "side")) for read in (accuracies, leads))
    tables.missing += not_run_cells(tables, noisy=True)
    noisy = accuracy[accuracy["sigma"] > 0]
    for condition in _CONDITIONS:
        if noisy[noisy["condition"] == condition].empty:
            tables.missing.append(f"{condition}: no record with noise")
    # One n is drawn, that with most cells; others, if there are, are named.
    counts = noisy.groupby("n").size()
    n = int(str(counts.idxmax())) if len(counts) else 0
    others = sorted({int(other) for other in noisy["n"]} - {n})
    figure = _figure(accuracy[accuracy["n"] == n], gaps[gaps["n"] == n])
    return tables.write(figure, out, "figure3", _caption(noisy[noisy["n"] == n], n, others))


def _figure(accuracy: pd.DataFrame, gaps: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    heads = heads_of(accuracy[accuracy["sigma"] > 0])
    with style():
        figure = Figure(figsize=(PAGE, 8.2), layout="constrained")
        grid = figure.subplots(4, 3, sharex=True, sharey="row")
        for i, condition in enumerate(_CONDITIONS):
            for j, side in enumerate(_SIDES):
                top, bottom = grid[2 * i, j], grid[2 * i + 1, j]
                _lines(top, _swept(accuracy, condition, side), "head", heads)
                chance_line(top)
                quoted = condition == "aligned" and side == "both"
                _lines(bottom, _swept(gaps, condition, side), "second", heads)
                chance_line(bottom, 0)
                if quoted:
                    _published(bottom)
                top.set_title(f"{condition}, noise on {side}")
            grid[2 * i, 0].set_ylabel("accuracy (%)")
            grid[2 * i + 1, 0].set_ylabel(f"lead of {_FIRST} (points)")
        for row in grid:
            if not any(len(axes.containers) for axes in row):
                row[0].set_yticks([])  # nothing to read off where nothing was run
        for axes in grid[-1]:
            axes.set_xlabel("noise σ per coordinate")
        _legend(figure, heads)
    return figure


def _swept(table: pd.DataFrame, condition: str, side: str) -> pd.DataFrame:
    """Return the rows with noise on a side, and those without noise of the heads that have any."""
    here = table[table["condition"] == condition]
    noisy = here[(here["sigma"] > 0) & (here["side"] == side)]
    name = "head" if "head" in table else "second"
    clean = here[(here["sigma"] == 0) & here[name].isin(noisy[name].unique())]
    return pd.concat([clean, noisy]) if len(noisy) else noisy


def _lines(axes: Axes, table: pd.DataFrame, name: str, heads: list[str]) -> None:
    axes.set_xscale("log")
    ticks = [_NO_NOISE, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    axes.set_xticks(ticks, labels=["0", ".01", ".02", ".05", ".1", ".2", ".5"])
    axes.set_xticks([], minor=True)
    axes.set_xlim(0.004, 0.62)
    if table.empty:
        not_run(axes)
        return
    looks = head_styles(heads)
    for k, head in enumerate(heads):
        rows = table[table[name] == head].sort_values("sigma")
        if len(rows):
            x = np.where(rows["sigma"] > 0, rows["sigma"], _NO_NOISE)
            y, bars = _heights(rows)
            measured(axes, x * (1 + _APART * (k - len(heads) / 2)), y, bars, looks[head])


def _heights(rows: pd.DataFrame) -> tuple[Array, Array]:
    """Return heights and bars below and above, in per cent or points."""
    if "gap" not in rows:
        bar = NORMAL_95 * 100 * rows["se"].to_numpy(float)
        return 100 * rows["accuracy"].to_numpy(float), np.stack([bar, bar])
    below, above = rows["gap"] - rows["crossed_low"], rows["crossed_high"] - rows["gap"]
    return 100 * rows["gap"].to_numpy(float), 100 * np.stack([below, above]).astype(float)


def _published(axes: Axes) -> None:
    lead = find_claim("gap-under-noise").published
    axes.axhspan(
        lead["lead_from_points"], lead["lead_to_points"], color=PUBLISHED, alpha=0.5, linewidth=0
    )


def _legend(figure: Figure, heads: list[str]) -> None:
    from matplotlib.patches import Patch

    lead = find_claim("gap-under-noise").published
    span = f"{lead['lead_from_points']} to {lead['lead_to_points']} points"
    quoted = Patch(
        color=PUBLISHED, alpha=0.5, label=f"published lead, {span} (quoted, arXiv:2606.01207)"
    )
    head_legend(figure, heads, 3, [quoted])


def _caption(noisy: pd.DataFrame, n: int, others: list[int]) -> str:
    lead = find_claim("gap-under-noise").published
    seeds = seeds_of(noisy)
    more = f" Runs with noise at n = {', '.join(map(str, others))} are not drawn." if others else ""
    return (
        f"Figure 3. Trained heads at n = {n} with normal noise of standard deviation σ in each"
        " coordinate of both, the image or the text features: accuracy, and the lead of"
        f" {_FIRST} over each other head, the published setting. Mean over {seeds}"
        f"; bars of accuracy are 1.96 standard errors over seeds (none for one"
        " seed), of the lead 95 % intervals over seeds and test images. Dashed: chance, no lead."
        f" σ = 0 stands at the left end of the axis.{more}\n"
        f"Quoted, not measured here: a lead over cross-attention that grows from"
        f" {lead['lead_from_points']} to {lead['lead_to_points']} points with noise"
        " (arXiv:2606.01207, other features), drawn at every σ."
    )


app = command(draw, "Draw accuracy and lead of trained heads against noise.")

if __name__ == "__main__":
    app()
