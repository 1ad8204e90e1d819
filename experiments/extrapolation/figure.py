"""Draw the figure from the stored results: ``python -m experiments.extrapolation.figure``."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from experiments.extrapolation.summary import RESULTS, best_power_law, errors
from fusiontheory.plotting import save_figure, style

# Colours of Okabe & Ito.
LOOKS = {
    "moments": ("#0072B2", "o", "from moments"),
    "power law": ("#333333", "^", "power law, best of three forms"),
}


def main() -> None:
    """Write one panel per head: median error at 2, 4, 8 n0 with quartiles."""
    results = pd.read_csv(RESULTS)
    table = errors(results, ["head", "factor"])
    opponent = best_power_law(results)
    factors = sorted(results["factor"].unique())
    with style():
        heads = list(results["head"].unique())
        figure, axes = plt.subplots(
            1, len(heads), figsize=(9, 3.3), sharey=True, layout="constrained"
        )
        for axis, head in zip(axes, heads, strict=True):
            for k, (method, (colour, marker, label)) in enumerate(LOOKS.items()):
                name = opponent if method == "power law" else method
                part = table[(table["head"] == head) & (table["method"] == name)]
                axis.errorbar(
                    np.arange(len(factors)) + 0.16 * (k - 1),
                    part["median"],
                    yerr=[
                        part["median"] - part["quarter"],
                        part["three_quarters"] - part["median"],
                    ],
                    fmt=marker,
                    color=colour,
                    label=label,
                )
            axis.set_xticks(range(len(factors)), [f"{factor} n₀" for factor in factors])
            axis.set(title=head, xlabel="foretold at")
        axes[0].set_ylabel("absolute error (points)")
        axes[0].set_ylim(bottom=-0.6)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
    save_figure(figure, Path(__file__).with_name("figure"), ("svg",))
    plt.close(figure)


if __name__ == "__main__":
    main()
