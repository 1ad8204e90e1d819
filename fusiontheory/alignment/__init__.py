"""How well image and caption vectors agree: in place, in information, and in neighbourhoods.

Metrics of coordinates need one space for both modalities: `matched_cosine`, `retrieval_recall`,
`modality_gap`. Metrics of shared information do not see separate rotations and take different
dimensions: `canonical_correlations`, `linear_cka`, and by its neighbours `mutual_neighbours`.
`measure_alignment` gives all of them with a null and an interval.
"""

from fusiontheory.alignment.canonical import (
    CanonicalCorrelations,
    canonical_correlations,
    measure_canonical,
)
from fusiontheory.alignment.cka import linear_cka
from fusiontheory.alignment.contrastive import (
    ContrastiveHeads,
    ContrastiveSettings,
    cached_contrastive_heads,
    fit_contrastive_heads,
    symmetric_info_nce,
)
from fusiontheory.alignment.cosine import matched_cosine
from fusiontheory.alignment.dial import align
from fusiontheory.alignment.gap import modality_gap
from fusiontheory.alignment.measure import COLUMNS, METRICS, measure_alignment
from fusiontheory.alignment.measurement import Measurement, bootstrap_interval, p_value
from fusiontheory.alignment.neighbours import mutual_neighbours
from fusiontheory.alignment.retrieval import measure_recall, retrieval_recall

__all__ = [
    "COLUMNS",
    "METRICS",
    "CanonicalCorrelations",
    "ContrastiveHeads",
    "ContrastiveSettings",
    "Measurement",
    "align",
    "bootstrap_interval",
    "cached_contrastive_heads",
    "canonical_correlations",
    "fit_contrastive_heads",
    "linear_cka",
    "matched_cosine",
    "measure_alignment",
    "measure_canonical",
    "measure_recall",
    "modality_gap",
    "mutual_neighbours",
    "p_value",
    "retrieval_recall",
    "symmetric_info_nce",
]
