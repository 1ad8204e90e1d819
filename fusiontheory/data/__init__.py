"""Features of matched pairs: as files, as rows, as drawn training and test pairs."""

from fusiontheory.data.duplicates import (
    caption_places,
    check_distinct_images,
    equal_rows,
    same_images,
)
from fusiontheory.data.features import SPLITS, FeatureSet, normalise
from fusiontheory.data.missing import check_varies, check_vectors, missing_rows
from fusiontheory.data.pairs import Pairs, check_disjoint, draw_pairs, most_pairs
from fusiontheory.data.prepare import PREPARATION, Prepared, prepare
from fusiontheory.data.quantise import dequantise, quantise
from fusiontheory.data.reading import (
    ENDINGS,
    OTHER_NAMES,
    Missing,
    Reading,
    Rows,
    column_names,
    features_of,
    is_id,
    is_split,
    read_column,
    read_features,
    read_rows,
    settle,
)
from fusiontheory.data.tokens import TokenSet, checked_mask, checked_tokens

__all__ = [
    "ENDINGS",
    "OTHER_NAMES",
    "PREPARATION",
    "SPLITS",
    "FeatureSet",
    "Missing",
    "Pairs",
    "Prepared",
    "Reading",
    "Rows",
    "TokenSet",
    "caption_places",
    "check_disjoint",
    "check_distinct_images",
    "check_varies",
    "check_vectors",
    "checked_mask",
    "checked_tokens",
    "column_names",
    "dequantise",
    "draw_pairs",
    "equal_rows",
    "features_of",
    "is_id",
    "is_split",
    "missing_rows",
    "most_pairs",
    "normalise",
    "prepare",
    "quantise",
    "read_column",
    "read_features",
    "read_rows",
    "same_images",
    "settle",
]
