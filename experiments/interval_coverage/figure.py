"""Draw the figure from the stored results: ``python -m experiments.interval_coverage.figure``."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from experiments.interval_coverage.summary import BAR, RESULTS, coverage
from fusiontheory.plotting import MUTED, head_styles, save_figure, style

TRUTHS = {
    "limit": "The theory's own limit",
    "independent": "Measured, independent pairs",
    "measured": "Measured, pairs share images",
}


def main() -> None:
    """Write one panel for each truth: coverage of each cell by head and images, and the bar."""
    results = pd.read_csv(RESULTS)
    heads = head_styles(results["head"])
    counts = sorted(results["images"].unique())
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.4), sharey=True, layout="constrained")
        for axis, (truth, title) in zip(axes, TRUTHS.items(), strict=True):
            axis.axhspan(100 * BAR[0], 100 * BAR[1], color=MUTED, alpha=0.15, linewidth=0)
            for h, (head, look) in enumerate(heads.items()):
                part = results[results["head"] == head]
                shares = 100 * coverage(part, truth)
                # Cells of one head side by side, so that equal shares do not hide each other.
                rank = part.groupby("images").cumcount()
                offset = 0.28 * (h - 1) + 0.2 * (rank / max(rank.max(), 1) - 0.5)
                place = part["images"].map(counts.index) + offset
                axis.plot(
                    place,
                    shares,
                    look.marker,
                    color=look.colour,
                    markersize=look.size - 1,
                    alpha=0.6,
                    label=head,
                )
            axis.set_xticks(range(len(counts)), [f"{count:,}" for count in counts])
            axis.set(xlabel="images N", title=title, ylim=(-3, 103))
        axes[0].set_ylabel("intervals that hold it (%)")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
    save_figure(figure, Path(__file__).with_name("figure"), ("svg",))
    plt.close(figure)


if __name__ == "__main__":
    main()
