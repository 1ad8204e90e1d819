"""Tables of docs/predictors.md and docs/trained_heads.md, for `numbers_of_blocks`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from numbers_of_trained import distances

TABLE = Path(__file__).resolve().parent / "results" / "trained" / "predictor_errors.csv"

_MEANT = {"tuned": "best accuracy", "fixed": "optimiser", "published": "logit growth"}
_SIZES = (512, 1024, 2048, 4096, 8192, 16384)


def _of(right: Any, clear: Any) -> str:
    return f"{right:.0f} of {clear:.0f}" if clear else ""


def _line(row: Any, name: str, *, counts: bool, decay: bool) -> str:
    points = "none"
    if row.cells:
        points = f"{row.mean_abs_points:.2f}" + (f" ({row.cells} cells)" if counts else "")
    largest = f"{row.largest_points:+.1f}" if row.cells else ""
    cells = [name, points, largest, _of(row.sign_right, row.sign_clear)]
    if decay:
        cells += [_of(row.rise_right, row.rise_clear), _of(row.ratio_right, row.ratio_of)]
    cells.append(f"{100 * row.coverage:.0f} % of {row.covered_of}" if row.covered_of else "")
    return "| " + " | ".join(cells) + " |"


def _errors(setting: str, decay: bool) -> str:
    table = pd.read_csv(TABLE)
    table = table[table["setting"] == setting]
    middle = "rise | ratio | " if decay else ""
    head = f"| {setting} | accuracy, points | largest | sign | {middle}coverage |"
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    for row in table[table["scope"] == "all"].itertuples():
        lines.append(_line(row, str(row.predictor), counts=True, decay=decay))
    common = table[(table["scope"] == "common") & (table["cells"] > 0)]
    for k, row in enumerate(common.itertuples()):
        name = f"on the {row.cells} common cells: {row.predictor}" if k == 0 else str(row.predictor)
        lines.append(_line(row, name, counts=False, decay=decay))
    return "\n".join(lines)


def _by_size() -> str:
    """Return predicted less measured accuracy at each n, of the predictor meant for a setting."""
    lines = [f"| setting | head | condition | {' | '.join(map(str, _SIZES))} |", "|---" * 9 + "|"]
    for setting, predictor in _MEANT.items():
        for head in ("bilinear", "concat-mlp"):
            for condition in ("aligned", "unaligned"):
                off = distances(setting, predictor, head, condition, smallest=0)
                at = {n: f"{points:+.1f}" for (_, _, n), points in off.items()}
                cells = " | ".join(at.get(n, "") for n in _SIZES)
                lines.append(f"| {setting} | `{head}` | {condition} | {cells} |")
    return "\n".join(lines)


BLOCKS: dict[str, Callable[[], str]] = {
    "predicted_less_measured": _by_size,
    "predictors_published": partial(_errors, "published", decay=True),
    "predictors_first_search": partial(_errors, "first-search", decay=False),
}
