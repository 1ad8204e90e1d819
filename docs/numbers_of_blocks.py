"""Whole tables of pages, from stored tables: a function a table, which gives its lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from numbers_of_blind import BLOCKS as BLOCKS_OF_BLIND
from numbers_of_predictors import BLOCKS as BLOCKS_OF_PREDICTORS
from numbers_of_tables import table_of

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"

BLOCKS: dict[str, Callable[[], str]] = {}


def block(function: Callable[[], str]) -> Callable[[], str]:
    """Register a function under its name."""
    BLOCKS[function.__name__] = function
    return function


def _lines(head: str, rows: Iterable[Iterable[str]]) -> str:
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([head, rule, *("| " + " | ".join(row) + " |" for row in rows)])


def _at(table: pd.DataFrame, *key: Any) -> Any:
    """Return the row of a key; not there: KeyError."""
    return table.loc[key]


def _study(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "experiments" / name)


@block
def scatter_ratios() -> str:
    """Predicted over measured deviation of one training set's accuracy, for docs/score_law.md."""
    table = table_of("experiments.interval_checks.summary:scatter")
    heads = ("bilinear", "concat-mlp", "dot-product")

    def cell(rows: pd.DataFrame) -> str:
        return ", ".join(f"{row.ratio:.2f} ({100 * row.error:.0f})" for row in rows.itertuples())

    found = {
        key: cell(rows.sort_values("n")) for key, rows in table.groupby(["population", "head"])
    }
    populations = table["population"].unique()
    rows = ([name, *(found[name, head] for head in heads)] for name in populations)
    return _lines("| population | bilinear | concat-mlp | dot-product |", rows)


_SHARED = (
    ("concat-mlp", 256, 1, "256 images"),
    ("concat-mlp", 128, 3, "128 images, 3 captions"),
    ("concat-mlp", 64, 5, "64 images, 5 captions"),
    ("bilinear", 128, 3, "128 images, 3 captions"),
    ("bilinear", 64, 5, "64 images, 5 captions"),
)


def _shared(head: str, images: int, captions: int, words: str) -> list[str]:
    table = _study("shared_images/results.csv").set_index(["images", "captions", "population"])
    rows = [_at(table, images, captions, name) for name in ("unit norm", "mild")]
    said = "; ".join(f"{row[f'{head} predicted']:+.1f}" for row in rows)
    found = "; ".join(
        f"{row[f'{head} shared']:+.1f} +- {row[f'{head} shared se']:.1f}" for row in rows
    )
    return [f"{head}, 512 pairs of {words}, unit norm; Gaussian", said, found]


@block
def shared_pairs() -> str:
    """What sharing images changes where captions are few or many, for docs/score_law.md."""
    head = "| shared less independent (`shared_images`), points | predicted | trained heads |"
    return _lines(head, (_shared(*case) for case in _SHARED))


def _trained(name: str) -> pd.DataFrame:
    return pd.read_csv(RESULTS / "trained" / f"{name}.csv")


TRAINED_HEADS = (
    "concat-mlp",
    "bilinear",
    "low-rank",
    "dot-product",
    "hadamard",
    "gated",
    "two-way-attention",
    "token-attention",
    "cross-attention",
    "concat-linear",
    "image-only",
    "text-only",
)
_PREDICTED = ("concat-mlp", "bilinear", "dot-product")
_SIZES = (2048, 4096, 8192, 16384)
_GRID = [(condition, n) for condition in ("aligned", "unaligned") for n in _SIZES]
_GRID_HEAD = "aligned 2048 | 4096 | 8192 | 16384 | unaligned 2048 | 4096 | 8192 | 16384 |"


def _percent(row: pd.Series[float], *, bracket: bool = False, error: bool = False) -> str:
    text = f"{100 * row['accuracy']:.1f}"
    text += f" ± {100 * row['se']:.1f}" if error else ""
    return text + (f" [{100 * row['predicted']:.1f}]" if bracket else "")


def _accuracy(setting: str) -> str:
    table = _trained("accuracy")
    table = table[(table["setting"] == setting) & (table["sigma"] == 0) & (table["side"] == "both")]
    table = table.set_index(["head", "condition", "n"])

    def cell(head: str, condition: str, n: int) -> str:
        bracket = setting == "published" and head in _PREDICTED
        return _percent(_at(table, head, condition, n), bracket=bracket, error=True)

    rows = ([head, *(cell(head, *place) for place in _GRID)] for head in TRAINED_HEADS)
    return _lines(f"| {setting} | {_GRID_HEAD}", rows)


BLOCKS["trained_published"] = partial(_accuracy, "published")
BLOCKS["trained_first_search"] = partial(_accuracy, "first-search")


@block
def trained_gaps() -> str:
    """The lead of concat-mlp over other heads, for docs/results/trained."""
    table = _trained("gaps")
    table = table[
        (table["first"] == "concat-mlp") & (table["sigma"] == 0) & (table["side"] == "both")
    ]
    table = table.set_index(["setting", "second", "condition", "n"])
    others = ("cross-attention", "two-way-attention", "token-attention", "bilinear", "dot-product")

    def cell(row: pd.Series[float]) -> str:
        return f"{100 * row['gap']:.1f} ± {100 * row['seed_se']:.1f}".replace("-0.0 ", "0.0 ")

    rows = (
        [f"{other}, {setting}", *(cell(_at(table, setting, other, *place)) for place in _GRID)]
        for setting in ("published", "first-search")
        for other in others
    )
    return _lines(f"| other head, setting | {_GRID_HEAD}", rows)


def _published(*keys: str) -> pd.DataFrame:
    table = _trained("accuracy")
    return table[table["setting"] == "published"].set_index(list(keys)).sort_index()


@block
def trained_strengths() -> str:
    """Accuracy by strength of alignment, for docs/results/trained."""
    table = _published("sigma", "side", "head", "n", "condition")
    strengths = ("unaligned", "strength-0.25", "strength-0.5", "strength-0.75", "aligned")
    rows = (
        [f"{head}, {n}", *(_percent(_at(table, 0.0, "both", head, n, s)) for s in strengths)]
        for head in ("concat-mlp", "bilinear", "dot-product", "hadamard")
        for n in (2048, 16384)
    )
    return _lines("| head, n | 0 | 0.25 | 0.5 | 0.75 | 1 |", rows)


@block
def trained_controls() -> str:
    """Accuracy with rotated and with shuffled texts, for docs/results/trained."""
    table = _published("sigma", "side", "head", "n", "condition")
    ways = [
        f"{condition}{way}"
        for condition in ("aligned", "unaligned")
        for way in ("", "-rotated", "-shuffled")
    ]
    rows = (
        [head, *(_percent(_at(table, 0.0, "both", head, 2048, way)) for way in ways)]
        for head in TRAINED_HEADS[:8]
    )
    return _lines("| head | " + " | ".join(ways) + " |", rows)


@block
def trained_noise() -> str:
    """Accuracy by noise, for docs/results/trained."""
    table = _published("condition", "head", "n", "sigma", "side")
    sigmas = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    rows = (
        [
            f"{condition}, {head}, {side}",
            *(
                _percent(
                    _at(table, condition, head, 2048, sigma, side if sigma else "both"),
                    bracket=True,
                )
                for sigma in sigmas
            ),
        ]
        for condition, heads in (("aligned", _PREDICTED), ("unaligned", _PREDICTED[:2]))
        for side in ("both", "image", "text")
        for head in heads
    )
    return _lines("| head, noise on | " + " | ".join(map(str, sigmas)) + " |", rows)


BLOCKS.update(BLOCKS_OF_BLIND)
BLOCKS.update(BLOCKS_OF_PREDICTORS)
