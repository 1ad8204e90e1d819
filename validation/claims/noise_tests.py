"""Tests of claims about noise on both sides of aligned features."""

from __future__ import annotations

import numpy as np

from fusiontheory.stats import gap_trend, paired_gap
from validation.claims.finding import CONTEXT, Finding, family_level
from validation.claims.measured import Group
from validation.claims.outcome import lead_outcome, level_outcome
from validation.claims.published import CHANCE_SIGMAS, SWEEP_SIGMAS

__all__ = ["chance_under_noise", "gap_under_noise"]

_SIDE = "both"


def gap_under_noise(group: Group) -> Finding:
    """Ask at each n with a noise sweep whether the lead grows with sigma, up to 0.1.

    What is judged is the growth over the sweep, the slope in sigma times its length. The
    permutation test stands beside it as context.
    """
    sizes = _noisy_sizes(group, SWEEP_SIGMAS[1:])
    finding = Finding(group, family_level(len(sizes)))
    _name_missing(finding, sizes, SWEEP_SIGMAS[1:])
    length = SWEEP_SIGMAS[-1] - SWEEP_SIGMAS[0]
    for n in sizes:
        cells = [("aligned", head, n, sigma) for sigma in SWEEP_SIGMAS for head in group.heads]
        table = finding.table(cells)
        if table is None:
            continue
        leads = table[:, ::2] - table[:, 1::2]
        where = {"condition": "aligned", "n": n, "side": _SIDE}
        for sigma, column in zip(SWEEP_SIGMAS, leads.T, strict=True):
            lead = paired_gap(column, np.zeros(len(column)), finding.level)
            first, second = (
                group.predicted("aligned", head, n, sigma, _SIDE) for head in group.heads
            )
            facts = {**where, "sigma": sigma, "predicted": first - second}
            finding.add_gap("lead of concatenation", lead, CONTEXT, **facts)
        trend = gap_trend(leads, SWEEP_SIGMAS, finding.level)
        low, high = length * trend.low, length * trend.high
        facts = {**where, "low": low, "high": high, "seeds": trend.seeds}
        growth = length * trend.slope
        quantity = f"growth of the lead from sigma = 0 to {SWEEP_SIGMAS[-1]:g}"
        permuted = {**facts, "p_value": trend.permutation_p}
        finding.add(f"{quantity}, by permutation", growth, CONTEXT, **permuted)
        outcome = lead_outcome(low, high)
        finding.add(quantity, growth, outcome, p_value=trend.p_value, **facts)
    return finding


def chance_under_noise(group: Group) -> Finding:
    """Ask at each n with such noise whether each head is within a point of chance."""
    sizes = _noisy_sizes(group, CHANCE_SIGMAS)
    finding = Finding(group, family_level(len(sizes) * len(CHANCE_SIGMAS) * len(group.heads)))
    _name_missing(finding, sizes, CHANCE_SIGMAS)
    for n in sizes:
        for sigma in CHANCE_SIGMAS:
            for head in group.heads:
                table = finding.table([("aligned", head, n, sigma)])
                if table is None:
                    continue
                above = paired_gap(table[:, 0], np.full(len(table), 0.5), finding.level)
                outcome = level_outcome(above.low, above.high)
                where = {"condition": "aligned", "n": n, "sigma": sigma, "side": _SIDE}
                predicted = group.predicted("aligned", head, n, sigma, _SIDE) - 0.5
                quantity = f"accuracy less 1/2, {head}"
                finding.add_gap(quantity, above, outcome, predicted=predicted, **where)
    return finding


def _noisy_sizes(group: Group, sigmas: tuple[float, ...]) -> list[int]:
    """Return the sizes at which a head of the two has a record with one of these sigmas."""
    rows = group.records
    near = np.isclose(rows["sigma"].to_numpy(float)[:, None], sigmas, rtol=0, atol=1e-9).any(axis=1)
    here = near & rows["head"].isin(group.heads) & (rows["side"] == _SIDE)
    return sorted(int(n) for n in rows[here & (rows["condition"] == "aligned")]["n"].unique())


def _name_missing(finding: Finding, sizes: list[int], sigmas: tuple[float, ...]) -> None:
    if not sizes:
        group = finding.group
        finding.missing.append(
            f"{group.features}, {group.setting}: aligned, {' and '.join(group.heads)}, any n,"
            f" sigma = {', '.join(f'{sigma:g}' for sigma in sigmas)} on {_SIDE}"
        )
