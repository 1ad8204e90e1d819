"""A person's own runs beside the predicted curves: errors, intervals, who was ahead."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.curves.answer import TOO_CLOSE
from fusiontheory.curves.run_table import checked_runs, read_runs
from fusiontheory.heads import HEADS

__all__ = ["RunComparison", "compare"]

_TWO = 2.0  # standard errors from which a difference can be told
_EDGE = 1e-12


@checked
@dataclass(frozen=True, eq=False)
class RunComparison:
    """What was measured beside what was predicted.

    Attributes:
        points: one row for each head and n: columns head, n, runs, measured (mean over runs),
            measured_se (NaN of one run), predicted, predicted_low, predicted_high, difference
            (predicted less measured), verdict: inside, above or below the predicted interval,
            two standard errors of the measurement allowed.
        gaps: for each two heads at one n: columns first, second, n, measured_gap, measured_gap_se
            (paired by seed where both have the same), predicted_gap, verdict: agrees, wrong sign,
            too close to call, or not tested where no standard error is known.
    """

    points: pd.DataFrame
    gaps: pd.DataFrame

    def to_text(self) -> str:
        """Return sentences, the conclusion first, and the table of points in per cent."""
        shown = self.points.copy()
        for column in shown.columns[3:9]:
            shown[column] = (100 * shown[column]).map("{:.2f}".format)
        return "\n".join([*self.sentences(), "", "In per cent:", shown.to_string(index=False)])

    def sentences(self) -> list[str]:
        """Return what was found, in words."""
        points = self.points
        at = points.iloc[int(points["difference"].abs().argmax())]
        said = [
            f"Predicted accuracies are {100 * points['difference'].abs().mean():.2f} points off on"
            f" average, at worst {100 * abs(at['difference']):.2f} ({at['head']}, n = {at['n']:g})."
        ]
        out = points[points["verdict"] != "inside"]
        places = "; ".join(
            f"{row['head']} at n = {row['n']:g}, {row['verdict']} it" for _, row in out.iterrows()
        )
        said.append(
            f"All {len(points)} measured accuracies lie inside their predicted intervals."
            if out.empty
            else f"{len(out)} of {len(points)} measured accuracies lie outside the predicted"
            f" interval: {places}."
        )
        counts = self.gaps["verdict"].value_counts()
        right, wrong = int(counts.get("agrees", 0)), int(counts.get("wrong sign", 0))
        rest = [
            f"{counts[name]} {'is' if counts[name] == 1 else 'are'} {name}"
            for name in (TOO_CLOSE, "not tested")
            if name in counts
        ]
        more = f" ({', '.join(rest)})" if rest else ""
        if right + wrong:
            said.append(
                f"The head that was ahead is named rightly in {right} of {right + wrong} cases"
                f" where the runs show one{more}."
            )
        elif len(self.gaps):
            said.append(f"The runs do not show which of two heads is ahead{more}.")
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds; a number that is not known is None."""
        return {"text": " ".join(self.sentences())} | {
            name: table.astype(object).where(table.notna(), None).to_dict("records")
            for name, table in (("points", self.points), ("gaps", self.gaps))
        }


@checked
def compare(curve: pd.DataFrame, runs: pd.DataFrame | str | os.PathLike[str]) -> RunComparison:
    """Hold measured runs against predicted curves.

    Between two predicted n a prediction is linear in log n; none is made outside their range.

    Args:
        curve: `predict_curve`; of several heads, with a column ``head``, as
            `fusiontheory.curves.forecast` gives. Without it, of the one head of the runs.
        runs: columns head, n and accuracy (fractions), and seed if there are; or a CSV file.

    Raises:
        InputError: if a column is missing, a value is not a number, an accuracy is not from 0 to 1,
            a run is there twice, a head is not among the curves, an n is outside their range, or
            runs of several settings or conditions, by columns of these names, are mixed.

    Example:
        >>> curve = pd.DataFrame({"head": "bilinear", "n": [64, 256], "accuracy": [0.7, 0.8],
        ...                       "accuracy_low": [0.68, 0.78], "accuracy_high": [0.72, 0.82]})
        >>> runs = pd.DataFrame({"head": "bilinear", "n": [128, 256], "accuracy": [0.74, 0.9]})
        >>> compare(curve, runs).points["verdict"].tolist()
        ['inside', 'above']
    """
    given = checked_runs(runs) if isinstance(runs, pd.DataFrame) else read_runs(runs)
    missing = [c for c in ("n", "accuracy", "accuracy_low", "accuracy_high") if c not in curve]
    if missing:
        raise InputError(f"curve must have the columns {', '.join(missing)}")
    heads = list(dict.fromkeys(given["head"]))
    if "head" not in curve:
        if len(heads) > 1:
            raise InputError(f"curve must have a column head for runs of {', '.join(heads)}")
        curve = curve.assign(head=heads[0])
    predicted = {str(head): part.sort_values("n") for head, part in curve.groupby("head")}
    unknown = [head for head in heads if head not in predicted]
    if unknown:
        raise InputError(
            f"runs must be of heads that are predicted, {', '.join(predicted)}, got"
            f" {', '.join(unknown)}"
        )
    rows = [
        _point(str(head), float(str(n)), part["accuracy"].to_numpy(float), predicted[str(head)])
        for (head, n), part in given.groupby(["head", "n"], sort=False)
    ]
    points = pd.DataFrame(rows).sort_values(["head", "n"], ignore_index=True)
    points["n"] = points["n"].map(lambda n: int(n) if float(n).is_integer() else n)
    return RunComparison(points, _gaps(given, points, heads))


def _point(head: str, n: float, measured: np.ndarray, line: pd.DataFrame) -> dict[str, Any]:
    sizes = line["n"].to_numpy(float)
    if not sizes[0] * (1 - _EDGE) <= n <= sizes[-1] * (1 + _EDGE):
        raise InputError(
            f"runs must be at n from {sizes[0]:g} to {sizes[-1]:g}, where {head} is predicted,"
            f" got {n:g}; predict at the n of the runs"
        )
    at, low, high = (
        float(np.interp(np.log(n), np.log(sizes), line[name].to_numpy(float)))
        for name in ("accuracy", "accuracy_low", "accuracy_high")
    )
    mean = float(measured.mean())
    error = float(measured.std(ddof=1) / np.sqrt(measured.size)) if measured.size > 1 else np.nan
    slack = _TWO * (0.0 if np.isnan(error) else error) + _EDGE
    verdict = "below" if mean < low - slack else "above" if mean > high + slack else "inside"
    return {
        "head": head,
        "n": n,
        "runs": measured.size,
        "measured": mean,
        "measured_se": error,
        "predicted": at,
        "predicted_low": low,
        "predicted_high": high,
        "difference": at - mean,
        "verdict": verdict,
    }


def _gaps(runs: pd.DataFrame, points: pd.DataFrame, heads: Sequence[str]) -> pd.DataFrame:
    order = [*(h for h in HEADS if h in heads), *(h for h in heads if h not in HEADS)]
    at = points.set_index(["head", "n"])
    rows = []
    for first, second in combinations(order, 2):
        for n in sorted(set(at.loc[first].index) & set(at.loc[second].index)):
            one, other = at.loc[(first, n)], at.loc[(second, n)]
            gap = float(one["measured"] - other["measured"])
            error = _paired_error(runs, first, second, n)
            if np.isnan(error):
                error = float(np.hypot(one["measured_se"], other["measured_se"]))
            predicted = float(one["predicted"] - other["predicted"])
            if np.isnan(error):
                verdict = "not tested"
            elif abs(gap) <= _TWO * error:
                verdict = TOO_CLOSE
            else:
                verdict = "agrees" if gap * predicted > 0 else "wrong sign"
            rows.append((first, second, n, gap, error, predicted, verdict))
    columns = [
        "first",
        "second",
        "n",
        "measured_gap",
        "measured_gap_se",
        "predicted_gap",
        "verdict",
    ]
    return pd.DataFrame(rows, columns=columns)


def _paired_error(runs: pd.DataFrame, first: str, second: str, n: float) -> float:
    """Return the standard error of the gap over shared seeds; NaN where seeds are not the same."""
    if "seed" not in runs or runs["seed"].isna().any():
        return float("nan")
    one, other = (
        runs[(runs["head"] == head) & (runs["n"] == n)].set_index("seed")["accuracy"]
        for head in (first, second)
    )
    if len(one) < 2 or set(one.index) != set(other.index):
        return float("nan")
    return float((one - other).std(ddof=1) / np.sqrt(len(one)))
