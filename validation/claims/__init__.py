"""The published claims of Zhou & Xie (arXiv:2606.01207) as data, and what measured records say.

>>> from validation.claims import CLAIMS
>>> [claim.name for claim in CLAIMS]  # doctest: +NORMALIZE_WHITESPACE
['gap-size', 'ahead-at-every-scale', 'orders', 'sample-ratio', 'gap-under-noise',
 'chance-under-noise', 'competitive-unaligned', 'alignment-decides']
"""

from validation.claims.judge import ATTENTION, CONCATENATION, NOT_TESTABLE, VERDICTS, Verdict, judge
from validation.claims.measured import COLUMNS
from validation.claims.outcome import combine, lead_outcome, level_outcome, range_outcome
from validation.claims.published import (
    CHANCE_SIGMAS,
    CLAIMS,
    SIZES,
    SWEEP_SIGMAS,
    Claim,
    find_claim,
)

__all__ = [
    "ATTENTION",
    "CHANCE_SIGMAS",
    "CLAIMS",
    "COLUMNS",
    "CONCATENATION",
    "NOT_TESTABLE",
    "SIZES",
    "SWEEP_SIGMAS",
    "VERDICTS",
    "Claim",
    "Verdict",
    "combine",
    "find_claim",
    "judge",
    "lead_outcome",
    "level_outcome",
    "range_outcome",
]
