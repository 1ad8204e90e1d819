"""What the features are: counts, how well the modalities agree, and where theory does not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fusiontheory.alignment import measure_alignment
from fusiontheory.checks import InputError
from fusiontheory.data import same_images
from fusiontheory.moments import Diagnosis, diagnose, in_own_span
from fusiontheory.typing import AnyArray

__all__ = ["describe_features", "diagnosed"]

# Images that alignment is measured on, permutations and replicates: seconds, not minutes.
ALIGNMENT_ITEMS, PERMUTATIONS, REPLICATES = 1000, 99, 200
# Largest dimension for canonical correlations, which take d^3 for each permutation.
_CANONICAL = 64
_MEANINGS = {
    "matched_cosine": "mean cosine of an item's two vectors",
    "cosine_auc": "share of mismatched pairs with a smaller cosine",
    "cka": "likeness of the two linear kernels",
    "modality_gap": "distance of the modalities' means",
    "mutual_neighbours": "neighbours that both modalities agree on",
    "canonical_1": "first canonical correlation, cross-validated",
}


def describe_features(
    image: AnyArray,
    text: AnyArray,
    facts: list[tuple[str, str]],
    notes: list[str],
    *,
    diagnosis: Diagnosis | None,
    one_space: bool,
    seed: int = 0,
) -> pd.DataFrame:
    """Return a row for each thing known of the features: ``what``, ``value``, ``meaning``.

    Alignment is measured on at most 1000 distinct items, with a permutation null.

    Args:
        image: (n, d_v).
        text: (n, d_t) or (n, captions, d_t).
        facts: counts that are known already.
        notes: to which what could not be measured is added.
        diagnosis: of the features, if there is one.
        one_space: whether the two modalities can be compared column by column, as in matching.
        seed: of the subsample, permutations and replicates.
    """
    rows = [(what, value, "") for what, value in facts]
    rows += _alignment(image, text, notes, one_space, seed)
    if diagnosis is not None:
        rows += _diagnosis(diagnosis, matching=one_space)
    return pd.DataFrame(rows, columns=["what", "value", "meaning"])


def _alignment(
    image: AnyArray, text: AnyArray, notes: list[str], one_space: bool, seed: int
) -> list[tuple[str, str, str]]:
    kept = np.random.default_rng(seed).permutation(len(image))[: 2 * ALIGNMENT_ITEMS]
    kept = kept[np.unique(same_images(image[kept]))][:ALIGNMENT_ITEMS]
    v, t = image[kept], text[kept]
    small = max(v.shape[-1], t.shape[-1]) <= _CANONICAL
    if not one_space:  # kernels and neighbours hang on angles within each modality alone
        v, t = in_own_span(v), in_own_span(t)
    metrics = ["cosine", "recall", "gap"] * (one_space and v.shape[-1] == t.shape[-1])
    metrics += ["canonical"] * small + ["cka", "neighbours"]
    settings: dict[str, Any] = {"permutations": PERMUTATIONS, "bootstrap": REPLICATES, "seed": seed}
    try:
        table = measure_alignment(v, t, metrics=metrics, **settings)
    except InputError as error:
        notes.append(f"Alignment could not be measured: {error}.")
        return []
    if len(kept) < len(image):
        notes.append(f"Alignment is measured on a random {len(kept):,} of {len(image):,} items.")
    rows = []
    for row in table.itertuples():
        name = str(row.metric)
        null = f"chance: up to {row.null_95:.3f}, p = {row.p_value:.2g}"
        meaning = _MEANINGS.get(name, "")
        value = f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"
        rows.append((f"alignment: {name}", value, f"{meaning}; {null}" if meaning else null))
    return rows


def _diagnosis(diagnosis: Diagnosis, matching: bool) -> list[tuple[str, str, str]]:
    """Return a row an item; the ranges are those on which predictions of matching were checked."""
    rows = []
    for row in diagnosis.to_frame().to_dict("records"):
        ends = _ends(float(row["low"]), float(row["high"]))
        meaning = f"usual is {ends}"
        if not row["inside"]:
            meaning = f"UNUSUAL, checked was {ends}." + (f" {row['effect']}" if matching else "")
        rows.append((f"diagnosis: {row['name']}", f"{row['value']:.3g}", meaning))
    return rows


def _ends(low: float, high: float) -> str:
    if np.isinf(low):
        return f"at most {high:.3g}"
    return f"at least {low:.3g}" if np.isinf(high) else f"{low:.3g} to {high:.3g}"


def diagnosed(
    image: AnyArray, text: AnyArray, groups: AnyArray | None, notes: list[str]
) -> Diagnosis | None:
    """Return the diagnosis, or note why there is none."""
    try:
        return diagnose(image, text, groups)
    except InputError as error:
        notes.append(f"No diagnosis of the features: {error}.")
        return None
