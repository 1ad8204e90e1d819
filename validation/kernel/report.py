"""Write the report: tables, figures and one page, all from the tables it is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.heads import GAP_HEADS
from fusiontheory.plotting import (
    gap_by_ridge,
    plot_calibration,
    plot_comparison,
    plot_gap,
    plot_ridges,
    render_figure,
    save_figure,
)
from fusiontheory.store import check_writable, write_atomically
from validation.kernel import sentences
from validation.kernel.verdicts import (
    GAP_CLAIM,
    cell_verdicts,
    claim_verdicts,
    crossover_verdicts,
    head_summary,
    sign_verdicts,
)
from validation.pages import fact_rows, inline_svg, number, points, render_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_report"]

_COLUMNS = {
    "comparison": [
        *("condition", "head", "n", "seeds", "measured", "measured_se"),
        *("predicted", "predicted_low", "predicted_high"),
    ],
    "curves": ["condition", "head", "n", "risk", "accuracy", "accuracy_low", "accuracy_high"],
    "gaps": ["condition", "n", "seeds", "measured_gap", "measured_gap_se", "predicted_gap"],
    "crossovers": ["condition", "measured", "measured_low", "measured_high", "predicted"],
}
_MAY_BE_EMPTY = ("curves", "crossovers")
_FIGURES = {
    "comparison": "Predicted and measured accuracy against training pairs",
    "gap": "Lead of concatenation over the bilinear head against training pairs",
    "calibration": "Predicted against measured accuracy",
    "ridges": "Lead of concatenation over the bilinear head against the ridge",
}
_WIDE, _SQUARE = 7.2, 4.6  # inches
_NARROW = 3.7  # for phones, where text in a wide figure would be too small to read
_ALIGNED = "aligned"
# Said in places of their own on the page.
_TOLD_ELSEWHERE = ("aligned", "caution", "own", "terms")


def write_report(
    comparison: pd.DataFrame,
    curves: pd.DataFrame,
    gaps: pd.DataFrame,
    crossovers: pd.DataFrame,
    facts: Mapping[str, Any],
    out: Path,
    ridges: pd.DataFrame | None = None,
) -> None:
    """Write the tables as CSV, ``figures/`` and ``index.html``.

    Each file is replaced in one step, the page last. The same input gives the same bytes.

    Args:
        comparison: columns condition, head, n, seeds, measured, measured_se, predicted,
            predicted_low, predicted_high; accuracies as fractions; with a column trusted those
            predictions are marked that are not.
        curves: columns condition, head, n, risk, accuracy, accuracy_low, accuracy_high; may be
            empty; lines are dashed where a column trusted says so.
        gaps: columns condition, n, seeds, measured_gap, measured_gap_se, predicted_gap: accuracy
            of concat-mlp less that of bilinear, as fractions.
        crossovers: columns condition, measured, measured_low, measured_high, predicted, in
            training pairs; NaN where there is none; may be empty.
        facts: how it was made, all optional: features, fingerprint, d_v, d_t, images, recall,
            ridge, seeds, test_pairs, seconds, device, versions, code, date; mappings are
            written as lists. Others are written under their own names. ``terms`` is a table with
            columns condition, head, term, mean_absolute_error (a fraction); ``aligned`` the
            condition that the published claims are about, if it has another name; ``caution`` a
            sentence that stands first; ``own`` true where the features are a person's own, of
            which no claim was published: the page then leaves the claims out.
        out: folder, made if need be.
        ridges: the search for the best ridge, columns condition, head, seed, n, at_ridge, accuracy
            and risk; without rows the panel on the ridge is left out.

    Raises:
        InputError: if ``out`` cannot be written to, a column is missing or a table has no row.
    """
    check_writable("out", out)
    tables = {"comparison": comparison, "curves": curves, "gaps": gaps, "crossovers": crossovers}
    for name, table in tables.items():
        _check(name, table)
    context = _context(tables, facts)
    if ridges is not None and not ridges.empty:
        tables["ridges"] = ridges
        context["ridges"] = sentences.ridge_sentences(gap_by_ridge(ridges))
    for name, title in _FIGURES.items():
        if name == "ridges" and not context.get("ridges"):
            continue
        wide, narrow = (_draw(name, tables, small) for small in (False, True))
        _, stored = save_figure(wide, out / "figures" / name, ("png", "svg"))
        svgs = {"wide": stored.read_bytes(), "narrow": render_figure(narrow, "svg")}
        context[f"{name}_figure"] = [
            (kind, inline_svg(svg, f"{name}-{kind}", title)) for kind, svg in svgs.items()
        ]
    if context["terms"]:
        tables["terms"] = facts["terms"]
    for name in tables:
        text = tables[name].to_csv(index=False, lineterminator="\n")
        write_atomically(out / f"{name}.csv", text.encode())
    write_atomically(out / "index.html", render_page("report.html", context).encode())


def _draw(name: str, tables: Mapping[str, pd.DataFrame], small: bool) -> Figure:
    comparison, curves = tables["comparison"], tables["curves"]
    if name == "comparison":
        return plot_comparison(comparison, curves, _NARROW if small else _WIDE)
    if name == "gap":
        return plot_gap(tables["gaps"], curves, tables["crossovers"], _NARROW if small else _WIDE)
    if name == "ridges":
        return plot_ridges(tables["ridges"], _NARROW if small else _WIDE)
    return plot_calibration(comparison, _NARROW if small else _SQUARE)


def _check(name: str, table: pd.DataFrame) -> None:
    missing = [column for column in _COLUMNS[name] if column not in table]
    if missing:
        raise InputError(f"{name} must have the columns {', '.join(missing)}")
    if table.empty and name not in _MAY_BE_EMPTY:
        raise InputError(f"{name} must have at least one row, got none")


def _context(tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Gather everything the page says; the template only lays it out."""
    comparison, gaps = tables["comparison"], tables["gaps"]
    if "trusted" not in comparison:
        comparison = comparison.assign(trusted=True)
    cells, signs = cell_verdicts(comparison), sign_verdicts(gaps)
    crossings = crossover_verdicts(tables["crossovers"])
    aligned = str(facts.get("aligned", _ALIGNED))
    heads, claims = head_summary(comparison), claim_verdicts(gaps, aligned)
    conditions = list(dict.fromkeys(gaps["condition"]))
    own = bool(facts.get("own"))
    return {
        "caution": facts.get("caution"),
        "own": own,
        "answer": [
            *(sentences.measured_sentence(c, signs, crossings) for c in conditions),
            *filter(None, (sentences.baseline_sentence(c, comparison) for c in conditions)),
            sentences.predicted_sentence(signs),
        ],
        "doubts": sentences.trust_sentence(comparison),
        "accuracy": sentences.accuracy_sentence(_compared(heads)),
        "crossings": sentences.crossover_sentence(crossings),
        "tiles": _tiles(_compared(heads), signs, crossings, claims),
        "cells": _grouped(cells, ["condition", "head"]),
        "signs": _grouped(signs, ["condition"]),
        "heads": heads.to_dict("records"),
        "claim": sentences.claim_sentence(claims),
        "claims": claims.to_dict("records"),
        "orders": None if own else _orders(facts, signs[signs["condition"] == aligned]),
        "terms": _terms(facts.get("terms")),
        # Filled where the ridge was searched for.
        "ridges": [],
        "facts": fact_rows({k: v for k, v in facts.items() if k not in _TOLD_ELSEWHERE}),
        "date": facts.get("date"),
        "sizes": (comparison["n"].min(), comparison["n"].max()),
    }


def _grouped(table: pd.DataFrame, by: list[str]) -> list[dict[str, Any]]:
    """Rows in the order of n, in groups in the order of the table."""
    return [
        {"names": [str(name) for name in names], "rows": rows.sort_values("n").to_dict("records")}
        for names, rows in table.groupby(by, sort=False)
    ]


def _compared(heads: pd.DataFrame) -> pd.DataFrame:
    """Keep the two heads that are compared; those at chance would flatter a pooled error."""
    kept = heads[heads["head"].isin(GAP_HEADS)]
    return heads if kept.empty else kept


def _tiles(
    heads: pd.DataFrame, signs: pd.DataFrame, crossings: pd.DataFrame, claims: pd.DataFrame
) -> list[tuple[str, str]]:
    """The few numbers of the first screen, each with what it counts."""
    right, wrong = (
        int((signs["verdict"] == verdict).sum()) for verdict in ("agrees", "wrong sign")
    )
    tiles = []
    if right + wrong:
        share = f"{right} of {right + wrong}"
        tiles.append((share, "leaders named rightly, where the data show a clear one"))
    count = int(heads["cells"].sum())
    if count:
        agree, tested = int(heads["agree"].sum()), int(heads["tested"].sum())
        tiles += [
            (
                " / ".join(points(e, signed=False) for e in heads["mean_absolute_error"])
                + " points",
                f"mean error of predicted accuracy, {' / '.join(heads['head'])}",
            ),
        ]
        if tested:
            tiles.append(
                (f"{agree} of {tested}", "of these accuracies agree within band and noise")
            )
    for row in crossings.to_dict("records"):
        both = [row[kind] for kind in ("predicted", "measured")]
        pair = " / ".join("none" if pd.isna(n) else number(n) for n in both)
        tiles.append((pair, f"pairs at the crossover, predicted / measured, {row['condition']}"))
    if len(claims):
        upheld = int((claims["verdict"] == "as claimed").sum())
        tiles.append((f"{upheld} of {len(claims)}", "sizes with the published lead"))
    return tiles


def _orders(facts: Mapping[str, Any], signs: pd.DataFrame) -> dict[str, Any] | None:
    """What the published orders say at these dimensions, beside what is measured aligned."""
    if "d_v" not in facts or "d_t" not in facts:
        return None
    # Imported here: it brings sympy, which takes longer to import than the rest of the report.
    from fusiontheory.symbolic import Orders

    orders = Orders(facts["d_v"], facts["d_t"])
    rows = signs.sort_values("n")
    said = []
    if len(rows) > 1:
        first, last = orders.estimation_gap([rows["n"].iloc[0], rows["n"].iloc[-1]])
        said = [sentences.order_sentence(orders.dimension_ratio, rows)]
        if first:
            said.append(sentences.decay_sentence(float(first / last), rows))
    return {
        "concat": orders.concat_dimension,
        "attention": orders.attention_dimension,
        "ratio": orders.dimension_ratio,
        "n_low": GAP_CLAIM["n_low"],
        "n_high": GAP_CLAIM["n_high"],
        "decay": float(
            orders.estimation_gap(GAP_CLAIM["n_low"])[0]
            / orders.estimation_gap(GAP_CLAIM["n_high"])[0]
        )
        if orders.dimension_ratio != 1
        else None,
        "said": said,
    }


def _terms(terms: pd.DataFrame | None) -> dict[str, Any] | None:
    """Mean absolute error in points of the theory with each of its terms, one row per head."""
    if terms is None or terms.empty:
        return None
    names = list(dict.fromkeys(terms["term"]))
    rows = [
        {
            "names": keys,
            "errors": [
                100 * errors.get(name, float("nan"))
                for errors in [dict(zip(part["term"], part["mean_absolute_error"], strict=True))]
                for name in names
            ],
        }
        for keys, part in terms.groupby(["condition", "head"], sort=False)
    ]
    return {"names": names, "rows": rows}
