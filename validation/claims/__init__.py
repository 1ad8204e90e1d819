"""The published claims of Zhou & Xie (arXiv:2606.01207) as data, and what measured records say.

>>> from validation.claims import CLAIMS
>>> [claim.name for claim in CLAIMS]  # doctest: +NORMALIZE_WHITESPACE
['gap-size', 'ahead-at-every-scale', 'orders', 'sample-ratio', 'gap-under-noise',
 'chance-under-noise', 'competitive-unaligned', 'alignment-decides']
"""

from validation.claims.judge import Verdict, judge
from validation.claims.published import CLAIMS, Claim, find_claim

__all__ = ["CLAIMS", "Claim", "Verdict", "find_claim", "judge"]
