"""Predict and measure both heads in every cell; store the gaps and the crossovers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.crossover.config import Config
from experiments.crossover.crossings import last_crossing, log_standard_error
from experiments.crossover.summary import predicted_text, verdict
from fusiontheory.checks import InputError
from fusiontheory.simulate import predict_head, simulate
from fusiontheory.symbolic import Orders
from fusiontheory.symbolic import closed_forms as symbolic

RESULTS = Path(__file__).with_name("results.csv")
PREDICTIONS = Path(__file__).with_name("predictions.csv")
CROSSINGS = Path(__file__).with_name("crossings.csv")
# Measured runs, for resuming; not kept with the project.
RECORDS = Path(__file__).parents[2] / ".cache" / "experiments" / "crossover"

_CELL = ["ridge", "correlation", "interaction"]
_NAMES = {"pairs.correlation": "correlation", "target.interaction": "interaction"}


def predict(config: Config) -> pd.DataFrame:
    """Return both predicted risks of each ridge, cell and n; nothing is run."""
    rows = []
    sizes = list(config.n)
    for cell in config.grid().configs:
        settings = cell.settings()
        rho, share = settings["pairs.correlation"], settings["target.interaction"]
        for ridge in config.ridges:
            additive, bilinear = (
                predict_head(cell, head, sizes, ridge).test for head in config.heads
            )
            rows += [
                (ridge, rho, share, *point) for point in zip(sizes, additive, bilinear, strict=True)
            ]
    columns = [*_CELL, "n", "predicted_additive", "predicted_bilinear"]
    return pd.DataFrame(rows, columns=columns).sort_values([*_CELL, "n"], ignore_index=True)


def measure(config: Config, folder: Path = RECORDS) -> pd.DataFrame:
    """Run the grid and return the risk of each ridge, cell, n, seed (rows) and head (columns)."""
    table = simulate(config.grid(), folder).rename(columns=_NAMES)
    wide = table.pivot(index=[*_CELL, "n", "seed"], columns="head", values="test")
    return wide.reset_index().rename_axis(columns=None)


def results(measured: pd.DataFrame) -> pd.DataFrame:
    """Return means over seeds, one row per ridge, cell and n.

    ``gap`` is the additive less the bilinear risk, ``gap_se`` its standard error over seeds; both
    heads see the same draws.
    """
    measured = measured.assign(gap=measured["additive"] - measured["bilinear"])
    return measured.groupby([*_CELL, "n"], as_index=False).agg(
        additive=("additive", "mean"),
        bilinear=("bilinear", "mean"),
        gap=("gap", "mean"),
        gap_se=("gap", "sem"),
    )


def crossings(config: Config, measured: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Return n* of each ridge and cell: measured, with the error of its logarithm, and predicted.

    0 is below the smallest n, infinity beyond the largest. ``predicted`` is read off the predicted
    risks as ``measured`` is off the measured ones. The others know no ridge: ``least_squares`` is
    Level 1, ``orders`` and ``orders_alignment`` Level 0 with c = 1.
    """
    level_1 = symbolic.crossover("bilinear").numpy()
    rows = []
    curves = dict(list(predicted.groupby(_CELL)))
    for place, points in measured.groupby(_CELL):
        risk = points.pivot(index="seed", columns="n", values=["additive", "bilinear"])
        first, second = (risk[head].to_numpy(dtype=float) for head in config.heads)
        n = np.array(config.n, dtype=float)
        ratio = curves[place]["predicted_additive"] / curves[place]["predicted_bilinear"]
        _, rho, share = (float(str(x)) for x in place)
        rows.append(
            {
                **dict(zip(_CELL, place, strict=True)),
                "measured": last_crossing(n, np.log(first.mean(axis=0) / second.mean(axis=0))),
                "log_se": log_standard_error(n, first, second),
                "predicted": last_crossing(n, np.log(ratio.to_numpy())),
                "least_squares": float(
                    level_1(
                        d_v=config.dimension,
                        d_t=config.dimension,
                        b2=1.0,
                        s2=config.noise,
                        eta=share,
                    )
                ),
                "orders": _orders(config, share, 1 - share),
                # As the paper tells it: aligned, concatenation approximates as well as attention.
                "orders_alignment": _orders(config, (1 - rho) * share, 0.0),
            }
        )
    return pd.DataFrame(rows)


def _orders(config: Config, eps_concat: float, eps_attention: float) -> float:
    d = config.dimension
    return Orders(d, d, eps_concat=eps_concat, eps_attention=eps_attention).crossover()


def stored() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the stored results beside their predictions, and the stored crossings."""
    both = pd.read_csv(RESULTS).merge(
        pd.read_csv(PREDICTIONS), on=[*_CELL, "n"], validate="one_to_one"
    )
    return both, pd.read_csv(CROSSINGS)


def main(action: str) -> None:
    """Do what is asked: "predict" stores the closed forms, "run" the runs, "summary" reads both."""
    config = Config()
    if action == "predict":
        _write(predict(config), PREDICTIONS)
    elif action == "run":
        predicted, measured = pd.read_csv(PREDICTIONS), measure(config)
        _write(results(measured), RESULTS)
        _write(crossings(config, measured, predicted), CROSSINGS)
    elif action != "summary":
        raise InputError(f"action must be predict, run or summary, got {action!r}")
    print(predicted_text(config, pd.read_csv(PREDICTIONS)))
    if action != "predict":
        print(verdict(config, *stored()))


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
