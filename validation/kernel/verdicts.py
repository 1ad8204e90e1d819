"""Whether each prediction agrees with its measurement: rules on tables, nothing else.

Accuracies and gaps come in as fractions; differences go out in points of accuracy (per cent).
Standard errors are those of the mean over seeds. Where a number that a rule needs is missing the
verdict is "not tested", never "agrees".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from validation.claims import find_claim

__all__ = [
    "GAP_CLAIM",
    "cell_verdicts",
    "claim_verdicts",
    "crossover_verdicts",
    "head_summary",
    "sign_verdicts",
]

_SIGNIFICANT = 2.0
"""Standard errors beyond which a difference counts as one."""

GAP_CLAIM = find_claim("gap-size").published
"""Published lead of concatenation over cross-attention on aligned features, in points, and n."""

# Round-off: a value on the very edge of its interval is inside.
_EDGE = 1e-12


def cell_verdicts(comparison: pd.DataFrame) -> pd.DataFrame:
    """Judge each predicted accuracy: it agrees if measured lies in the band, two errors allowed.

    Args:
        comparison: columns condition, head, n, measured, measured_se, predicted, predicted_low,
            predicted_high.

    Returns:
        The same rows with ``difference`` (predicted less measured, points) and ``verdict``:
        agrees, off or not tested.
    """
    table = comparison.reset_index(drop=True)
    slack = _SIGNIFICANT * table["measured_se"] + _EDGE
    inside = (table["measured"] >= table["predicted_low"] - slack) & (
        table["measured"] <= table["predicted_high"] + slack
    )
    needed = ["measured", "measured_se", "predicted", "predicted_low", "predicted_high"]
    tested = table[needed].notna().all(axis=1)
    return table.assign(
        difference=100 * (table["predicted"] - table["measured"]),
        verdict=np.select([~tested, inside], ["not tested", "agrees"], "off"),
    )


def sign_verdicts(gaps: pd.DataFrame) -> pd.DataFrame:
    """Judge who is predicted to be ahead; a lead within two standard errors is too close to call.

    Args:
        gaps: columns condition, n, measured_gap, measured_gap_se, predicted_gap.

    Returns:
        The same rows with ``lead``, 1, -1 or 0: the sign of a measured gap that can be told, and
        ``verdict``: agrees, wrong sign, too close to call or not tested.
    """
    table = gaps.reset_index(drop=True)
    known = table[["measured_gap", "measured_gap_se"]].notna().all(axis=1)
    told = known & (table["measured_gap"].abs() > _SIGNIFICANT * table["measured_gap_se"])
    lead = np.sign(table["measured_gap"]).where(told, 0).astype(int)
    tested = known & table["predicted_gap"].notna()
    right = np.sign(table["predicted_gap"]) == lead
    return table.assign(
        lead=lead,
        verdict=np.select(
            [~tested, lead == 0, right], ["not tested", "too close to call", "agrees"], "wrong sign"
        ),
    )


def crossover_verdicts(crossovers: pd.DataFrame) -> pd.DataFrame:
    """Judge each predicted crossover by the interval of the measured one.

    Args:
        crossovers: columns condition, measured, measured_low, measured_high, predicted, in
            training pairs; NaN: none in the range, or an interval that is open on that side.

    Returns:
        The same rows with ``factor`` (predicted over measured) and ``verdict``: agrees, early,
        late, only measured, only predicted, neither, or not tested (no interval at all).
    """
    table = crossovers.reset_index(drop=True)
    measured, predicted = table["measured"], table["predicted"]
    closed = table[["measured_low", "measured_high"]].notna().any(axis=1)
    return table.assign(
        factor=predicted / measured,
        verdict=np.select(
            [
                measured.isna() & predicted.isna(),
                measured.isna(),
                predicted.isna(),
                ~closed,
                predicted < table["measured_low"].fillna(-np.inf),
                predicted > table["measured_high"].fillna(np.inf),
            ],
            ["neither", "only predicted", "only measured", "not tested", "early", "late"],
            "agrees",
        ),
    )


def claim_verdicts(gaps: pd.DataFrame, condition: str = "aligned") -> pd.DataFrame:
    """Judge the published lead of concatenation where it was claimed: `GAP_CLAIM`.

    Args:
        gaps: columns condition, n, measured_gap, measured_gap_se.
        condition: the features that the claim is about.

    Returns:
        The rows of this condition and range of n, with ``verdict``: as claimed (the claimed range
        meets the measured gap, two standard errors allowed), smaller, larger, reversed or
        not tested.
    """
    in_range = gaps["n"].between(GAP_CLAIM["n_low"], GAP_CLAIM["n_high"])
    table = gaps[in_range & (gaps["condition"] == condition)].reset_index(drop=True)
    slack = _SIGNIFICANT * table["measured_gap_se"] + _EDGE
    least, most = table["measured_gap"] - slack, table["measured_gap"] + slack
    return table.assign(
        verdict=np.select(
            [
                slack.isna() | table["measured_gap"].isna(),
                most < 0,
                100 * most < GAP_CLAIM["lead_low_points"],
                100 * least > GAP_CLAIM["lead_high_points"],
            ],
            ["not tested", "reversed", "smaller", "larger"],
            "as claimed",
        )
    )


def head_summary(comparison: pd.DataFrame) -> pd.DataFrame:
    """Sum up the predictions of each head, in the order of the table.

    Args:
        comparison: as in `cell_verdicts`.

    Returns:
        One row per head: ``cells`` (with a prediction and a measurement), ``agree`` (of
        ``tested``), ``mean_absolute_error``, ``bias`` (mean of predicted less measured) and
        ``half_band`` (mean) in points, and the worst cell: ``worst`` (difference, points),
        ``worst_condition`` and ``worst_n``.
    """
    table = cell_verdicts(comparison).dropna(subset=["difference"])
    rows = []
    for head, cells in table.groupby("head", sort=False):
        worst = cells.iloc[int(cells["difference"].abs().argmax())]
        band = cells["predicted_high"] - cells["predicted_low"]
        rows.append(
            {
                "head": head,
                "cells": len(cells),
                "tested": int((cells["verdict"] != "not tested").sum()),
                "agree": int((cells["verdict"] == "agrees").sum()),
                "mean_absolute_error": cells["difference"].abs().mean(),
                "bias": cells["difference"].mean(),
                "half_band": 50 * band.mean(),
                "worst": worst["difference"],
                "worst_condition": worst["condition"],
                "worst_n": worst["n"],
            }
        )
    columns = [
        "head",
        "cells",
        "tested",
        "agree",
        "mean_absolute_error",
        "bias",
        "half_band",
        "worst",
        "worst_condition",
        "worst_n",
    ]
    return pd.DataFrame(rows, columns=columns)
