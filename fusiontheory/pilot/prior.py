"""True risks of heads, and errors of their forecasts, in the worlds of the calibration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from fusiontheory.constraints import checked
from fusiontheory.pilot.curve import PilotCurve
from fusiontheory.typing import Array

__all__ = ["Prior", "error_covariance", "prior_risks", "stand_ins", "stored_prior"]


# Share of an unknown head's error that its stand-in does not have.
_OWN = 0.1


@checked
@dataclass(frozen=True, eq=False)
class Prior:
    """True risks of heads in many worlds, and the two settings of the mixture.

    Attributes:
        heads: (h,) names.
        log_sizes: (s,) rising.
        risks: (worlds, s, h).
        bandwidth: of the normal around each world, in units of the spread of the worlds.
        errors: (h, h) mean products of two heads' errors, each over its forecast's deviation.
    """

    heads: tuple[str, ...]
    log_sizes: Array
    risks: Array
    bandwidth: float
    errors: Array


@cache
def stored_prior() -> Prior:
    """Read the prior that the package holds (`prior.csv`, `calibration.json`)."""
    folder = files("fusiontheory.pilot")
    with folder.joinpath("prior.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    settings = json.loads(folder.joinpath("calibration.json").read_text(encoding="utf-8"))["choice"]
    heads = tuple(c for c in table.columns if c not in ("world", "n"))
    sizes = np.sort(table["n"].unique())
    risks = np.stack(
        [group.sort_values("n")[list(heads)].to_numpy() for _, group in table.groupby("world")]
    )
    errors = np.array(settings["errors"])
    return Prior(heads, np.log(sizes), risks, float(settings["bandwidth"]), errors)


def stand_ins(curves: Sequence[PilotCurve], prior: Prior) -> list[str]:
    """Return a head of the prior for each curve: its own, or the one that errs most like it.

    Only heads among the curves can stand in; where there is none, all unknown heads have the
    first of the prior.
    """
    known = [c for c in curves if c.head in prior.heads]
    names = []
    for curve in curves:
        if curve.head in prior.heads or not known:
            names.append(curve.head if curve.head in prior.heads else prior.heads[0])
            continue
        like = [np.corrcoef(curve.errors.ravel(), c.errors.ravel())[0, 1] for c in known]
        names.append(known[int(np.argmax(like))].head)
    return names


def prior_risks(curves: Sequence[PilotCurve], target: float, prior: Prior) -> Array:
    """Return the risks (worlds, heads) at the target size.

    An unknown head is on average as good as its stand-in, and in each world off it by as much as
    heads of one world differ.
    """
    x = float(np.clip(np.log(target), prior.log_sizes[0], prior.log_sizes[-1]))
    k = int(np.clip(np.searchsorted(prior.log_sizes, x) - 1, 0, prior.log_sizes.size - 2))
    share = (x - prior.log_sizes[k]) / (prior.log_sizes[k + 1] - prior.log_sizes[k])
    known = (1 - share) * prior.risks[:, k] + share * prior.risks[:, k + 1]
    apart = known.std(1).mean()
    rng = np.random.default_rng(0)
    columns = []
    for curve, name in zip(curves, stand_ins(curves, prior), strict=True):
        column = known[:, prior.heads.index(name)]
        off = 0.0 if curve.head == name else apart * rng.standard_normal(len(known))
        columns.append(column + off)
    return np.stack(columns, axis=1)


def error_covariance(curves: Sequence[PilotCurve], deviations: Array, prior: Prior) -> Array:
    """Return the covariance (h, h) of the errors of forecast risks with these deviations (h,).

    An unknown head's errors are those of its stand-in, with a part of its own.
    """
    index = [prior.heads.index(name) for name in stand_ins(curves, prior)]
    products = prior.errors[np.ix_(index, index)]
    unknown = [c.head not in prior.heads for c in curves]
    products = products + _OWN * np.diag(np.where(unknown, np.diag(products), 0.0))
    values, vectors = np.linalg.eigh(products)
    products = (vectors * np.maximum(values, 1e-3 * values[-1])) @ vectors.T
    covariance: Array = products * np.outer(deviations, deviations)
    return covariance
