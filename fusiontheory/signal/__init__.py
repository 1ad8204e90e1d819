"""How clearly matched pairs show in a kernel at an effective ridge: q(kappa), from arrays."""

from fusiontheory.signal.lanczos import MatchingSignal, lanczos_signal, signal_curve
from fusiontheory.signal.resolvent import (
    SampleResolvent,
    fused_resolvent,
    fused_signal,
    least_ridge,
    population_eigenvalues,
)
from fusiontheory.signal.ritz import FUNCTIONS, RitzGram
from fusiontheory.signal.ritz_functions import (
    MINIMUM_IMAGES,
    mismatched_partner,
    ritz_gram,
    witness,
)
from fusiontheory.signal.rotations import FOLDS, operator_rotations, signal_error
from fusiontheory.signal.staircase import Staircase

__all__ = [
    "FOLDS",
    "FUNCTIONS",
    "MINIMUM_IMAGES",
    "MatchingSignal",
    "RitzGram",
    "SampleResolvent",
    "Staircase",
    "fused_resolvent",
    "fused_signal",
    "lanczos_signal",
    "least_ridge",
    "mismatched_partner",
    "operator_rotations",
    "population_eigenvalues",
    "ritz_gram",
    "signal_curve",
    "signal_error",
    "witness",
]
