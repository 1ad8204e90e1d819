"""Who is predicted to be ahead, where that changes, and how sure that is: from curves to words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.heads import GAP_HEADS

__all__ = ["TOO_CLOSE", "Answer", "answer", "crossings", "predicted_lead"]

TOO_CLOSE = "too close to call"
_LEAD_COLUMNS = ["n", "lead", "lead_low", "lead_high", "sure", "ahead"]


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """What the curves of several heads say.

    Attributes:
        leaders: for each n the head of highest predicted accuracy and the next: columns n, head,
            next, lead, lead_low, lead_high, sure, ahead (the head, or "too close to call").
        gap: `predicted_lead` of concat-mlp over bilinear; None where one of them is missing.
        crossovers: n at which the sign of that gap changes, between two that were asked for.
        heads: all that were predicted.
        doubtful: those whose predictions are not to be trusted for these features.
    """

    leaders: pd.DataFrame
    gap: pd.DataFrame | None
    crossovers: tuple[float, ...]
    heads: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return sentences, the conclusion first.

        >>> curves = pd.DataFrame({"head": ["bilinear"], "n": [64], "accuracy": [0.8],
        ...                        "accuracy_low": [0.7], "accuracy_high": [0.9]})
        >>> answer(curves).to_text()
        'Only bilinear was predicted: there is no other head to compare it with.'
        """
        if self.leaders.empty:
            one = ", ".join(self.heads)
            return f"Only {one} was predicted: there is no other head to compare it with."
        said = [_leader_sentence(self.leaders)]
        if self.gap is not None:
            said.append(_gap_sentence(self.gap, self.crossovers))
        if self.doubtful:
            heads = ", ".join(self.doubtful)
            said.append(
                f"These features are unlike those on which predictions of {heads} were seen to"
                " hold: take the answer as a guess, and measure."
            )
        return "\n".join(said)

    def __repr__(self) -> str:
        """Return `to_text`, which is what a notebook shows."""
        return self.to_text()

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds."""
        return {
            "text": self.to_text(),
            "leaders": self.leaders.to_dict("records"),
            "gap": None if self.gap is None else self.gap.to_dict("records"),
            "gap_heads": None if self.gap is None else list(GAP_HEADS),
            "crossovers": list(self.crossovers),
            "doubtful": list(self.doubtful),
        }


@checked
def answer(table: pd.DataFrame) -> Answer:
    """Return who is ahead at each n.

    Args:
        table: `predict_curve` of several heads, with a column ``head``, at the same n.

    Raises:
        InputError: if a column is missing.

    Example:
        >>> curves = pd.DataFrame({
        ...     "head": ["concat-mlp"] * 2 + ["bilinear"] * 2, "n": [64, 256] * 2,
        ...     "accuracy": [0.6, 0.9, 0.7, 0.8], "accuracy_low": [0.59, 0.89, 0.69, 0.79],
        ...     "accuracy_high": [0.61, 0.91, 0.71, 0.81]})
        >>> found = answer(curves)
        >>> found.leaders["ahead"].tolist(), found.crossovers
        (['bilinear', 'concat-mlp'], (128.0,))
    """
    _check(table)
    names = list(dict.fromkeys(table["head"]))
    rows = []
    for n, part in table.groupby("n", sort=True):
        ordered = part.sort_values("accuracy", ascending=False, kind="stable")
        if len(ordered) < 2:
            continue
        first, second = ordered["head"].iloc[:2]
        lead = predicted_lead(part, first, second).iloc[0].to_dict()
        rows.append({"n": n, "head": first, "next": second, **lead})
    columns = ["n", "head", "next", *_LEAD_COLUMNS[1:]]
    gap: pd.DataFrame | None = None
    where: tuple[float, ...] = ()
    if set(GAP_HEADS) <= set(names):
        gap = predicted_lead(table, *GAP_HEADS)
        where = tuple(crossings(gap["n"], gap["lead"]))
    doubtful: tuple[str, ...] = ()
    if "trusted" in table:
        doubtful = tuple(dict.fromkeys(table.loc[~table["trusted"].astype(bool), "head"]))
    return Answer(pd.DataFrame(rows, columns=columns), gap, where, tuple(names), doubtful)


@checked
def predicted_lead(table: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return accuracy of one head less that of another, with a 95 % interval.

    The errors of both are taken as independent: where the same images move both, the interval is
    wider than it need be. It has what the intervals of the accuracies have: for moments of features
    also what the theory was seen to be off by (`fusiontheory.moments.trust`).

    Args:
        table: as in `answer`.
        first: the head whose lead is above 0.
        second: the other.

    Returns:
        Columns n, lead, lead_low, lead_high (fractions), sure (probability that the sign is right,
        0.5 to 1), ahead (a head, or "too close to call" where the interval holds 0).

    Raises:
        InputError: if a column or a head is missing.
    """
    _check(table)
    one, other = (table[table["head"] == head].set_index("n") for head in (first, second))
    for head, part in ((first, one), (second, other)):
        if part.empty:
            raise InputError(f"table must have the head {head}, got none")
    shared = one.index.intersection(other.index)
    one, other = one.loc[shared], other.loc[shared]
    lead = (one["accuracy"] - other["accuracy"]).to_numpy(float)
    down, up = (
        np.hypot(
            sign * (one["accuracy"] - one[f"accuracy_{end}"]).to_numpy(float),
            sign * (other[f"accuracy_{across}"] - other["accuracy"]).to_numpy(float),
        )
        for sign, end, across in ((1, "low", "high"), (-1, "high", "low"))
    )
    # Towards zero is the side that could turn the sign.
    error = np.where(lead >= 0, down, up) / norm.ppf(0.975)
    z = np.divide(np.abs(lead), error, out=np.where(lead == 0, 0.0, np.inf), where=error > 0)
    told = (lead - down > 0) | (lead + up < 0)
    ahead = np.where(~told, TOO_CLOSE, np.where(lead > 0, first, second))
    values = [shared.to_numpy(), lead, lead - down, lead + up, norm.cdf(z), ahead]
    return pd.DataFrame(dict(zip(_LEAD_COLUMNS, values, strict=True))).sort_values("n")


def crossings(n: Iterable[float], gap: Iterable[float]) -> list[float]:
    """Return where a gap changes its sign, linear in log n between sizes, to 3 digits.

    >>> crossings([64, 256], [-0.1, 0.1])
    [128.0]
    """
    places = zip(n, gap, strict=True)
    crossed = []
    for (left, before), (right, after) in pairwise(sorted(places)):
        if before * after < 0:
            share = before / (before - after)
            crossed.append(float(f"{left * (right / left) ** share:.3g}"))
    return crossed


def _check(table: pd.DataFrame) -> None:
    needed = ["head", "n", "accuracy", "accuracy_low", "accuracy_high"]
    missing = [column for column in needed if column not in table]
    if missing:
        raise InputError(f"table must have the columns {', '.join(missing)}")


def _leader_sentence(leaders: pd.DataFrame) -> str:
    heads = list(dict.fromkeys(leaders["head"]))
    sizes = f"{leaders['n'].min():g} to {leaders['n'].max():g} pairs"
    if len(leaders) == 1:
        sizes = f"{leaders['n'].iloc[0]:g} pairs"
    lines = [
        f"  n = {row['n']:g}: {row['head']} by {100 * row['lead']:.1f} points over {row['next']}"
        f" ({100 * row['lead_low']:.1f} to {100 * row['lead_high']:.1f}; {_sure(row)})"
        for _, row in leaders.iterrows()
    ]
    clear = leaders[leaders["ahead"] != TOO_CLOSE]
    if clear.empty:
        start = f"Too close to call at {sizes}"
    elif len(heads) == 1 and len(clear) == len(leaders):
        start = f"{heads[0]} is predicted to be ahead of all others at {sizes}"
    elif len(heads) == 1:
        start = f"{heads[0]} is predicted to be ahead at {sizes}, too closely to call at some"
    else:
        start = f"Who is ahead depends on the number of pairs, at {sizes}"
    return "\n".join([f"{start}:", *lines])


def _gap_sentence(gap: pd.DataFrame, where: tuple[float, ...]) -> str:
    first, second = GAP_HEADS
    start = f"Concatenation ({first}) or interaction ({second})?"
    parts = []
    for name in (first, second, TOO_CLOSE):
        sizes = gap.loc[gap["ahead"] == name, "n"]
        if len(sizes):
            at = (
                "every n" if len(sizes) == len(gap) else "n = " + ", ".join(f"{n:g}" for n in sizes)
            )
            parts.append(f"{name} at {at}" if name == TOO_CLOSE else f"{name} is ahead at {at}")
    if where:
        change = f"the lead changes at about {' and '.join(f'{n:g}' for n in where)} pairs"
    elif len(gap) > 1 and TOO_CLOSE in set(gap["ahead"]):
        change = "no change of the lead can be told in this range"
    elif len(gap) > 1:
        change = "the lead does not change in this range"
    else:
        change = "ask for several n to see whether the lead changes"
    line = "; ".join([*parts, change])
    return f"{start} {line[0].upper()}{line[1:]}."


def _sure(row: pd.Series[Any]) -> str:
    if row["ahead"] == TOO_CLOSE:
        return f"{TOO_CLOSE}, {100 * row['sure']:.0f} % sure"
    share = f"{100 * row['sure']:.0f}"
    return "over 99 % sure" if share == "100" else f"{share} % sure"
