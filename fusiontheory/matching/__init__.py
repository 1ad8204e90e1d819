"""Level 3: what matching looks like to a kernel head, and its learning curve; no head by name."""

from fusiontheory.matching.curve import MatchingCurve, check_request, matching_curve, shifted
from fusiontheory.matching.dot_product_scores import MetricScores, metric_law, threshold_scatter
from fusiontheory.matching.gaussian import gaussian_matching_curve
from fusiontheory.matching.kernel_scores import DEGREE, kernel_law
from fusiontheory.matching.kernel_signal import kernel_signal
from fusiontheory.matching.leverage import LeverageLaw, PairPowers
from fusiontheory.matching.model import MatchingModel, ScoreShift, SharedBlock
from fusiontheory.matching.scatter import training_deviation
from fusiontheory.matching.scores import NormalScores, score_law
from fusiontheory.matching.sharing import SharedPairs, shared_scores, sharing_shift
from fusiontheory.matching.terms import Terms

__all__ = [
    "DEGREE",
    "LeverageLaw",
    "MatchingCurve",
    "MatchingModel",
    "MetricScores",
    "NormalScores",
    "PairPowers",
    "ScoreShift",
    "SharedBlock",
    "SharedPairs",
    "Terms",
    "check_request",
    "gaussian_matching_curve",
    "kernel_law",
    "kernel_signal",
    "matching_curve",
    "metric_law",
    "score_law",
    "shared_scores",
    "sharing_shift",
    "shifted",
    "threshold_scatter",
    "training_deviation",
]
