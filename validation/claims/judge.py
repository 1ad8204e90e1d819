"""The verdict on a claim from measured records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from fusiontheory.checks import InputError
from validation.claims import lead_tests, noise_tests, scale_tests
from validation.claims.finding import Finding, evidence_table
from validation.claims.measured import Group, groups
from validation.claims.outcome import combine
from validation.claims.published import Claim

__all__ = ["ATTENTION", "CONCATENATION", "NOT_TESTABLE", "VERDICTS", "Verdict", "judge"]

CONCATENATION = "concat-mlp"
"""The head that stands for the paper's concatenation (`fusiontheory.networks`)."""

ATTENTION = "cross-attention"
"""The head that stands for the paper's cross-attention: a single token of each modality."""

NOT_TESTABLE = "not testable here"
VERDICTS = ("supported", "refuted", "mixed", NOT_TESTABLE)

_TESTS: Mapping[str, Callable[[Group], Finding]] = {
    "gap-size": lead_tests.gap_size,
    "ahead-at-every-scale": lead_tests.ahead_at_every_scale,
    "orders": scale_tests.orders,
    "sample-ratio": scale_tests.sample_ratio,
    "gap-under-noise": noise_tests.gap_under_noise,
    "chance-under-noise": noise_tests.chance_under_noise,
    "competitive-unaligned": lead_tests.competitive_unaligned,
    "alignment-decides": scale_tests.alignment_decides,
}


@dataclass(frozen=True)
class Verdict:
    """What the records say about one claim.

    Attributes:
        claim: name of the claim.
        verdict: supported, refuted, mixed or not testable here.
        by_group: verdict for each feature set and setting, (features, setting); those not testable
            do not count in ``verdict``.
        evidence: one row per test, measured numbers only: features, setting, condition, n, sigma,
            side, quantity, estimate, low, high, level (of the interval), p_value (two-sided,
            uncorrected, of an estimate of 0 or of the exponent named), seeds, predicted (if the
            records have predictions) and outcome (holds, fails, open; context if it is not
            judged). Accuracies and leads are fractions.
        missing: the cells that are needed and not on record, by name.
        reason: the verdicts in words, with the outcomes they are made of.
    """

    claim: str
    verdict: str
    by_group: Mapping[tuple[str, str], str]
    evidence: pd.DataFrame = field(repr=False)
    missing: tuple[str, ...]
    reason: str


def judge(
    claim: Claim,
    records: pd.DataFrame,
    concatenation: str = CONCATENATION,
    attention: str = ATTENTION,
) -> Verdict:
    """Return the verdict on a claim.

    Each feature set and setting is judged apart: the claim's test is made on seeds that both heads
    share, with intervals that hold together at 95 % (Bonferroni over the tests of a group). It is
    supported if every test holds, refuted if one fails and none holds, mixed if both occur. A cell
    that is not on record on 2 seeds makes it not testable here, whatever the others say, and so
    do intervals too wide to tell. Groups that differ make the verdict mixed.

    The intervals are over seeds, on the test set at hand.

    Args:
        claim: one of `CLAIMS`.
        records: one row per trained head; columns condition, features, head, n, sigma, side, seed,
            setting, accuracy, and predicted if there are predictions of the accuracy. Other
            columns are not looked at. A NaN accuracy, of a member that diverged, does not count.
        concatenation, attention: names of the heads that stand for the paper's.

    Raises:
        InputError: for an unknown claim, the same head twice, and records that lack a column, hold
            a cell and seed twice or an accuracy outside [0, 1].

    Example:
        >>> from validation.claims import find_claim
        >>> columns = ["condition", "features", "head", "n", "sigma", "side", "seed", "setting"]
        >>> empty = pd.DataFrame(columns=[*columns, "accuracy"])
        >>> judge(find_claim("gap-size"), empty).verdict
        'not testable here'
    """
    if claim.name not in _TESTS:
        raise InputError(f"claim must be one of {', '.join(_TESTS)}, got {claim.name!r}")
    if concatenation == attention:
        raise InputError(f"concatenation and attention must be two heads, got {attention!r} twice")
    findings = [_TESTS[claim.name](group) for group in groups(records, (concatenation, attention))]
    by_group = {
        (f.group.features, f.group.setting): NOT_TESTABLE if f.missing else combine(f.judged)
        for f in findings
    }
    told = {verdict for verdict in by_group.values() if verdict != NOT_TESTABLE}
    verdict = told.pop() if len(told) == 1 else "mixed" if told else NOT_TESTABLE
    return Verdict(
        claim=claim.name,
        verdict=verdict,
        by_group=by_group,
        evidence=evidence_table(findings),
        missing=tuple(name for f in findings for name in f.missing) or _no_records(findings),
        reason="; ".join(_words(f, by_group[f.group.features, f.group.setting]) for f in findings),
    )


def _words(finding: Finding, verdict: str) -> str:
    judged = finding.judged
    counts = [f"{judged.count(kind)} {kind}" for kind in ("holds", "fails", "open")]
    words = f"{finding.group.features}, {finding.group.setting}: {verdict} ({', '.join(counts)}"
    return f"{words}, {len(finding.missing)} missing)" if finding.missing else f"{words})"


def _no_records(findings: list[Finding]) -> tuple[str, ...]:
    return () if findings else ("any record",)
