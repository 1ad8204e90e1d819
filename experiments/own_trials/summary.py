"""Errors and intervals of the theory and of trials, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from fusiontheory.synthetic import FOREIGN

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["by_kind", "by_part", "compared", "seconds", "summary"]

WAYS = ("theory", "trial")


def compared(tables: Tables) -> pd.DataFrame:
    """Return every cell with its truth, the errors in points and whether intervals hold it.

    An interval holds if it comes within two standard errors of the measured mean.
    """
    key = ["population", "head", "ridge", "n"]
    predicted, truth = (tables[name].copy() for name in ("predictions.csv", "results.csv"))
    for table in (predicted, truth):
        table["ridge"] = table["ridge"].astype(str)
    found = predicted.merge(truth, on=key, validate="m:1")
    for way in WAYS:
        found[f"{way}_error"] = 100 * (found[way] - found["measured"])
        found[f"{way}_holds"] = (found[f"{way}_low"] - 2 * found["se"] <= found["measured"]) & (
            found["measured"] <= found[f"{way}_high"] + 2 * found["se"]
        )
    found["within"] = found["n"] <= found["tried"] + 1
    return found


def by_part(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and largest absolute errors, and intervals that hold, by part of the cells."""
    rows = []
    for (images, trusted, within), part in table.groupby(["images", "trusted", "within"]):
        row = {
            "images": images,
            "warned": "no" if trusted else "yes",
            "pairs": "as many as tried" if within else "more than tried",
            "cells": len(part),
        }
        for way in WAYS:
            error = part[f"{way}_error"].abs()
            beyond = (error - 200 * part["se"]).clip(lower=0)
            row |= {
                f"{way}, mean error": error.mean(),
                f"{way}, largest": error.max(),
                f"{way}, off by 1 point beyond noise, %": 100 * (beyond > 1).mean(),
                f"{way}, holds, %": 100 * part[f"{way}_holds"].mean(),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def by_kind(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean absolute errors within the trial's own pairs, by kind of features and images."""
    own = table[table["within"]].copy()
    own["kind"] = [FOREIGN[name].kind for name in own["population"]]
    rows = []
    for kind in dict.fromkeys(population.kind for population in FOREIGN.values()):
        row: dict[str, object] = {"kind": kind}
        for way in WAYS:
            for images, part in own[own["kind"] == kind].groupby("images"):
                row[f"{way}, {images} images"] = float(part[f"{way}_error"].abs().mean())
        rows.append(row)
    return pd.DataFrame(rows)


def seconds(found: pd.DataFrame) -> pd.DataFrame:
    """Return the median seconds of a curve by head and ridge, for each number of images."""
    table = found.groupby(["head", "ridge", "images"])["seconds"].median().unstack()
    table.columns = [f"{images} images" for images in table.columns]
    return table.reset_index()


def summary(tables: Tables) -> str:
    """Return the table of parts, the worst cells and the seconds of a curve."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].to_string(index=False, float_format="%.4g")
    found = compared(tables)
    worst = found.loc[found["trial_error"].abs().nlargest(8).index]
    shown = ["population", "images", "head", "ridge", "n", "tried", "theory_error", "trial_error"]
    parts = by_part(found).set_index(["images", "warned", "pairs"]).T
    return "\n\n".join(
        [
            parts.round(1).to_string(),
            by_kind(found).round(1).to_string(index=False),
            "worst trials\n" + worst[shown].round(1).to_string(index=False),
            "seconds of a curve (median)\n" + seconds(found).round(1).to_string(index=False),
        ]
    )
