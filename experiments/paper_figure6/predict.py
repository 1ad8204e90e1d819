"""The lines: sharp theory and orders of each panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.paper_figure6.config import PANELS, Config, Panel
from fusiontheory.simulate import predict_head
from fusiontheory.symbolic import Orders

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["lines", "predict"]


def predict(config: Config, _: Records) -> Tables:
    """Return what the harness freezes."""
    return {"predictions.csv": lines(config)}


def lines(config: Config) -> pd.DataFrame:
    """Return a row per panel, theory, head and n: ``risk`` and, in matching, ``accuracy``.

    ``theory`` is "sharp" or "orders"; orders are of concatenation ("additive") and attention.
    """
    return pd.concat([_sharp(config, p) for p in PANELS] + [_orders(config, p) for p in PANELS])


def _sharp(config: Config, panel: Panel) -> pd.DataFrame:
    frames = []
    for head in config.heads(panel.target):
        prediction = predict_head(config.settings(panel), head, config.fine_n, config.ridge)
        accuracy = prediction.accuracy
        if panel.target == "matching" and head == "additive":
            # v alone and t alone say nothing of the label, however well they are aligned.
            accuracy = np.full(accuracy.size, 0.5)
        frames.append(
            pd.DataFrame(
                {"head": head, "n": config.fine_n, "risk": prediction.test, "accuracy": accuracy}
            ).assign(formula=prediction.formula)
        )
    return _named(pd.concat(frames), panel, "sharp")


def _orders(config: Config, panel: Panel) -> pd.DataFrame:
    """Return the orders with c = 1 and the approximation errors that the paper's story has."""
    floor = config.settings(panel).floor()
    attention = floor.both if panel.attention == "sum" else floor.bilinear
    misfit = panel.misfit if panel.misfit == panel.misfit else floor.additive - attention
    d = config.dimension
    orders = Orders(d, d, eps_concat=attention + misfit, eps_attention=attention)
    risks = {
        "additive": orders.concat_risk(config.fine_n),
        panel.attention: orders.attention_risk(config.fine_n),
    }
    frames = [
        pd.DataFrame({"head": head, "n": config.fine_n, "risk": risk})
        for head, risk in risks.items()
    ]
    return _named(pd.concat(frames).assign(formula="Orders"), panel, "orders")


def _named(frame: pd.DataFrame, panel: Panel, theory: str) -> pd.DataFrame:
    frame.insert(0, "target", panel.target)
    frame.insert(1, "condition", panel.condition)
    frame.insert(2, "theory", theory)
    return frame
