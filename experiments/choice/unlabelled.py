"""Do unlabelled items improve a forecast? ``python -m experiments.choice.unlabelled FOLDER``.

With the records of `collect` (calibration worlds, whose truths it takes): pilots of 100 alone, with
1000 unlabelled pairs that set the views' mean and scale, and with a forecast that knows the
kernel's spectrum from all 1100. Writes `unlabelled.csv`, a row a size.

The spectral forecast: with lambda_j the eigenvalues of the centred kernel of all items over their
number, B(kappa) = s^2 + c sum_j w_j (kappa / (lambda_j + kappa))^2 is fitted to the pilot's B, with
w_j = lambda_j^(1 + a) and s^2, c >= 0; forecasts are averaged over a by how well they fit, and
R(n) = min over kappa of B / (1 - df2 / (n - 1)) is moved so as to pass the pilot's own risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.linalg import eigvalsh
from scipy.optimize import nnls

from experiments.choice.collect import read_records
from experiments.choice.config import HEADS
from experiments.choice.pilots import Record
from experiments.side_tables import arguments, write_side_table
from fusiontheory.checks import InputError
from fusiontheory.heads import PILOT_HEADS, Views
from fusiontheory.pilot import PilotCurve, WithinReach
from fusiontheory.typing import Array

PILOT, UNLABELLED = 100, 1000
SIZES = (100, 200, 400, 800)
# Powers of the signal in the eigenvalues, and the error that points of B are believed to have.
POWERS, POINT_ERROR = np.linspace(0, 2, 9), 0.01
# Least share of the items that degrees of freedom may leave.
ROOM = 0.02


def spectral_risks(within: WithinReach, values: Array, sizes: Sequence[int]) -> Array:
    """Return R(n) of the fitted B(kappa), shape (sizes,).

    Args:
        within: of the pilot.
        values: eigenvalues > 0 of the kernel of all items, over their number.
        sizes: n.
    """
    seen = (within.kappa[:, None] / (values + within.kappa[:, None])) ** 2
    kappa = np.geomspace(within.kappa.min() / 1000, within.kappa.max(), 120)[:, None]
    filtered = (kappa / (values + kappa)) ** 2
    freedom = ((values / (values + kappa)) ** 2).sum(1)
    risks, misfits = [], []
    for power in POWERS:
        weight = values ** (1 + power) / (values ** (1 + power)).sum()
        design = np.column_stack([np.ones(len(seen)), seen @ weight])
        (noise, signal), misfit = nnls(design, within.level)
        level = noise + signal * filtered @ weight
        room = [1 - freedom / (n - 1) for n in sizes]
        risks.append(
            [
                float((level[r > ROOM] / r[r > ROOM]).min()) * (1 + 1 / n)
                for r, n in zip(room, sizes, strict=True)
            ]
        )
        misfits.append(misfit**2 / len(seen))
    weights = np.exp(-(np.array(misfits) - min(misfits)) / (2 * POINT_ERROR**2))
    averaged: Array = np.average(risks, axis=0, weights=weights)
    return averaged


def world_rows(record: Record) -> list[tuple[object, ...]]:
    """Return world, head, n and absolute errors of the three forecasts, in the label's variance."""
    draw = record["world"].sampler()
    v, t, y = draw(PILOT, 100 + 1000 * PILOT)
    more = draw(UNLABELLED, 31_337)[:2]
    views = Views.from_features(np.r_[v, more[0]], np.r_[t, more[1]])
    a, b = views.apply(np.r_[v, more[0]], np.r_[t, more[1]])
    rows: list[tuple[object, ...]] = []
    for head in HEADS:
        try:
            alone = PilotCurve.from_features(v, t, y, head)
        except InputError:
            return []  # a class with too few items
        helped = PilotCurve.from_features(v, t, y, head, unlabelled=more)
        kernel = PILOT_HEADS[head].kernel(a, b, a, b)
        mean = kernel.mean(0)
        values = eigvalsh(kernel - mean - mean[:, None] + mean.mean())[::-1] / len(kernel)
        assert helped.within is not None
        spectral = spectral_risks(helped.within, values[values > 1e-12 * values[0]], SIZES)
        spectral += helped.risk([PILOT]) - spectral[0]
        truth = np.array([record["truth"][n][head][0] for n in SIZES])
        errors = [np.abs(x - truth) for x in (alone.risk(SIZES), helped.risk(SIZES), spectral)]
        rows += [
            (record["name"], head, n, *row)
            for n, row in zip(SIZES, np.transpose(errors), strict=True)
        ]
    return rows


def main() -> None:
    """Compare the forecasts and write the mean errors in % of the label's variance."""
    [folder] = arguments(__doc__, {"folder": Path})
    rows = [row for record in read_records(folder) for row in world_rows(record)]
    kinds = ["labelled", "unlabelled", "spectral"]
    table = pd.DataFrame(rows, columns=["world", "head", "n", *kinds])
    worlds = table.groupby(["n", "world"])[kinds].mean()
    found = 100 * worlds.groupby("n").mean()
    for kind in kinds[1:]:
        gap = worlds[kind] - worlds["labelled"]
        found[f"{kind}_gap"] = 100 * gap.groupby("n").mean()
        found[f"{kind}_error"] = 100 * gap.groupby("n").std() / np.sqrt(gap.groupby("n").size())
    found["worlds"] = worlds.groupby("n").size()
    path = Path(__file__).with_name("unlabelled.csv")
    write_side_table(path, found.round(3).reset_index(), main)
    print(found.round(2))


if __name__ == "__main__":
    main()
