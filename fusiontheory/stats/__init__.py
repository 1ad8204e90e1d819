"""Statistics of measured accuracies: what a few seeds and one test set can tell, and what not.

Heads are compared on the same seeds and the same test pairs, so everything is paired. Accuracies
and gaps are fractions.

| question | function | unit that is resampled or counted |
|---|---|---|
| the gap of two heads, its interval | `crossed_gap` | seeds and test images |
| the same from accuracies alone | `paired_gap`, `sign_flip_test` | seeds |
| many gaps at once | `holm` | |
| does the gap grow with sigma or log n | `gap_trend` | seeds |
| how it scales with n | `scaling_exponent` | seeds |
| how many seeds see a gap | `seeds_needed`, `paired_power` | seeds |

Only `crossed_gap` knows that the test images are a sample too. The others speak about the test set
at hand: what all seeds share because they share it is not in their intervals.
"""

from fusiontheory.stats.crossed_bootstrap import CrossedGap, crossed_gap
from fusiontheory.stats.multiple import holm
from fusiontheory.stats.paired import PairedGap, paired_gap
from fusiontheory.stats.power import SeedsNeeded, paired_power, seeds_needed
from fusiontheory.stats.power_law import FORMS, extrapolate, extrapolate_with_error
from fusiontheory.stats.scaling import ScalingExponent, scaling_exponent
from fusiontheory.stats.sign_flip import SignFlipTest, sign_flip_test
from fusiontheory.stats.trend import GapTrend, gap_trend

__all__ = [
    "FORMS",
    "CrossedGap",
    "GapTrend",
    "PairedGap",
    "ScalingExponent",
    "SeedsNeeded",
    "SignFlipTest",
    "crossed_gap",
    "extrapolate",
    "extrapolate_with_error",
    "gap_trend",
    "holm",
    "paired_gap",
    "paired_power",
    "scaling_exponent",
    "seeds_needed",
    "sign_flip_test",
]
