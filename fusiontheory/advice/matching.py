"""Advice without labels: the task is image-text matching, the theory that of moments."""

from __future__ import annotations

import warnings
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from fusiontheory.advice.answer import Advice
from fusiontheory.advice.cost import cost_table
from fusiontheory.advice.features import describe_features
from fusiontheory.advice.inputs import two_modalities
from fusiontheory.advice.settings import LEVEL, Settings
from fusiontheory.advice.verify import inside
from fusiontheory.advice.words import count, headline, in_metric, recommend, settling, simplest
from fusiontheory.checks import InputError
from fusiontheory.curves import find_model, predict_curve
from fusiontheory.data import Missing, draw_pairs, features_of, normalise
from fusiontheory.heads import HEADS, find_head
from fusiontheory.moments import Moments
from fusiontheory.solvers import PairFeatures, gather, measure_curve

__all__ = ["MOST_VALUES", "advise_matching"]

_Array = NDArray[np.float64]

TASK = "image-text matching"
MOST_VALUES = 4e7
"""Values of both modalities that moments are taken of: seconds, and a GiB of memory."""

_FEWEST = 50
_DRAWS = 4000
# Images and texts that costs are timed on.
_TIMED = 2000
# Normal quantiles: of 95 % intervals, which `predict_curve` gives, of 90 % ones, and of the share
# of 80 % of the training sets.
_OF_95, _OF_90, _OF_80 = 1.96, 1.645, 0.8416
_SHARE = 0.25
_MOST_VERIFIED = 2048


class _Prepared(NamedTuple):
    image: _Array
    text: _Array
    groups: NDArray[Any] | None
    facts: list[tuple[str, str]]
    notes: list[str]


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
    image, text, notes = data.image, data.text, data.notes
    heads = _heads(settings, image.shape[1] == text.shape[-1])
    tested = None
    if settings.verify:
        order = np.random.default_rng([settings.seed, 1]).permutation(len(image))
        held = order[: max(int(_SHARE * len(image)), 20)]
        tested = image[held], text[held]
        kept = np.setdiff1d(order, held)
        image, text = image[kept], text[kept]
        data = data._replace(groups=None if data.groups is None else data.groups[kept])
        notes.append(f"{len(held)} images were held out to verify.")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        moments = Moments.from_features(image, text, groups=data.groups)
        target = float(settings.target_n or len(image))
        # Two sizes at least, even ones as pairs come.
        sizes = np.geomspace(32, max(4 * target, 4 * len(image)), 16)
        sizes = np.unique(np.append(2 * np.round(sizes / 2), target))
        curves = {h: _curve(h, moments, sizes) for h in heads}
    notes += sorted({str(w.message) + "." for w in caught})
    values = _draws(curves, heads, target, settings.seed)
    choice = _choice(heads, values, curves, target)
    verdict = _verdict(choice, curves, values, settings.tolerance)
    sides = image.shape[1], text.shape[-1]
    head = str(choice["head"].iloc[0])
    confidence = float(choice["p_best"].iloc[0])
    if verdict == "does not matter":
        close = choice[choice["expected_regret"] <= settings.tolerance]["head"].tolist()
        head = simplest(close or [head], *sides)
        own = values[:, heads.index(head)]
        confidence = float((own >= values.max(1) - settings.tolerance).mean())
    ranked = choice["head"].tolist()
    goal = settings.target_accuracy
    if goal is None:
        goal = float(np.floor(1000 * choice.set_index("head")["low"][head]) / 1000)
        notes.append(
            f"No target accuracy was given: the table of assurance is for"
            f" {in_metric(goal, 'accuracy')}, the lower end of what {head} should reach at the target."
        )
    tables = {
        "features": describe_features(
            image, text, data.facts, notes, one_space=True, seed=settings.seed
        ),
        "curves": pd.concat([curves[h] for h in ranked], ignore_index=True),
        "choice": choice,
        "crossovers": _crossovers(head, ranked, curves, settings.seed),
        "assurance": pd.DataFrame([_assured(h, curves[h], goal) for h in ranked]),
        "missing": _missing(float(choice.set_index("head")["expected"][head])),
        "cost": _costs(ranked, image, text, target),
    }
    if tested is not None:
        tables["verification"] = _verify(ranked, moments, (image, text), tested, settings.seed)
    notes += _limits(len(image))
    return Advice(
        task=TASK,
        headline=headline(TASK),
        items=len(image),
        target=target,
        metric="accuracy",
        recommended=head,
        verdict=verdict,
        confidence=confidence,
        recommendation=recommend(
            choice,
            head=head,
            verdict=verdict,
            metric="accuracy",
            target=target,
            tolerance=settings.tolerance,
            unit="training pairs",
        ),
        settle=settling(verdict, values, heads, head, len(image), target).replace(
            "labelled items", "images with a text"
        ),
        changes=_changes(tables["crossovers"], head, target),
        notes=notes,
        tables=tables,
    )


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
    most = int(MOST_VALUES // (image.shape[1] + text[0].size))
    if given > most:
        rows = np.sort(np.random.default_rng(seed).permutation(given)[:most])
        image, text = image[rows], text[rows]
        named = None if named is None else named[rows]
        notes.append(f"The moments are of a random {most:,} of {given:,} rows.")
    ids = [str(k) for k in range(len(image))] if named is not None else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if ids is None:
            found = features_of(image, text, missing=missing)
            image, text = found.image, found.text
        else:  # Rows have to stay beside their groups: none is merged with another.
            keep = np.isfinite(image).all(1) & np.isfinite(text.reshape(len(text), -1)).all(1)
            if not keep.all() and missing == "refuse":
                raise InputError(f"{(~keep).sum()} rows are not finite; leave them out")
            image, text, named = image[keep], text[keep], named[keep] if named is not None else None
    notes += [f"{w.message}." for w in caught]
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
    return _Prepared(parts[0], parts[1], named, facts, notes)


def _heads(settings: Settings, equal: bool) -> list[str]:
    if settings.heads is None:
        return [name for name in HEADS if equal or name != "dot-product"]
    for name in settings.heads:
        find_head(name)
        find_model(name)
        if name == "dot-product" and not equal:
            raise InputError("dot-product needs v and t of one dimension")
    return list(settings.heads)


def _curve(head: str, moments: Moments, sizes: _Array) -> pd.DataFrame:
    """Return the predicted curve at the best ridge with its 90 % interval.

    ``spread`` is the standard error of the accuracy, ``scatter`` its deviation over training sets.
    """
    table = predict_curve(head, moments, sizes, "best")
    one = predict_curve(head, moments, sizes, "best", training_sets=1)
    spread = (table["accuracy_high"] - table["accuracy_low"]) / (2 * _OF_95)
    both = (one["accuracy_high"] - one["accuracy_low"]) / (2 * _OF_95)
    value = table["accuracy"]
    return pd.DataFrame(
        {
            "head": head,
            "n": table["n"].astype(float),
            "value": value,
            "low": (value - _OF_90 / _OF_95 * (value - table["accuracy_low"])).clip(0, 1),
            "high": (value + _OF_90 / _OF_95 * (table["accuracy_high"] - value)).clip(0, 1),
            "risk": table["risk"],
            "ridge": table["ridge"],
            "spread": spread,
            "scatter": np.sqrt(np.maximum(both**2 - spread**2, 0)),
        }
    )


def _draws(curves: dict[str, pd.DataFrame], heads: list[str], target: float, seed: int) -> _Array:
    """Return draws (draws, heads) of the accuracy at the target, independent between heads."""
    rng = np.random.default_rng([seed, 3])
    columns = []
    for head in heads:
        row = curves[head][curves[head]["n"] == target].iloc[0]
        noise = rng.standard_normal(_DRAWS) * float(row["spread"])
        columns.append(np.clip(float(row["value"]) + noise, 0.0, 1.0))
    return np.stack(columns, axis=1)


def _choice(
    heads: list[str], values: _Array, curves: dict[str, pd.DataFrame], target: float
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


def _verdict(
    choice: pd.DataFrame, curves: dict[str, pd.DataFrame], values: _Array, tolerance: float
) -> str:
    if float(choice["low"].max()) <= 0.5:
        return "undetermined"
    if float(choice["p_best"].iloc[0]) >= 0.9:
        return "clear"
    second = float(choice["gap"].iloc[1])
    return "does not matter" if abs(second) <= tolerance else "leaning"


def _crossovers(
    head: str, ranked: list[str], curves: dict[str, pd.DataFrame], seed: int
) -> pd.DataFrame:
    """Return from which n each of a pair is better, errors drawn once for all sizes."""
    rng = np.random.default_rng([seed, 4])
    rows = []
    for other in (name for name in ranked if name != head):
        for one, two in ((head, other), (other, head)):
            a, b = curves[one], curves[two]
            gap = (a["value"] - b["value"]).to_numpy()
            sizes, spread = a["n"].to_numpy(), np.hypot(*(x["spread"].to_numpy() for x in (a, b)))
            drawn = gap + rng.standard_normal((1000, 1)) * spread
            starts = np.array([_start(row, sizes) for row in drawn])
            there = starts[np.isfinite(starts)]
            ends = np.quantile(there, (0.05, 0.95)) if there.size else np.full(2, np.nan)
            share = float(np.isfinite(starts).mean())
            rows.append((one, two, _start(gap, sizes), float(ends[0]), float(ends[1]), share))
    names = ["better", "than", "from_n", "low", "high", "probability"]
    return pd.DataFrame(rows, columns=names)


def _start(gap: _Array, sizes: _Array) -> float:
    """Return the size from which the gap stays above 0; NaN if it does not end above."""
    below = np.flatnonzero(gap <= 0)
    if below.size == 0:
        return float(sizes[0])
    return float("nan") if below[-1] == sizes.size - 1 else float(sizes[below[-1] + 1])


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


def _assured(head: str, curve: pd.DataFrame, goal: float) -> dict[str, Any]:
    """Return the smallest n at which 80 % of the training sets reach the goal."""
    sizes = np.geomspace(curve["n"].iloc[0], curve["n"].iloc[-1], 200)
    own, spread = curve["scatter"].to_numpy(), curve["spread"].to_numpy()
    both = np.hypot(own, spread)
    found = []
    for error in (own, both):
        low = np.interp(np.log(sizes), np.log(curve["n"]), curve["value"] - _OF_80 * error)
        found.append(float(np.ceil(_start(low - goal + 1e-12, sizes))))
    top = float(sizes[-1])
    at_top = float(curve["value"].iloc[-1] - goal) / max(float(both[-1]), 1e-9)
    if np.isnan(found[1]):
        said = f"no n up to {count(top)} assures {in_metric(goal, 'accuracy')} with {head}"
    else:
        said = f"{head} reaches {in_metric(goal, 'accuracy')} in 80 % of training sets from"
        said += f" n = {count(found[1])} on, the error of the moments allowed for"
    return {
        "head": head,
        "target": goal,
        "n": found[0],
        "n_assured": found[1],
        "share_at_largest": float(ndtr(at_top)),
        "sentence": said,
    }


def _missing(full: float) -> pd.DataFrame:
    """Return accuracy against the share of items without a modality: one alone tells nothing."""
    shares = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
    value = (1 - shares) * full + shares * 0.5
    table = {"share": shares, "imputed": value, "fallback": value}
    return pd.concat([pd.DataFrame({"missing": gone, **table}) for gone in "vt"], ignore_index=True)


def _costs(heads: list[str], image: _Array, text: _Array, target: float) -> pd.DataFrame:
    """Return costs, with the fit of as many pairs as were timed."""
    rows = np.arange(min(_TIMED // 2, len(image)))
    flat = text[:, 0] if text.ndim == 3 else text
    pairs = draw_pairs(rows, 1, 2 * len(rows), np.random.SeedSequence(0))
    made = gather(image, flat[:, None], pairs)
    seconds = {}
    for name in heads:
        start = perf_counter()
        few = PairFeatures(made.image[:2], made.text[:2], made.label[:2])
        measure_curve(find_head(name), made, few, [len(made.label)], 1.0)
        seconds[name] = perf_counter() - start
    return cost_table(heads, made.image, made.text, 1, target, seconds)


def _verify(
    heads: list[str],
    moments: Moments,
    train: tuple[_Array, _Array],
    tested: tuple[_Array, _Array],
    seed: int,
) -> pd.DataFrame:
    """Measure each head at sizes within the images, on pairs of the images held out."""
    sides = []
    for image, text in (train, tested):
        texts = text if text.ndim == 3 else text[:, None]
        limit = min(2 * len(image) * texts.shape[1], _MOST_VERIFIED)
        pairs = draw_pairs(
            np.arange(len(image)), texts.shape[1], limit, np.random.SeedSequence([seed, 5])
        )
        sides.append(gather(image, texts, pairs))
    top = len(sides[0].label)
    sizes = [int(2 * (top // (2 * k))) for k in (8, 4, 2, 1) if top // k >= 32]
    rows = []
    for head in heads:
        table = predict_curve(
            head, moments, sizes, "best", training_images=len(train[0]), training_sets=1
        )
        found = measure_curve(find_head(head), sides[0], sides[1], sizes, table["ridge"].tolist())
        for measured, row in zip(found, table.to_dict("records"), strict=True):
            # Matched and mismatched pairs share images: as if each image counted once.
            error = float(np.sqrt(measured.accuracy * (1 - measured.accuracy) / len(tested[0])))
            ends = [
                row["accuracy"] + _OF_90 / _OF_95 * (row[f"accuracy_{end}"] - row["accuracy"])
                for end in ("low", "high")
            ]
            rows.append((head, measured.n, 1, measured.accuracy, error, row["accuracy"], *ends))
    names = ["head", "n", "training_sets", "measured", "error", "predicted", "low", "high"]
    return inside(pd.DataFrame(rows, columns=names))


def _limits(images: int) -> list[str]:
    return [
        "Features are centred on their mean and brought to unit norm; each head is kernel ridge"
        " regression at the ridge of least predicted risk for each n.",
        f"Intervals are at {LEVEL:.0%} and hold the sampling of {images:,} images, not all of the"
        " theory's own error; errors of two heads are drawn independently. No prior over heads is"
        " stored for matching: probabilities are of sampling alone, and too sure where heads are"
        " within the theory's error. Verify measures it on held-out images.",
        "Matching needs both modalities: an item without one is decided by chance, whatever is"
        " filled in.",
    ]
