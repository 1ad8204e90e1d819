"""The errors of the theory taken apart, from the stored tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.surrogates.config import HEADS, STRENGTHS

if TYPE_CHECKING:
    from experiments.study import Tables

__all__ = [
    "TERMS",
    "by_size",
    "decomposed",
    "quantities",
    "risks",
    "summary",
    "terms",
    "verdict",
]

MAIN_STUDY = Path(__file__).parents[2] / "docs" / "results" / "ridge_0.1" / "comparison.csv"
"""Measured accuracies on the shipped features, of the main study."""

TERMS: dict[str, dict[str, int]] = {
    "error, shipped features": {"p real": 1, "m main": -1},
    "theory on independent Gaussian pairs": {"p population": 1, "m gaussian, fresh": -1},
    "- law of leverage and scores": {"p population": 1, "p sharp": -1},
    "- the rest": {"p sharp": 1, "m gaussian, fresh": -1},
    "pairs share images": {"m gaussian, fresh": 1, "m gaussian": -1},
    "moments estimated": {"p estimated": 1, "p population": -1},
    "not Gaussian": {"p real": 1, "m main": -1, "p estimated": -1, "m gaussian": 1},
    "- lengths": {"p unit": 1, "m gaussian, unit": -1, "p estimated": -1, "m gaussian": 1},
    "- the rest (shape)": {"p real": 1, "m main": -1, "p unit": -1, "m gaussian, unit": 1},
    "error, Gaussian features": {"p estimated": 1, "m gaussian": -1},
    "error, Gaussian at unit norm": {"p unit": 1, "m gaussian, unit": -1},
    "pairs share images, shipped features": {"m real, fresh": 1, "m real": -1},
}
"""Each term as a sum of predicted (p) and measured (m) accuracies.

The second, fifth, sixth and seventh add up to the first; those with a dash to the one above.
"""

_POINT = ["condition", "head", "n"]


def quantities(predicted: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies by point and seed (rows) and quantity (columns), in points.

    Predictions without a seed are repeated for each. ``main_se`` is the standard error of
    ``m main``, whose seeds are other ones.
    """
    wide = measured.pivot(index=[*_POINT, "seed"], columns="world", values="accuracy")
    wide = wide.add_prefix("m ").reset_index()
    for kind, part in predicted.groupby("prediction"):
        own = (part["seed"] >= 0).all()
        keys = [*_POINT, "seed"] if own else _POINT
        part = part[[*keys, "accuracy"]].rename(columns={"accuracy": f"p {kind}"})
        wide = wide.merge(part, on=keys, how="left", validate="1:1" if own else "m:1")
    main = pd.read_csv(MAIN_STUDY)[[*_POINT, "measured", "measured_se"]]
    main = main.rename(columns={"measured": "m main", "measured_se": "main_se"})
    wide = wide.merge(main, on=_POINT, how="left", validate="m:1")
    values = [name for name in wide.columns if name not in (*_POINT, "seed")]
    wide[values] *= 100
    return wide


def terms(predicted: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """Return each term at each point and seed: term, condition, head, n, seed, value, main_se."""
    wide = quantities(predicted, measured)
    frames = []
    for term, parts in TERMS.items():
        # The shipped features have more seeds than the Gaussian ones, at some of the sizes.
        rows = wide if "m real" in parts else wide[wide["m gaussian"].notna()]
        value = sum((sign * rows[name] for name, sign in parts.items()), start=0 * rows["seed"])
        error = rows["main_se"] if "m main" in parts else 0.0
        frames.append(rows[[*_POINT, "seed"]].assign(term=term, value=value, main_se=error))
    return pd.concat(frames, ignore_index=True).dropna(subset="value")


def summary(tables: Tables) -> str:
    """Return what is predicted and, where it is measured, the errors taken apart."""
    if "results.csv" not in tables:
        return tables["predictions.csv"].round(4).to_string(index=False)
    return verdict(tables["predictions.csv"], tables["results.csv"])


def verdict(predicted: pd.DataFrame, measured: pd.DataFrame) -> str:
    """Return the table of terms and the errors of the risk as text."""
    table = terms(predicted, measured)
    lines = []
    for condition in STRENGTHS:
        for head in HEADS:
            rows = table[(table["condition"] == condition) & (table["head"] == head)]
            lines += [f"{condition}, {head}: mean over n with standard error, mean absolute; by n"]
            for term in TERMS:
                part = rows[rows["term"] == term]
                if not part.empty:
                    lines.append(f"  {term}: {_line(part)}")
    lines += ["Risk of the bilinear head on independent Gaussian pairs, predicted over measured"]
    lines += _risks(risks({"predictions.csv": predicted, "results.csv": measured}))
    return "\n".join(lines)


def decomposed(tables: Tables) -> pd.DataFrame:
    """Return the mean of each term over n, in points.

    Returns:
        condition, head, `term`, `place` (condition, head), `value`, its standard error `error`, and
        `absolute`, the mean over n without signs.
    """
    rows = terms(tables["predictions.csv"], tables["results.csv"])
    found = [
        {"condition": condition, "head": head, "term": term, **_mean(part)}
        for (condition, head, term), part in rows.groupby(["condition", "head", "term"])
    ]
    table = pd.DataFrame(found)
    order = table["term"].map(list(TERMS).index)
    table = table.assign(place=table["condition"] + ", " + table["head"], order=order)
    return table.sort_values(["order", "condition", "head"]).drop(columns="order")


def by_size(tables: Tables) -> pd.DataFrame:
    """Return condition, head, term, n, and the `value` of the term there, in points."""
    rows = terms(tables["predictions.csv"], tables["results.csv"])
    return rows.groupby(["condition", "head", "term", "n"])["value"].mean().reset_index()


def risks(tables: Tables) -> pd.DataFrame:
    """Return the error of the bilinear head's risk on independent Gaussian pairs.

    Returns:
        `prediction` (population or sharp), condition, n, `error` ((predicted - measured)/measured)
        and its standard error `se`.
    """
    measured = tables["results.csv"]
    rows = measured[(measured["world"] == "gaussian, fresh") & (measured["head"] == "bilinear")]
    found = rows.groupby(["condition", "n"])["risk"].agg(["mean", "sem"]).reset_index()
    said = tables["predictions.csv"]
    said = said[said["prediction"].isin(("population", "sharp")) & (said["head"] == "bilinear")]
    both = said[["prediction", "condition", "n", "risk"]].merge(found, on=["condition", "n"])
    return both.assign(error=both["risk"] / both["mean"] - 1, se=both["sem"] / both["mean"])


def _mean(part: pd.DataFrame) -> dict[str, float]:
    by_seed = part.groupby("seed")["value"].mean().to_numpy(dtype=float)
    # Errors of the main study at its n are correlated; their mean is an upper bound.
    own = by_seed.std(ddof=1) / np.sqrt(len(by_seed))
    main = part.groupby("n")["main_se"].first().to_numpy(dtype=float).mean()
    by_n = part.groupby("n")["value"].mean()
    error = float(np.hypot(own, main))
    return {"value": by_n.mean(), "error": error, "absolute": by_n.abs().mean()}


def _line(part: pd.DataFrame) -> str:
    found = _mean(part)
    by_n = part.groupby("n")["value"].mean()
    values = ", ".join(f"{n}: {value:+.2f}" for n, value in by_n.items())
    return f"{found['value']:+.2f} ± {found['error']:.2f}, {found['absolute']:.2f}; {values}"


def _risks(table: pd.DataFrame) -> list[str]:
    lines = []
    for (kind, condition), part in table.groupby(["prediction", "condition"]):
        cells = [
            f"{n}: {100 * error:+.2f} ± {100 * se:.2f} %"
            for n, error, se in zip(part["n"], part["error"], part["se"], strict=True)
        ]
        lines.append(f"  {kind}, {condition}: " + ", ".join(cells))
    return lines
