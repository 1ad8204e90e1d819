"""Level 3: what matching looks like to a kernel head, and its learning curve; no head by name."""

from fusiontheory.matching.curve import MatchingCurve, check_request, matching_curve, shifted
from fusiontheory.matching.dot_product_scores import (
    DotProductScores,
    PairScores,
    one_feature,
    threshold_scatter,
)
from fusiontheory.matching.gaussian import gaussian_matching_curve
from fusiontheory.matching.kernel_signal import (
    DEGREE,
    HeldOut,
    KernelPairs,
    KernelSignal,
    kernel_pairs,
)
from fusiontheory.matching.leverage import LeverageLaw, PairPowers
from fusiontheory.matching.model import (
    FunctionSignal,
    MatchingModel,
    NormalLaw,
    NoSharing,
    NoSignal,
    ScoreLaw,
    ScoreShift,
    SharedBlock,
    Sharing,
    Signal,
)
from fusiontheory.matching.scatter import training_deviation
from fusiontheory.matching.scores import KernelScores, NormalScores, score_law
from fusiontheory.matching.sharing import SharedPairs, shared_scores, sharing_shift
from fusiontheory.matching.terms import Terms

__all__ = [
    "DEGREE",
    "DotProductScores",
    "FunctionSignal",
    "HeldOut",
    "KernelPairs",
    "KernelScores",
    "KernelSignal",
    "LeverageLaw",
    "MatchingCurve",
    "MatchingModel",
    "NoSharing",
    "NoSignal",
    "NormalLaw",
    "NormalScores",
    "PairPowers",
    "PairScores",
    "ScoreLaw",
    "ScoreShift",
    "SharedBlock",
    "SharedPairs",
    "Sharing",
    "Signal",
    "Terms",
    "check_request",
    "gaussian_matching_curve",
    "kernel_pairs",
    "matching_curve",
    "one_feature",
    "score_law",
    "shared_scores",
    "sharing_shift",
    "shifted",
    "threshold_scatter",
    "training_deviation",
]
