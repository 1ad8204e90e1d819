"""Features of matched pairs: as files, as rows, as drawn training and test pairs."""

from fusiontheory.data.features import SPLITS, FeatureSet, normalise
from fusiontheory.data.pairs import Pairs, check_disjoint, draw_pairs, most_pairs
from fusiontheory.data.quantise import dequantise, quantise

__all__ = [
    "SPLITS",
    "FeatureSet",
    "Pairs",
    "check_disjoint",
    "dequantise",
    "draw_pairs",
    "most_pairs",
    "normalise",
    "quantise",
]
