"""What the numbers say, in sentences: one function a question, one branch an outcome.

No sentence holds a number or a conclusion of its own: each is chosen by the tables it is given.
Tables are those of `validation.kernel.verdicts`; gaps are concat-mlp less bilinear, as fractions.
"""

from __future__ import annotations

import pandas as pd

from validation.kernel.verdicts import GAP_CLAIM
from validation.pages import named_features, number, points

__all__ = [
    "accuracy_sentence",
    "baseline_sentence",
    "claim_sentence",
    "crossover_sentence",
    "decay_sentence",
    "measured_sentence",
    "order_sentence",
    "predicted_sentence",
    "ridge_sentences",
    "trust_sentence",
]


def measured_sentence(condition: str, signs: pd.DataFrame, crossovers: pd.DataFrame) -> str:
    """Say who is measured to be ahead at both ends of the range, and where that changes.

    Args:
        condition: to report.
        signs: from `sign_verdicts`.
        crossovers: from `crossover_verdicts`.
    """
    rows = signs[signs["condition"] == condition].sort_values("n")
    first, last = rows.iloc[0], rows.iloc[-1]
    if rows["measured_gap_se"].isna().all():
        ends = " and ".join(
            f"{points(100 * row['measured_gap'])} points at {number(row['n'])} pairs"
            for row in [first, last][: len(rows)]
        )
        return (
            f"On {named_features(condition)} concatenation less the bilinear head is {ends}, with"
            " one seed, which has no standard error to judge a lead by."
        )
    start = f"On {named_features(condition)} {_leader(first)}"
    if len(rows) == 1:
        return f"{start}."
    change = crossovers[crossovers["condition"] == condition]["measured"].dropna()
    where = f"; the lead changes at about {number(change.iloc[0])} pairs" if len(change) else ""
    if first["lead"] != last["lead"]:
        return f"{start}, but {_leader(last)}{where}."
    still = _lead_size(last) if last["lead"] else "neither does"
    return f"{start}, and still {still} at {number(last['n'])} pairs{where}."


def predicted_sentence(signs: pd.DataFrame) -> str:
    """Say how often the theory names the one who is measured to be ahead.

    Args:
        signs: from `sign_verdicts`.
    """
    counts = signs["verdict"].value_counts()
    right, wrong = int(counts.get("agrees", 0)), int(counts.get("wrong sign", 0))
    close = int(counts.get("too close to call", 0))
    more = f"; {close} more {'is' if close == 1 else 'are'} too close to call" if close else ""
    if right + wrong == 0:
        return f"No measured lead can be told from none, so none tests the prediction{more}."
    clear = right + wrong
    if wrong == 0:
        return f"The theory names the leader in {_all_of(clear)} where the data show one{more}."
    return (
        f"The theory names the leader in {right} of the {clear} cases where the data show one"
        f" clearly, and the wrong one in {wrong}{more}."
    )


def trust_sentence(comparison: pd.DataFrame) -> str | None:
    """Say which predictions are not to be trusted, None if none is marked so.

    Args:
        comparison: with a column trusted, else nothing is known and nothing said.
    """
    if "trusted" not in comparison:
        return None
    doubted = comparison[~comparison["trusted"].fillna(True).astype(bool)]
    if doubted.empty:
        return None
    groups = doubted.groupby("condition", sort=False)["head"].unique()
    where = "; ".join(f"{', '.join(heads)} on {name} features" for name, heads in groups.items())
    return (
        "Not to be trusted are predictions of features beyond the range in which they were seen to"
        f" hold: {where}. Their bands are wider, and their lines dashed."
    )


def crossover_sentence(crossovers: pd.DataFrame) -> list[str]:
    """Say for each condition where the lead changes, predicted and measured.

    Args:
        crossovers: from `crossover_verdicts`.
    """
    return [
        f"On {named_features(row['condition'])} {_crossing(row)}."
        for _, row in crossovers.iterrows()
    ]


def accuracy_sentence(heads: pd.DataFrame) -> str:
    """Say how far the predicted accuracies are off.

    Args:
        heads: from `head_summary`.
    """
    cells, tested = int(heads["cells"].sum()), int(heads["tested"].sum())
    if cells == 0:
        return "No accuracy has both a prediction and a measurement."
    means = " and ".join(
        f"{points(row['mean_absolute_error'], False)} points for {row['head']}"
        for _, row in heads.iterrows()
    )
    worst = heads.iloc[int(heads["worst"].abs().argmax())]
    agree = int(heads["agree"].sum())
    return (
        f"The predicted accuracies are off by {means} on average, and by"
        f" {points(abs(worst['worst']), False)} at worst ({worst['head']},"
        f" {worst['worst_condition']}, n = {number(worst['worst_n'])}); {agree} of {tested} agree."
    )


def baseline_sentence(condition: str, comparison: pd.DataFrame) -> str | None:
    """Say where the dot product, which learns only a scale and a threshold, beats every head.

    Args:
        condition: to report.
        comparison: columns condition, head, n, measured, measured_se.

    Returns:
        None where it is ahead by two standard errors at no size, or was not measured.
    """
    rows = comparison[comparison["condition"] == condition]
    own = rows[rows["head"] == "dot-product"].set_index("n")
    rest = rows[rows["head"] != "dot-product"]
    if own.empty or rest.empty:
        return None
    best = rest.loc[rest.groupby("n")["measured"].idxmax()].set_index("n")
    both = own.join(best.add_suffix("_best"), how="inner")
    margin = both["measured"] - both["measured_best"]
    noise = (both["measured_se"] ** 2 + both["measured_se_best"] ** 2) ** 0.5
    ahead = both[margin > 2 * noise]
    if ahead.empty:
        return None
    low, high = (points(100 * value, False) for value in ahead["measured"].agg(["min", "max"]))
    share = f"{low} %" if low == high else f"{low} to {high} %"
    sizes = (
        "every size measured" if len(ahead) == len(both) else f"{len(ahead)} of {len(both)} sizes"
    )
    return (
        f"On {named_features(condition)} the dot product, which learns only a scale and a"
        f" threshold, is ahead of every trained fusion at {sizes}, with {share}."
    )


def claim_sentence(claims: pd.DataFrame) -> str:
    """Say whether the published lead of concatenation is found, size by size.

    Args:
        claims: from `claim_verdicts`.
    """
    claimed = (
        f"Zhou & Xie report concatenation ahead of cross-attention by"
        f" {points(GAP_CLAIM['lead_low_points'], False)} to"
        f" {points(GAP_CLAIM['lead_high_points'], False)} points from"
        f" {number(GAP_CLAIM['n_low'])} to {number(GAP_CLAIM['n_high'])} samples on aligned"
        " features"
    )
    if claims.empty:
        return f"{claimed}; nothing was measured here in that range."
    gaps = ", ".join(
        f"{points(100 * row['measured_gap'])} at {number(row['n'])}" for _, row in claims.iterrows()
    )
    as_claimed = int((claims["verdict"] == "as claimed").sum())
    verdict = {0: "at none of these sizes", len(claims): "at all of these sizes"}.get(
        as_claimed, f"at {as_claimed} of these {len(claims)} sizes"
    )
    return (
        f"{claimed}. Measured here, of concat-mlp over bilinear: {gaps} points;"
        f" the published lead is found {verdict}."
    )


def order_sentence(ratio: float, signs: pd.DataFrame) -> str:
    """Say which way round the published orders let the lead change, and which way it does.

    Args:
        ratio: D_attention / D_concat.
        signs: from `sign_verdicts`, of one condition.
    """
    rows = signs.sort_values("n")
    first, last = int(rows["lead"].iloc[0]), int(rows["lead"].iloc[-1])
    # More coefficients cost more at small n; approximation errors decide at large n.
    cheap, rich = ("concatenation", "cross-attention")[:: 1 if ratio >= 1 else -1]
    allowed = f"With these orders the lead can change only from {cheap} at small n to {rich}"
    if first * last >= 0:
        return f"{allowed} at large n; in the range measured no change of lead can be told."
    sign = 1 if ratio >= 1 else -1
    way = "this way round" if first == sign else "the other way round"
    return f"{allowed} at large n; measured, it changes {way}."


def decay_sentence(shrinks: float, signs: pd.DataFrame) -> str:
    """Compare the 1/n of the published orders with the gap measured over the same range.

    Args:
        shrinks: factor by which the estimation gap of the orders falls from the first n to the
            last.
        signs: from `sign_verdicts`, of one condition, with two n or more.
    """
    rows = signs.sort_values("n")
    first, last = rows.iloc[0], rows.iloc[-1]
    orders = (
        f"From n = {number(first['n'])} to {number(last['n'])} a gap that is pure estimation error"
        f" falls by a factor of {number(shrinks)}, whatever its constant"
    )
    ends = (
        f"measured, the gap goes from {points(100 * first['measured_gap'])}"
        f" to {points(100 * last['measured_gap'])} points"
    )
    if first["lead"] * last["lead"] < 0:
        return f"{orders}, and keeps its sign; {ends} and changes sign."
    if first["lead"] == 0 or last["lead"] == 0:
        return f"{orders}; {ends}, at one end too close to zero to tell by which factor."
    factor = first["measured_gap"] / last["measured_gap"]
    if factor < 1:
        return f"{orders}; {ends}: it grows by a factor of {number(1 / factor)}."
    return f"{orders}; {ends}: it falls by a factor of {number(factor)}."


def ridge_sentences(gaps: pd.DataFrame) -> list[str]:
    """Say for each condition at which sizes the leader depends on the ridge.

    Args:
        gaps: columns condition, n, at_ridge and gap, at one ridge for both heads.

    Returns:
        No sentence without a gap.
    """
    said = []
    for condition, part in gaps.groupby("condition", sort=False):
        named = named_features(str(condition))
        ends = part.groupby("n")["gap"].agg(["min", "max"])
        turns = ends[(ends["min"] < 0) & (ends["max"] > 0)]
        if turns.empty:
            said.append(
                f"On {named_features(str(condition))} no ridge that was tried changes the leader."
            )
            continue
        sizes = (
            "at every size" if len(turns) == len(ends) else f"at {len(turns)} of {len(ends)} sizes"
        )
        low, high = points(100 * turns["min"].min()), points(100 * turns["max"].max())
        said.append(
            f"On {named}, with one ridge for both heads, the ridge decides who leads {sizes}:"
            f" the gap goes from {low} to {high} points as the ridge alone changes."
        )
    return said


def _leader(row: pd.Series) -> str:
    place = f"at {number(row['n'])} pairs"
    if pd.isna(row["measured_gap_se"]):
        first = row["measured_gap"] > 0
        name = "concatenation" if first else "the bilinear head"
        return (
            f"{name} is ahead {_lead_size(row)} {place}, in one run, which cannot tell from chance"
        )
    if row["lead"] == 0:
        return f"neither leads clearly {place}"
    name = "concatenation" if row["lead"] > 0 else "the bilinear head"
    return f"{name} leads {_lead_size(row)} {place}"


def _lead_size(row: pd.Series) -> str:
    return f"by {points(100 * abs(row['measured_gap']), False)} points"


def _all_of(count: int) -> str:
    return "the one case" if count == 1 else f"all {count} cases"


def _crossing(row: pd.Series) -> str:
    measured, predicted = number(row["measured"]), number(row["predicted"])
    ends = [number(row["measured_low"]), number(row["measured_high"])]
    interval = "" if ends == ["–", "–"] else f" (interval {ends[0]} to {ends[1]})"
    factor = number(row["factor"] if row["factor"] >= 1 else 1 / row["factor"])
    return {
        "neither": "the lead is neither predicted nor measured to change",
        "only predicted": f"a change of lead at {predicted} pairs is predicted, none is measured",
        "only measured": f"the lead changes at {measured} pairs{interval}, which is not predicted",
        "not tested": f"the lead changes at {measured} pairs, predicted {predicted}; without an"
        " interval of the measured one there is no verdict",
        "agrees": f"the lead changes at {measured} pairs{interval}; predicted {predicted}, which"
        " agrees",
        "late": f"the lead changes at {measured} pairs{interval}; predicted {predicted}, which is"
        f" too late by a factor of {factor}",
        "early": f"the lead changes at {measured} pairs{interval}; predicted {predicted}, which is"
        f" too early by a factor of {factor}",
    }[str(row["verdict"])]
