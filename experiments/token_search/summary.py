"""Networks and kernels beside the prediction, draw by draw, and where the search went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = ["chosen", "comparison", "summary"]

_PLACE = ["population", "head"]
_LEVEL = 0.975


def comparison(tables: Tables) -> pd.DataFrame:
    """Return a row per population, network and way: accuracy, and its distance with an interval.

    The distance is the prediction less what is measured on the same draws, in points. Its 95 %
    interval is Student's over draws, after the mean over initial weights: test images of draws are
    disjoint; training images are too on made-up tokens, and overlap on real ones.
    """
    told = tables["predictions.csv"].rename(columns={"seed": "draw", "accuracy": "predicted"})
    means = tables["results.csv"].groupby([*_PLACE, "how", "draw"], sort=False)["test"].mean()
    both = means.reset_index().merge(told[[*_PLACE, "draw", "predicted"]], on=[*_PLACE, "draw"])
    both["error"] = 100 * (both["predicted"] - both["test"])
    groups = both.groupby([*_PLACE, "how"], sort=False)
    table = pd.DataFrame(
        {
            "predicted": 100 * groups["predicted"].mean(),
            "measured": 100 * groups["test"].mean(),
            "error": groups["error"].mean(),
            "draws": groups["error"].count(),
        }
    )
    half = stats.t.ppf(_LEVEL, table["draws"] - 1) * groups["error"].sem()
    table = table.assign(low=table["error"] - half, high=table["error"] + half).reset_index()
    return table.sort_values(_PLACE, kind="stable", ignore_index=True)


def chosen(tables: Tables) -> pd.DataFrame:
    """Return a row per population and network: the choice, its dev accuracy and training's.

    ``neighbours`` is how many of the six neighbours of the choice were tried: all, if the search
    has ended as it should.
    """
    search = tables["search.csv"].query("part == 'search'")
    settings = ["rate", "decay", "scale"]
    runs = search.groupby([*_PLACE, *settings], sort=False)[["dev", "train", "epoch", "chosen"]]
    means = runs.mean().reset_index()
    rows = []
    for place, own in means.groupby(_PLACE, sort=False):
        [best] = own[own["chosen"] > 0].to_dict("records")
        away = np.abs(np.log(own[settings].to_numpy() / [best[name] for name in settings])) > 1e-9
        near = own[away.sum(axis=1) == 1]
        sides = {
            (name, bool(row[name] > best[name]))
            for row in near.to_dict("records")
            for name in settings
            if row[name] != best[name]
        }
        rows.append(
            dict(zip(_PLACE, place, strict=True)) | best | {"tried": len(own), "sides": len(sides)}
        )
    return pd.DataFrame(rows).drop(columns="chosen")


def summary(tables: Tables) -> str:
    """Return the predictions, and if there are results, these beside them."""
    if "results.csv" not in tables:
        told = tables["predictions.csv"]
        means = 100 * told.pivot_table("accuracy", "population", "head", sort=False)
        return means.round(1).to_string()
    parts = (comparison(tables), chosen(tables))
    return "\n\n".join(part.round(5).to_string(index=False) for part in parts)
