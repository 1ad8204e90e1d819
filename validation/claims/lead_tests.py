"""Tests of claims about the lead of concatenation at each n: how large, and who is ahead."""

from __future__ import annotations

import numpy as np

from fusiontheory.stats import paired_gap
from validation.claims.finding import CONTEXT, Finding, family_level, lead_at
from validation.claims.measured import Group
from validation.claims.outcome import lead_outcome, level_outcome, range_outcome
from validation.claims.published import SIZES, find_claim

__all__ = ["ahead_at_every_scale", "competitive_unaligned", "gap_size"]

_LEAD = "lead of concatenation"


def gap_size(group: Group) -> Finding:
    """Hold the lead on aligned features at each n against the published range."""
    published = find_claim("gap-size").published
    least, most = published["lead_low_points"] / 100, published["lead_high_points"] / 100
    finding = Finding(group, family_level(len(SIZES)))
    for n in SIZES:
        lead = lead_at(finding, "aligned", n)
        if lead is not None:
            outcome = range_outcome(lead.low, lead.high, least, most)
            finding.add_gap(_LEAD, lead, outcome, **_where(group, "aligned", n))
    return finding


def ahead_at_every_scale(group: Group) -> Finding:
    """Ask at each n whether concatenation is ahead on aligned features."""
    finding = Finding(group, family_level(len(SIZES)))
    for n in SIZES:
        lead = lead_at(finding, "aligned", n)
        if lead is not None:
            outcome = lead_outcome(lead.low, lead.high)
            finding.add_gap(_LEAD, lead, outcome, **_where(group, "aligned", n))
    return finding


def competitive_unaligned(group: Group) -> Finding:
    """Ask at each n whether cross-attention is within a point of concatenation when unaligned.

    Where both heads are within a point of chance there is nothing to compete for: open.
    """
    finding = Finding(group, family_level(len(SIZES)))
    for n in SIZES:
        lead = lead_at(finding, "unaligned", n)
        if lead is None:
            continue
        at_chance = True
        for head in group.heads:
            accuracy = group.accuracy("unaligned", head, n).to_numpy(dtype=np.float64)
            above = paired_gap(accuracy, np.full(len(accuracy), 0.5), finding.level)
            at_chance &= level_outcome(above.low, above.high) == "holds"
            where = {"condition": "unaligned", "n": n, "sigma": 0.0}
            finding.add_gap(f"accuracy less 1/2, {head}", above, CONTEXT, **where)
        outcome = "open" if at_chance else level_outcome(lead.low, lead.high)
        finding.add_gap(_LEAD, lead, outcome, **_where(group, "unaligned", n))
    return finding


def _where(group: Group, condition: str, n: int) -> dict[str, object]:
    first, second = (group.predicted(condition, head, n) for head in group.heads)
    return {"condition": condition, "n": n, "sigma": 0.0, "predicted": first - second}
