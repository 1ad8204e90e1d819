"""What Zhou & Xie (arXiv:2606.01207) say, as published: no measured number is in this file.

The paper's task is binary image-text matching on CLIP features of dimension 512 + 512, its heads
a concatenation MLP (1024-256-128-2) and cross-attention, one run each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fusiontheory.checks import InputError

__all__ = [
    "CHANCE_SIGMAS",
    "CLAIMS",
    "SIZES",
    "SWEEP_SIGMAS",
    "Claim",
    "find_claim",
]

SIZES = (2048, 4096, 8192, 16384)
"""Training pairs at which the paper compares the heads."""

SWEEP_SIGMAS = (0.0, 0.01, 0.02, 0.05, 0.1)
"""Noise below the level at which the paper has both heads at chance."""

CHANCE_SIGMAS = (0.2, 0.5)
"""Noise at which the paper has both heads at chance."""

_SOURCE = "Zhou & Xie, arXiv:2606.01207"


@dataclass(frozen=True)
class Claim:
    """One published claim.

    Attributes:
        name: short, unique; `judge` has one test for each.
        statement: what is claimed.
        source: where.
        published: its numbers by name, with the unit in the name; points are hundredths of
            accuracy.
        refuted_by: the measurement that would refute it.
        expected: what our theory expects the verdict to be with the heads of the study: supported,
            refuted or undecided.
        theory: why.

    Example:
        >>> find_claim("gap-size").published["lead_low_points"]
        4.1
    """

    name: str
    statement: str
    source: str
    published: Mapping[str, float]
    refuted_by: str
    expected: str
    theory: str


# One single token: the softmax is 1, so the head reads the caption alone (docs/orders.md).
_ONE_KEY = (
    "Cross-attention with one key per sample is W_o W_v t: it reads the caption alone, and"
    " E[y | t] = 0 puts it at chance at every n and in every condition."
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="gap-size",
        statement="On aligned features concatenation leads cross-attention by 4.1 to 5.1 points,"
        " from 2048 to 16384 training pairs.",
        source=_SOURCE,
        published={
            "lead_low_points": 4.1,
            "lead_high_points": 5.1,
            "n_low": 2048,
            "n_high": 16384,
        },
        refuted_by="A lead whose interval lies outside 4.1 to 5.1 points at some of these n, while"
        " at none it is above 0 and meets that range.",
        expected="refuted",
        theory=f"{_ONE_KEY} Concatenation learns matching through v (x) t, more with n, so its lead"
        " grows with n and is no constant. The paper's own orders make it fall by 8 (fast rate) or"
        " 2.8 (slow rate) from 2048 to 16384.",
    ),
    Claim(
        name="ahead-at-every-scale",
        statement="On aligned features concatenation is ahead of cross-attention at every n.",
        source=_SOURCE,
        published={"n_low": 2048, "n_high": 16384},
        refuted_by="Cross-attention ahead, or concatenation less than 1 point ahead and not clear"
        " of 0, at some n from 2048 to 16384, while it is clearly ahead at none.",
        expected="supported",
        theory=f"{_ONE_KEY} A concatenation MLP is above chance, so it leads. The reason is not"
        " d_v + d_t against d_v d_t; against a head with a bilinear term it is behind below a"
        " crossover (docs/theory.md, Level 3).",
    ),
    Claim(
        name="orders",
        statement="Concatenation needs O(d_v + d_t) samples and cross-attention O(d_v d_t), so that"
        " the lead is an estimation gap, of order 1/n or 1/sqrt(n).",
        source=_SOURCE,
        published={"exponent_fast": -1.0, "exponent_slow": -0.5},
        refuted_by="A lead on aligned features whose scaling in n excludes both -1 and -1/2.",
        expected="refuted",
        theory="The counts bound estimation errors from above and order nothing (docs/orders.md)."
        " Neither is the count of these heads: concatenation learns matching through v (x) t,"
        " and one-key cross-attention has no bilinear term.",
    ),
    Claim(
        name="sample-ratio",
        statement="Cross-attention needs 256 times the samples of concatenation at"
        " d_v = d_t = 512.",
        source=_SOURCE,
        published={"ratio": 256.0, "d_v": 512, "d_t": 512},
        refuted_by="On aligned features, cross-attention on fewer than 256 times the samples ahead"
        " of concatenation, or on 256 times the samples more than 1 point away from it.",
        expected="undecided",
        theory=f"{_ONE_KEY} So no number of samples brings it level where concatenation is above"
        " chance, and there is no ratio. As a ratio of bounds it is exact.",
    ),
    Claim(
        name="gap-under-noise",
        statement="The lead of concatenation grows from 1.3 to 2.8 points as noise on the features"
        " degrades their alignment.",
        source=_SOURCE,
        published={"lead_from_points": 1.3, "lead_to_points": 2.8},
        refuted_by="On aligned features, a slope of the lead in sigma, noise on both sides, that is"
        " negative, or not clear of 0 with a growth below 1 point from sigma = 0 to 0.1.",
        expected="refuted",
        theory=f"{_ONE_KEY} Noise leaves the cross-moments alone and adds variance, so the accuracy"
        " of concatenation falls towards chance, and its lead with it.",
    ),
    Claim(
        name="chance-under-noise",
        statement="Both heads are at chance for noise of sigma >= 0.2.",
        source=_SOURCE,
        published={"sigma_chance": 0.2, "accuracy_chance": 0.5},
        refuted_by="On aligned features with noise on both sides, sigma = 0.2 and 0.5, an accuracy"
        " above 51 % of a head at some n; mixed if others are within a point of chance.",
        expected="undecided",
        theory=f"{_ONE_KEY} Concatenation falls without a threshold: q = c^T (Lambda + kappa)^-1 c"
        " decays as Lambda grows with sigma^2 and reaches 0 at no sigma. How far above chance it is"
        " at 0.2 depends on the features and on n (`degradation_curve`).",
    ),
    Claim(
        name="competitive-unaligned",
        statement="On unaligned features cross-attention is competitive with concatenation.",
        source=_SOURCE,
        published={"n_low": 2048, "n_high": 16384},
        refuted_by="On unaligned features, cross-attention behind by more than 1 point at some n"
        " from 2048 to 16384, while it is within 1 point or ahead at none.",
        expected="refuted",
        theory=f"{_ONE_KEY} Separate rotations of v and t change nothing for the products v (x) t,"
        " through which concatenation learns matching without coordinate alignment.",
    ),
    Claim(
        name="alignment-decides",
        statement="Alignment, not data scale, decides which fusion is better.",
        source=_SOURCE,
        published={"n_low": 2048, "n_high": 16384},
        refuted_by="A change of the lead from 2048 to 16384, in the aligned and in the unaligned"
        " condition, that is larger than its change from unaligned to aligned.",
        expected="refuted",
        theory="At the orders' own level both decide, through n* (docs/orders.md). In matching the"
        " lead is that of concatenation over chance, which grows with n in both conditions.",
    ),
)


def find_claim(name: str) -> Claim:
    """Return the claim of that name.

    Raises:
        InputError: if there is none.

    Example:
        >>> find_claim("sample-ratio").published["ratio"]
        256.0
    """
    for claim in CLAIMS:
        if claim.name == name:
            return claim
    raise InputError(f"name must be one of {', '.join(c.name for c in CLAIMS)}, got {name!r}")
