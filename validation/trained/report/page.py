"""The page of the study of trained heads, from its tables alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.store import check_writable, write_atomically
from validation.claims import CLAIMS, Claim
from validation.pages import fact_rows, inline_svg, named_features, number, points, render_page
from validation.trained.report.figure import draw, main_rows
from validation.trained.report.grids import (
    Grid,
    ablation_grid,
    accuracy_grid,
    gap_grid,
    p_text,
    plain_grid,
)

__all__ = ["own_conditions", "write_page"]

_PUBLISHED = ("aligned", "unaligned")

_NEEDED = {
    "runs": ["condition", "head", "n", "seed", "sigma", "side", "accuracy", "seconds", "diverged"],
    "accuracy": ["condition", "head", "n", "sigma", "side", "accuracy", "se"],
}
_MADE_BY = "python -m validation trained, then trained-report"
_OPTIONAL = (
    *("gaps", "scaling", "trends", "power", "predicted", "claims", "evidence"),
    *("predictor_errors", "ablations", "choices"),
)


def write_page(
    tables: Mapping[str, pd.DataFrame],
    missing: Sequence[str],
    facts: Mapping[str, Any],
    out: Path,
) -> Path:
    """Write ``index.html`` and return its path; the same input gives the same bytes.

    The figure is ``figure.svg`` of the folder, drawn from the tables if it is not there.

    Args:
        tables: by name, as `validation.trained.report.report.tables` gives them; ``runs`` and
            ``accuracy`` are needed. What the page says of ``gaps``, ``scaling``, ``trends``,
            ``power``, ``claims``, ``evidence``, ``predictor_errors``, ``ablations`` and
            ``choices`` it leaves out, by name, where there is no such table or it is empty.
        missing: names of the cells that were not run.
        facts: how it was made: features, settings, device, versions, seconds, date, code and any
            other; mappings and lists are written line by line.
        out: folder, made if need be.

    Raises:
        InputError: if ``out`` cannot be written to, or ``runs`` or ``accuracy`` is missing, has
            no row or lacks a column.
    """
    check_writable("out", out)
    for name, columns in _NEEDED.items():
        table = tables.get(name)
        if table is None or table.empty:
            raise InputError(f"tables must have rows of {name}, got none; run {_MADE_BY}")
        lacking = [column for column in columns if column not in table]
        if lacking:
            raise InputError(f"{name} must have the columns {', '.join(lacking)}; run {_MADE_BY}")
    there = {name: table for name, table in tables.items() if len(table)}
    context = _context(there, missing, facts)
    context["figure"] = _figure(there, out)
    return write_atomically(out / "index.html", render_page("trained.html", context).encode())


def _figure(tables: Mapping[str, pd.DataFrame], out: Path) -> str | None:
    stored = out / "figure.svg"
    if not stored.exists():
        if "gaps" not in tables:
            return None
        draw(tables["runs"], tables["gaps"], out / "figure")
    title = "Accuracy and lead of concat-mlp against training pairs, and lead against noise"
    return inline_svg(stored.read_bytes(), "trained", title)


def _context(
    tables: Mapping[str, pd.DataFrame], missing: Sequence[str], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Gather everything the page says; the template only lays it out."""
    runs = tables["runs"]
    own = own_conditions(runs["condition"])
    return {
        "own": own,
        "answer": _answer(tables),
        "tiles": [
            (number(len(runs)), "runs on record"),
            (_duration(float(runs["seconds"].sum())), "of training, all runs together"),
            (number(len(missing)), "cells not run, or not with every seed"),
            (number(int(runs["diverged"].sum())), "runs that diverged"),
        ],
        "seeds": int(runs["seed"].nunique()),
        "accuracy": accuracy_grid(tables["accuracy"], "n"),
        "noise": _if_any(accuracy_grid(tables["accuracy"], "sigma")),
        "gaps": _made(tables, "gaps", lambda t: gap_grid(t, "n")),
        "noise_gaps": _made(tables, "gaps", lambda t: gap_grid(t, "sigma")),
        "scaling": _made(tables, "scaling", _scaling),
        "trends": _made(tables, "trends", _trends),
        "power": _made(tables, "power", _power),
        "claims": [] if own else _claims(tables),
        "predictors": _made(tables, "predictor_errors", predictor_lines),
        "ablations": _made(tables, "ablations", ablation_grid),
        "choices": _made(tables, "choices", _choices),
        "absent": [
            name
            for name in _OPTIONAL
            if name not in tables and not (own and name in ("claims", "evidence"))
        ],
        "missing": list(missing),
        "caution": facts.get("caution"),
        "facts": fact_rows({name: told for name, told in facts.items() if name != "caution"}),
        "files": [name for name in ("runs", "accuracy", *_OPTIONAL) if name in tables],
        "date": facts.get("date"),
    }


def _made(tables: Mapping[str, pd.DataFrame], name: str, make: Any) -> Grid | None:
    return _if_any(make(tables[name])) if name in tables else None


def _if_any(grid: Grid) -> Grid | None:
    return grid if grid.groups else None


def own_conditions(conditions: Iterable[str]) -> bool:
    """Return whether features are a person's own: not those that the published claims are about.

    >>> own_conditions(["mine", "mine"]), own_conditions(["aligned", "mine"])
    (True, False)
    """
    return not {*_PUBLISHED} & {*conditions}


def _answer(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Say who leads by how much, and how the claims fared, in the words of the tables."""
    said = []
    own = own_conditions(tables["runs"]["condition"])
    gaps = tables.get("gaps", pd.DataFrame(columns=["condition", "second", "sigma"]))
    for condition in dict.fromkeys(gaps["condition"]) if own else _PUBLISHED:
        mine = gaps[gaps["condition"] == condition]
        for head in ("cross-attention", "bilinear"):
            # Of own features nothing is missing that was never asked for.
            if not own or (mine["second"] == head).any():
                said += _lead(tables, condition, head)
    if "claims" in tables and not own:
        counts = tables["claims"]["verdict"].value_counts()
        parts = [f"{count} {verdict}" for verdict, count in counts.items()]
        said.append(f"Of {int(counts.sum())} published claims: {', '.join(parts)}.")
    if said:
        return said
    return [
        "No lead can be judged from what is on record."
        if own
        else "No lead and no claim can be judged from what is on record."
    ]


def _lead(tables: Mapping[str, pd.DataFrame], condition: str, head: str) -> list[str]:
    if "gaps" not in tables:
        return []
    gaps = main_rows(tables["gaps"])
    mine = (gaps["condition"] == condition) & (gaps["second"] == head) & (gaps["sigma"] == 0)
    rows = gaps[mine].sort_values("n")
    if rows.empty:
        return [f"On {named_features(condition)} concat-mlp against {head} was not run."]
    ends = [rows.iloc[0], rows.iloc[-1]][: len(rows)]
    leads = " and ".join(f"{points(100 * row['gap'])} points at n = {row['n']}" for row in ends)
    return [f"On {named_features(condition)} concat-mlp less {head} is {leads}."]


def _claims(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    if "claims" not in tables:
        return []
    evidence = tables.get("evidence", pd.DataFrame(columns=["claim"]))
    published: dict[str, Claim] = {claim.name: claim for claim in CLAIMS}
    claims = []
    for row in tables["claims"].to_dict("records"):
        claim = published.get(row["claim"])
        mine = evidence[evidence["claim"] == row["claim"]]
        features = sorted({str(f) for f in mine["features"]}) if "features" in mine else []
        claims.append(
            {
                "name": row["claim"],
                "statement": claim.statement if claim else "",
                "source": claim.source if claim else "",
                "refuted_by": claim.refuted_by if claim else "",
                "theory": claim.theory if claim else "",
                "verdict": row["verdict"],
                "expected": row["expected"],
                "reason": row["reason"],
                "missing": "" if pd.isna(row.get("missing")) else str(row["missing"]),
                "features": features,
                "evidence": _evidence(mine),
            }
        )
    return claims


def _evidence(rows: pd.DataFrame) -> Grid | None:
    if rows.empty:
        return None
    table = rows.assign(
        place=[_place(row) for row in rows.to_dict("records")],
        interval=[_interval(row) for row in rows.to_dict("records")],
        estimate=[_estimate(row, "estimate") for row in rows.to_dict("records")],
        predicted=[_estimate(row, "predicted") for row in rows.to_dict("records")],
    )
    columns = dict.fromkeys(("place", "estimate", "interval", "predicted", "outcome"), str)
    return plain_grid(table, ["features", "setting"], "quantity", columns)


def _place(row: Mapping[Any, Any]) -> str:
    parts = [str(row["condition"])] if not pd.isna(row.get("condition")) else []
    parts += [f"n = {row['n']:.0f}"] if not pd.isna(row.get("n")) else []
    parts += [f"σ = {row['sigma']:g}"] if row.get("sigma", 0) > 0 else []
    return ", ".join(parts) or "all"


def _estimate(row: Mapping[Any, Any], name: str) -> str:
    """Write an exponent as it is and every other quantity, a fraction, in points."""
    value = row.get(name, float("nan"))
    if pd.isna(value):
        return "–"
    return _decimal(value) if "exponent" in str(row["quantity"]) else points(100 * value)


def _interval(row: Mapping[Any, Any]) -> str:
    return f"{_estimate(row, 'low')} to {_estimate(row, 'high')}"


def _scaling(table: pd.DataFrame) -> Grid:
    columns: dict[str, Any] = {
        **dict.fromkeys(("exponent", "low", "high"), _decimal),
        **{f"p_of_{value}": p_text for value in ("-1", "-0.5", "0")},
        "sizes": number,
    }
    return plain_grid(table, ["setting", "condition"], "second", columns)


def _trends(table: pd.DataFrame) -> Grid:
    columns: dict[str, Any] = {
        **dict.fromkeys(("slope", "low", "high"), points),
        **dict.fromkeys(("p_value", "permutation_p"), p_text),
        "sigmas": number,
    }
    return plain_grid(table, ["setting", "condition", "side", "n"], "second", columns)


def _power(table: pd.DataFrame) -> Grid:
    table = table.assign(sd=100 * table["sd"])
    columns: dict[str, Any] = {
        "n": number,
        "sd": lambda sd: f"{sd:.2f}",
        "seeds": number,
        "low": number,
        "high": number,
    }
    return plain_grid(table, ["setting", "condition"], "second", columns)


def predictor_lines(table: pd.DataFrame) -> Grid:
    """Return the errors over all cells, and over those that all predictors of accuracy share."""

    def share(value: float) -> str:
        return "–" if pd.isna(value) else points(value, False)

    columns: dict[str, Any] = {
        "cells": number,
        **dict.fromkeys(("sign_right", "sign_clear"), number),
        "mean_abs_points": share,
        "coverage": lambda value: share(100 * value),
    }
    whole = table[table["scope"].isin(("all", "common"))] if "scope" in table else table
    groups = [name for name in ("setting", "scope") if name in whole]
    return plain_grid(whole, groups, "predictor", columns)


def _choices(table: pd.DataFrame) -> Grid:
    columns: dict[str, Any] = {
        "n": number,
        **dict.fromkeys(("learning_rate", "weight_decay"), lambda value: f"{value:g}"),
        "dev_accuracy": lambda share: points(100 * share, False),
    }
    return plain_grid(table, ["condition"], "head", columns)


def _decimal(value: float) -> str:
    if pd.isna(value):
        return "–"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    return f"{value:+.2f}".replace("-", "−")


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"
