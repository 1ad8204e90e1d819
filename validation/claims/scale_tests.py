"""Tests of claims about the lead as a function of n: its order, the sample ratio, what decides."""

from __future__ import annotations

import numpy as np

from fusiontheory.stats import gap_trend, paired_gap, scaling_exponent
from fusiontheory.typing import Array
from validation.claims.finding import CONTEXT, Finding, family_level
from validation.claims.measured import Group
from validation.claims.outcome import RESOLUTION, sign_outcome
from validation.claims.published import SIZES, find_claim

__all__ = ["alignment_decides", "orders", "sample_ratio"]


def orders(group: Group) -> Finding:
    """Hold the exponent of the lead in n on aligned features against -1 and -1/2.

    It fails if both are excluded, or if cross-attention leads over all n taken together; it holds
    if a flat lead is excluded and concatenation leads.
    """
    finding = Finding(group, family_level(4))
    leads = _leads(finding, "aligned")
    if leads is None:
        return finding
    published = find_claim("orders").published
    implied = (published["exponent_fast"], published["exponent_slow"])
    scaling = scaling_exponent(leads, SIZES, (*implied, 0.0), finding.level)
    mean = paired_gap(leads.mean(axis=1), np.zeros(len(leads)), finding.level)
    outcome = "open"
    if {*implied} <= {*scaling.excluded} or mean.high < 0:
        outcome = "fails"
    elif 0.0 in scaling.excluded and mean.low > 0:
        outcome = "holds"
    where = {"condition": "aligned", "sigma": 0.0}
    finding.add_gap("lead of concatenation, mean over n", mean, CONTEXT, **where)
    facts = {"low": scaling.low, "high": scaling.high, "seeds": scaling.seeds, **where}
    for exponent, p_value in scaling.p_values.items():
        quantity = f"exponent of the lead in n, against {exponent:g}"
        finding.add(quantity, scaling.exponent, CONTEXT, p_value=p_value, **facts)
    finding.add("exponent of the lead in n", scaling.exponent, outcome, **facts)
    return finding


def sample_ratio(group: Group) -> Finding:
    """Compare cross-attention on n with concatenation on m pairs, aligned, for all sizes on record.

    At n = 256 m it holds if both are level within a point and above chance, and fails if they are
    a point or more apart. For each m, at the largest n below 256 m, it fails if cross-attention is
    ahead; that cross-attention is behind there says no more than that the ratio is not smaller.
    """
    ratio = find_claim("sample-ratio").published["ratio"]
    ours, theirs = (group.sizes("aligned", head) for head in group.heads)
    in_reach = {m: [n for n in theirs if n < ratio * m] for m in ours}
    below = [(m, max(reach)) for m, reach in in_reach.items() if reach]
    equal = [(m, int(ratio * m)) for m in ours if ratio * m in theirs]
    finding = Finding(group, family_level(len(below) + 2 * len(equal)))
    for m, n in below:
        table = _concatenation_and_attention(finding, m, n)
        if table is not None:
            ahead = paired_gap(table[:, 1], table[:, 0], finding.level)
            outcome = "fails" if ahead.low > 0 else CONTEXT
            quantity = f"cross-attention on n less concatenation on {m}"
            finding.add_gap(quantity, ahead, outcome, condition="aligned", n=n, sigma=0.0)
    for m, n in equal:
        table = _concatenation_and_attention(finding, m, n)
        if table is not None:
            ahead = paired_gap(table[:, 1], table[:, 0], finding.level)
            above = paired_gap(table[:, 0], np.full(len(table), 0.5), finding.level)
            quantity = f"cross-attention on n = {ratio:g} m less concatenation on m = {m}"
            outcome = _level(ahead.low, ahead.high, above.low > RESOLUTION)
            finding.add_gap(quantity, ahead, outcome, condition="aligned", n=n, sigma=0.0)
    # Without such a pair the claim can be refuted, and not supported.
    if not equal and "fails" not in finding.judged:
        finding.missing.append(
            f"{group.features}, {group.setting}: aligned, {group.heads[0]} at some m and"
            f" {group.heads[1]} at {ratio:g} m"
        )
    return finding


def alignment_decides(group: Group) -> Finding:
    """Compare what alignment does to the lead with what n does, seed by seed.

    Of alignment: the mean over n of aligned less unaligned. Of n: the fitted change from the
    smallest to the largest n, linear in log n. Both are taken with the sign of their mean.
    """
    finding = Finding(group, family_level(2))
    leads = _leads(finding, "aligned", "unaligned")
    if leads is None:
        return finding
    aligned, unaligned = leads[:, : len(SIZES)], leads[:, len(SIZES) :]
    by_alignment = (aligned - unaligned).mean(axis=1)
    zero = np.zeros(len(by_alignment))
    shift = paired_gap(by_alignment, zero, finding.level)
    finding.add_gap("change of the lead from unaligned to aligned", shift, CONTEXT, sigma=0.0)
    axis = np.log(SIZES)
    span = axis[-1] - axis[0]
    weights = span * (axis - axis.mean()) / np.sum((axis - axis.mean()) ** 2)
    for condition, table in (("aligned", aligned), ("unaligned", unaligned)):
        trend = gap_trend(table, axis, finding.level)
        where = {"condition": condition, "sigma": 0.0}
        finding.add(
            f"change of the lead from n = {SIZES[0]} to {SIZES[-1]}",
            span * trend.slope,
            CONTEXT,
            low=span * trend.low,
            high=span * trend.high,
            p_value=trend.p_value,
            seeds=trend.seeds,
            **where,
        )
        by_scale = table @ weights
        contrast = np.sign(shift.gap) * by_alignment - np.sign(by_scale.mean()) * by_scale
        excess = paired_gap(contrast, zero, finding.level)
        outcome = sign_outcome(excess.low, excess.high)
        finding.add_gap("change with alignment less change with n", excess, outcome, **where)
    return finding


def _leads(finding: Finding, *conditions: str) -> Array | None:
    """Return the lead of concatenation at the published sizes, (seeds, conditions x sizes)."""
    heads = finding.group.heads
    table = finding.table(
        [(condition, head, n, 0.0) for condition in conditions for n in SIZES for head in heads]
    )
    return None if table is None else table[:, ::2] - table[:, 1::2]


def _concatenation_and_attention(finding: Finding, m: int, n: int) -> Array | None:
    first, second = finding.group.heads
    return finding.table([("aligned", first, m, 0.0), ("aligned", second, n, 0.0)])


def _level(low: float, high: float, above_chance: bool) -> str:
    if high < -RESOLUTION or low > RESOLUTION:
        return "fails"
    return "holds" if above_chance and low >= -RESOLUTION and high <= RESOLUTION else "open"
