"""The tables of docs/results/blind/README.md, which `numbers_of_blocks` registers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

FOLDER = Path(__file__).resolve().parent / "results" / "blind"
_WHOLE = ("layer3-8091", "mobilenet-8091")
_HEADS = ("bilinear", "concat-mlp")


def _table(name: str, kind: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name / f"{kind}.csv")


def _lines(head: list[str], rows: list[list[str]]) -> str:
    rule = "|" + "---|" * len(head)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)])


def _measured(row: Any) -> str:
    return f"{100 * row.measured:.1f} ± {100 * row.measured_se:.1f}"


def whole() -> str:
    """Accuracies and gaps on the whole corpus."""
    head, cells = ["n"], {}
    for name in _WHOLE:
        short = name.split("-")[0]
        head += [f"{short}: {h}" for h in _HEADS]
        head += [f"{short}: gap, measured", f"{short}: predicted"]
        for one in _HEADS:
            rows = _table(name, "comparison")
            for row in rows[rows["head"] == one].itertuples():
                off = 100 * (float(row.predicted) - float(row.measured))
                cells.setdefault(row.n, []).append(f"{_measured(row)} ({off:+.1f})")
        for row in _table(name, "gaps").itertuples():
            gap, error = 100 * float(row.measured_gap), 100 * float(row.measured_gap_se)
            cells[row.n] += [f"{gap:+.1f} ± {error:.1f}", f"{100 * float(row.predicted_gap):+.1f}"]
    return _lines(head, [[str(n), *found] for n, found in cells.items()])


def errors() -> str:
    """Mean errors and crossovers on the whole corpus."""
    rows = []
    for name in _WHOLE:
        table, gaps = _table(name, "comparison"), _table(name, "gaps")
        off = 100 * (table["predicted"] - table["measured"]).abs().groupby(table["head"]).mean()
        gap = 100 * (gaps["predicted_gap"] - gaps["measured_gap"]).abs()
        cross = _table(name, "crossovers").iloc[0]
        measured = "beyond 8192"
        if pd.notna(cross["measured"]):
            low, high = cross["measured_low"], cross["measured_high"]
            measured = f"{cross['measured']:.0f} ({low:.0f} to {high:.0f})"
        gap_text = f"{gap.mean():.2f} (at most {gap.max():.2f})"
        means = [f"{off[head]:.2f}" for head in _HEADS]
        rows.append([name, *means, gap_text, measured, f"{cross['predicted']:.0f}"])
    head = ["mean absolute error", *_HEADS, "gap", "crossover measured", "predicted"]
    return _lines(head, rows)


def _small(name: str, heads: tuple[str, ...]) -> str:
    table = _table(name, "comparison")
    before = _table(name, "comparison_normal_scores").set_index(["head", "n"])["predicted"]
    rows = []
    for one in heads:
        for row in table[table["head"] == one].itertuples():
            low, high = 100 * float(row.predicted_low), 100 * float(row.predicted_high)
            said = f"{100 * float(row.predicted):.1f} ({low:.0f} to {high:.0f})"
            rows.append([one, str(row.n), _measured(row), said, f"{100 * before[one, row.n]:.1f}"])
    return _lines(["head", "n", "measured", "predicted", "before"], rows)


def clip() -> str:
    """Accuracies on 100 images of CLIP."""
    return _small("clip-100", ("concat-mlp", "bilinear", "dot-product"))


def resnet18() -> str:
    """Accuracies on 1000 images of ResNet18."""
    return _small("resnet18-1000", ("concat-mlp", "bilinear"))


BLOCKS: dict[str, Callable[[], str]] = {
    "blind_whole": whole,
    "blind_errors": errors,
    "blind_clip": clip,
    "blind_resnet18": resnet18,
}
