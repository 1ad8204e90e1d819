"""Advice without labels: the task is image-text matching, the theory that of moments."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.advice.answer import Advice
from fusiontheory.advice.decision import decide
from fusiontheory.advice.features import describe_features
from fusiontheory.advice.inputs import two_modalities
from fusiontheory.advice.matching_tables import (
    assured,
    costs,
    crossovers,
    missing_price,
    predicted_curve,
    verify_matching,
)
from fusiontheory.advice.settings import LEVEL, Settings
from fusiontheory.advice.words import count
from fusiontheory.checks import InputError, ValidityWarning, equal_dimensions
from fusiontheory.curves import find_model
from fusiontheory.data import Missing, features_of, normalise
from fusiontheory.heads import HEADS, find_head, heads_for
from fusiontheory.moments import Moments
from fusiontheory.solvers import computing_on
from fusiontheory.typing import AnyArray, Array

__all__ = ["MOST_ROWS", "MOST_VALUES", "advise_matching"]


TASK = "image-text matching"
MOST_VALUES = 4e7
"""Values of both modalities that moments are taken of: seconds, and a GiB of memory."""
MOST_ROWS = 60_000
"""Rows of the same: near-duplicates are looked for among all pairs of rows."""

_FEWEST = 50
_DRAWS, _SIZES = 4000, 16
_SHARE = 0.25


class _Prepared(NamedTuple):
    image: Array
    text: Array
    groups: AnyArray | None
    facts: list[tuple[str, str]]
    notes: list[str]
    thinned_from: int = 0


def advise_matching(
    v: ArrayLike, t: ArrayLike, groups: ArrayLike | None, missing: Missing, settings: Settings
) -> Advice:
    """Return the advice for matching.

    Args:
        v, t: (n, d_v) and (n, d_t) or (n, captions, d_t).
        groups: (n,) images that count once; see `Moments.from_features`.
        missing: "drop" or "refuse".
        settings: what was asked.

    Raises:
        InputError: for features that cannot be used, or an unknown head.
    """
    data = _prepare(v, t, groups, missing, settings.seed)
    heads = _heads(settings, data.image.shape[1], data.text.shape[-1])
    tested = None
    if settings.verify:
        data, tested = _held_out(data, settings.seed)
    image, text, notes = data.image, data.text, data.notes
    target = float(settings.target_n or data.thinned_from or len(image))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        moments = Moments.from_features(image, text, groups=data.groups)
        sizes = np.geomspace(32, max(4 * target, 4 * len(image)), _SIZES)
        sizes = np.unique(np.append(np.round(sizes), target))
        curves = {head: predicted_curve(head, moments, sizes) for head in heads}
    notes += sorted({f"{str(w.message).rstrip('.')}." for w in caught})
    values = _draws(curves, heads, target, settings.seed)
    choice = _choice(heads, values, curves, target)
    decision = decide(
        *(TASK, "accuracy", target, len(image), heads, values, choice),
        *(_verdict(choice, settings.tolerance), settings.tolerance),
        (image.shape[1], text.shape[-1]),
    )
    ranked = decision.ranked
    tables = {
        "features": describe_features(
            *(image, text, data.facts, notes),
            diagnosis=moments.diagnosis,
            one_space=True,
            seed=settings.seed,
        ),
        "curves": pd.concat([curves[h] for h in ranked], ignore_index=True),
        "choice": choice,
        "crossovers": crossovers(decision.head, ranked, curves, settings.seed),
    }
    goal = decision.goal(settings, notes)
    if goal is not None:
        tables["assurance"] = pd.DataFrame([assured(h, curves[h], goal) for h in ranked])
    tables["missing"] = missing_price(float(choice.set_index("head")["expected"][decision.head]))
    tables["cost"] = costs(ranked, image, text, target)
    if tested is not None:
        with warnings.catch_warnings(), computing_on(settings.device):
            # What the theory warns of is among the notes already.
            warnings.simplefilter("ignore", ValidityWarning)
            tables["verification"] = verify_matching(
                ranked, moments, (image, text), tested, settings.seed
            )
    notes += _limits(len(image))
    return decision.advice(
        settings, _changes(tables["crossovers"], decision.head, target), notes, tables
    )


def _held_out(data: _Prepared, seed: int) -> tuple[_Prepared, tuple[Array, Array]]:
    """Return the data without a quarter of the images, or groups, and that quarter."""
    images = len(data.image)
    codes = np.arange(images)
    if data.groups is not None:
        _, codes = np.unique(data.groups, return_inverse=True)
    order = np.random.default_rng([seed, 1]).permutation(codes.max() + 1)
    within = np.cumsum(np.bincount(codes)[order]) <= _SHARE * images
    held = np.isin(codes, order[within])
    data.notes.append(f"{held.sum()} images were held out to verify.")
    groups = None if data.groups is None else data.groups[~held]
    kept = data._replace(image=data.image[~held], text=data.text[~held], groups=groups)
    return kept, (data.image[held], data.text[held])


def _prepare(
    v: ArrayLike, t: ArrayLike, groups: ArrayLike | None, missing: Missing, seed: int
) -> _Prepared:
    """Return centred rows of unit norm, an image each."""
    image, text = two_modalities(v, t)
    given = len(image)
    named = None if groups is None else np.asarray(groups)
    if named is not None and named.shape != (given,):
        raise InputError(f"groups must name one group for each of {given} rows")
    notes, facts = list[str](), [("rows", str(given))]
    if given < _FEWEST:
        raise InputError(
            f"{given} rows are too few to say anything; {_FEWEST} are the least, a few hundred are"
            " what it takes"
        )
    most = min(int(MOST_VALUES // (image.shape[1] + text[0].size)), MOST_ROWS)
    if given > most:
        rows = np.sort(np.random.default_rng(seed).permutation(given)[:most])
        image, text = image[rows], text[rows]
        named = None if named is None else named[rows]
        notes.append(f"The moments are of a random {most:,} of {given:,} rows.")
    ids = [str(k) for k in range(len(image))] if named is not None else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if ids is None:
            features = features_of(image, text, missing=missing)
            image, text = features.image, features.text
        else:  # Rows have to stay beside their groups: none is merged with another.
            keep = np.isfinite(image).all(1) & np.isfinite(text.reshape(len(text), -1)).all(1)
            if not keep.all() and missing == "refuse":
                raise InputError(f"{(~keep).sum()} rows are not finite; leave them out")
            image, text, named = image[keep], text[keep], named[keep] if named is not None else None
    notes += [f"{str(w.message).rstrip('.')}." for w in caught]
    facts.append(("images", str(len(image))))
    facts.append(("texts of each image", str(text.shape[1] if text.ndim == 3 else 1)))
    facts.append(("columns of v and t", f"{image.shape[1]} and {text.shape[-1]}"))
    facts.append(
        ("rows missing or copies of others", str(given - len(image) if ids is None else 0))
    )
    if len(image) < _FEWEST:
        raise InputError(f"{len(image)} different images are too few; {_FEWEST} are the least")
    parts = []
    for name, x in (("v", image), ("t", text)):
        mean = x.reshape(-1, x.shape[-1]).mean(0, dtype=np.float64)
        parts.append(normalise(x - mean, name=f"{name} less its mean"))
    return _Prepared(parts[0], parts[1], named, facts, notes, given if given > most else 0)


def _heads(settings: Settings, d_v: int, d_t: int) -> list[str]:
    if settings.heads is None:
        return heads_for(d_v, d_t)
    for name in settings.heads:
        head = find_head(name)
        if head.fit is not None:
            raise InputError(
                f"heads must be among {', '.join(HEADS)}, got {name!r}, which is predicted by"
                " predict_curve and not advised on"
            )
        find_model(name)
        if head.equal_dimensions:
            equal_dimensions(name, d_v, d_t)
    return list(settings.heads)


def _draws(curves: dict[str, pd.DataFrame], heads: list[str], target: float, seed: int) -> Array:
    """Return draws (draws, heads) of the accuracy at the target, independent between heads."""
    rng = np.random.default_rng([seed, 3])
    columns = []
    for head in heads:
        row = curves[head][curves[head]["n"] == target].iloc[0]
        noise = rng.standard_normal(_DRAWS) * float(row["spread"])
        columns.append(np.clip(float(row["value"]) + noise, 0.0, 1.0))
    return np.stack(columns, axis=1)


def _choice(
    heads: list[str], values: Array, curves: dict[str, pd.DataFrame], target: float
) -> pd.DataFrame:
    best = values >= values.max(1, keepdims=True) - 1e-3
    order = np.argsort(-values.mean(0), kind="stable")
    ends = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    gap = values - values[:, [order[0]]]
    columns: dict[str, Any] = {
        "head": heads,
        "risk": [float(curves[h].set_index("n")["risk"][target]) for h in heads],
        "expected": values.mean(0),
        "low": np.quantile(values, ends[0], axis=0),
        "high": np.quantile(values, ends[1], axis=0),
        "p_best": (best / best.sum(1, keepdims=True)).mean(0),
        "expected_regret": (values.max(1, keepdims=True) - values).mean(0),
        "gap": gap.mean(0),
        "gap_low": np.quantile(gap, ends[0], axis=0),
        "gap_high": np.quantile(gap, ends[1], axis=0),
    }
    return pd.DataFrame(columns).iloc[order].reset_index(drop=True)


def _verdict(choice: pd.DataFrame, tolerance: float) -> str:
    if float(choice["low"].max()) <= 0.5:
        return "undetermined"
    if float(choice["p_best"].iloc[0]) >= 0.9:
        return "clear"
    second = float(choice["gap"].iloc[1])
    return "does not matter" if abs(second) <= tolerance else "leaning"


def _changes(crossovers: pd.DataFrame, head: str, target: float) -> list[str]:
    said = []
    smallest = 32
    for row in crossovers.itertuples():
        start = float(str(row.from_n))
        if row.better == head and smallest < start < target:
            said.append(f"Below n = {count(start)}, {row.than} is as good as {head} or better.")
        if row.than == head and target < start:
            said.append(f"From n = {count(start)} on, {row.better} is better than {head}.")
    return said


def _limits(images: int) -> list[str]:
    return [
        "Features are centred on their mean and brought to unit norm; each head is kernel ridge"
        " regression at the ridge of highest predicted accuracy for each n.",
        f"Intervals are at {LEVEL:.0%} and hold the sampling of {images:,} images, not all of the"
        " theory's own error; errors of two heads are drawn independently. No prior over heads is"
        " stored for matching: probabilities are of sampling alone, and too sure where heads are"
        " within the theory's error. With --verify it is measured on images held out.",
        "Matching needs both modalities: an item without one is decided by chance, whatever is"
        " filled in.",
    ]
