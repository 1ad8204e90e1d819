"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fusiontheory.plotting import NORMAL_95, head_styles, save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables


def draw(tables: Tables, out: Path) -> None:
    """Write what sharing images changes, by case: measured points, predicted crosses."""
    from matplotlib.figure import Figure

    rows = tables["results.csv"]
    place = np.arange(len(rows))
    with style():
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.subplots()
        for k, (head, look) in enumerate(head_styles(["concat-mlp", "bilinear"]).items()):
            at = place + 0.25 * (k - 0.5)
            axes.errorbar(
                rows[f"{head} shared"],
                at,
                xerr=NORMAL_95 * rows[f"{head} shared se"],
                fmt=look.marker,
                color=look.colour,
                label=f"{head}, measured",
            )
            axes.plot(rows[f"{head} predicted"], at, "x", color=look.colour, label="predicted")
        cases = zip(*(rows[c] for c in ("population", "images", "captions", "n")), strict=True)
        axes.set_yticks(place, [f"{p}, N = {i}, captions {c}, n = {n}" for p, i, c, n in cases])
        axes.invert_yaxis()
        axes.set_xlabel("accuracy less that of independent pairs (points)")
        axes.legend()
        save_figure(figure, out, ("svg",))
