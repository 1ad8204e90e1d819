"""Curves of the theory in one call: the paper's figure 6, and a sharp risk curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.constraints import checked
from fusiontheory.plotting.curves import plot_curve
from fusiontheory.plotting.panels import panels
from fusiontheory.plotting.style import INK, head_styles, sample_axis, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure6", "plot_risk"]

_WIDTH = 7.2  # inches
_SIZES = np.geomspace(128, 65536, 109)


@checked
def figure6(
    d_v: int = 32,
    d_t: int = 32,
    *,
    misfit: float = 0.8,
    floor: float = 0.25,
    constant: float = 1.0,
    n: ArrayLike = _SIZES,
) -> Figure:
    """Draw figure 6 of Zhou & Xie (arXiv:2606.01207): the orders that they claim, on two panels.

    R_concat = eps_concat + c (d_v + d_t) / n and R_attn = eps_attn + c d_v d_t / n. Aligned,
    both approximation errors are equal and concatenation is below at every n; unaligned,
    concatenation's is larger by the misfit and attention passes it at n*. They are orders: their
    height has no scale, and `experiments/paper_figure6` shows where real runs differ.

    Args:
        d_v: dimension of the image features.
        d_t: dimension of the text features.
        misfit: eps_concat - eps_attn, unaligned, at least 0.
        floor: eps_attn, at least 0.
        constant: c > 0.
        n: numbers of training samples.

    Raises:
        InputError: as `fusiontheory.symbolic.Orders` does.

    Example:
        >>> [axes.get_title(loc="left") for axes in figure6().axes]
        ['aligned', 'unaligned, n* = 1200']
    """
    # sympy takes longer to import than the rest of the library.
    from fusiontheory.symbolic import Orders

    sizes = np.atleast_1d(np.asarray(n, dtype=float))
    looks = head_styles(["concat-mlp", "cross-attention"])
    with style():
        figure, grid = panels(2, _WIDTH, 2.9)
        for axes, extra in zip(grid, (0.0, misfit), strict=True):
            orders = Orders(d_v, d_t, constant, floor + extra, floor)
            names = ("concat-mlp", "cross-attention")
            risks = (orders.concat_risk(sizes), orders.attention_risk(sizes))
            for name, label, risk in zip(names, ("concatenation", "attention"), risks, strict=True):
                axes.plot(sizes, risk, color=looks[name].colour, label=label)
            sample_axis(axes, [sizes], _WIDTH / 2)
            axes.set_yscale("log", base=2)
            axes.yaxis.set_major_formatter("{x:g}")
            title = "aligned"
            if extra:
                crossing = orders.crossover()
                axes.axvline(crossing, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
                title = f"unaligned, n* = {crossing:.0f}"
            axes.set_title(title)
        grid[0].set_ylabel("risk, as an order")
        grid[0].legend()
    return figure


@checked
def plot_risk(
    eigenvalues: ArrayLike, target_power: ArrayLike, n: ArrayLike, ridge: float, noise: float
) -> Figure:
    """Draw the sharp risk curve of ridge regression, `fusiontheory.ridge_risk`, against n.

    Args:
        eigenvalues: of the kernel or the features.
        target_power: variance of the target along each.
        n: sample sizes.
        ridge: delta of K + delta I, at least 0.
        noise: variance of the labels' noise.

    Raises:
        InputError: as `fusiontheory.ridge_risk` does.

    Example:
        >>> plot_risk(np.ones(8), np.full(8, 0.1), [8, 16, 32], 0.1, 0.2).axes[0].get_ylabel()
        'risk'
    """
    from fusiontheory.risk import ridge_risk

    sizes = np.atleast_1d(np.asarray(n, dtype=float))
    risk = ridge_risk(eigenvalues, target_power, sizes, ridge, noise)
    return plot_curve(pd.DataFrame({"n": sizes, "risk": risk}), "risk", _WIDTH / 1.6)
