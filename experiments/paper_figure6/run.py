"""Predict and measure the four panels; store the lines and the points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.paper_figure6.config import PANELS, Config, Panel
from experiments.paper_figure6.summary import verdict
from fusiontheory.checks import InputError
from fusiontheory.simulate import predict_head, simulate
from fusiontheory.symbolic import Orders

RESULTS = Path(__file__).with_name("results.csv")
PREDICTIONS = Path(__file__).with_name("predictions.csv")
# Measured runs, for resuming; not kept with the project.
RECORDS = Path(__file__).parents[2] / ".cache" / "experiments" / "paper_figure6"


def predict(config: Config) -> pd.DataFrame:
    """Return a row per panel, theory, head and n: ``risk`` and, in matching, ``accuracy``.

    ``theory`` is "sharp" or "orders"; orders are of concatenation ("additive") and attention.
    """
    return pd.concat([_sharp(config, p) for p in PANELS] + [_orders(config, p) for p in PANELS])


def _sharp(config: Config, panel: Panel) -> pd.DataFrame:
    frames = []
    for head in config.heads(panel.target):
        found = predict_head(config.settings(panel), head, config.fine_n, config.ridge)
        accuracy = found.accuracy
        if panel.target == "matching" and head == "additive":
            # v alone and t alone say nothing of the label, however well they are aligned.
            accuracy = np.full(accuracy.size, 0.5)
        frames.append(
            pd.DataFrame(
                {"head": head, "n": config.fine_n, "risk": found.test, "accuracy": accuracy}
            ).assign(formula=found.formula)
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


def measure(config: Config, folder: Path = RECORDS) -> pd.DataFrame:
    """Return a row per panel, head and n: risk and accuracy with standard errors over seeds.

    ``gap`` is the additive less this head's risk on the same draws.
    """
    frames = []
    for target in ("story", "matching"):
        table = simulate(config.grid(target), folder / target)
        panels = {p.correlation: p.condition for p in PANELS if p.target == target}
        table["condition"] = table["pairs.correlation"].map(panels)
        table["target"] = target
        same = ["condition", "n", "seed"]
        additive = table[table["head"] == "additive"].set_index(same)["test"].rename("additive")
        table = table.join(additive, on=same)
        frames.append(table.assign(gap=table["additive"] - table["test"]))
    found = pd.concat(frames).groupby(["target", "condition", "head", "n"], as_index=False)
    return found.agg(
        risk=("test", "mean"),
        risk_se=("test", "sem"),
        accuracy=("accuracy", "mean"),
        accuracy_se=("accuracy", "sem"),
        gap=("gap", "mean"),
        gap_se=("gap", "sem"),
        floor=("floor", "first"),
    )


def main(action: str) -> None:
    """Do what is asked: "predict" stores the lines, "run" the points, "summary" reads both."""
    config = Config()
    if action == "predict":
        _write(predict(config), PREDICTIONS)
    elif action == "run":
        _write(measure(config), RESULTS)
    elif action != "summary":
        raise InputError(f"action must be predict, run or summary, got {action!r}")
    measured = None if action == "predict" else pd.read_csv(RESULTS)
    print(verdict(pd.read_csv(PREDICTIONS), measured))


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
