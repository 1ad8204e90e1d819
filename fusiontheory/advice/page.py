"""The advice as a page that loads nothing: text, tables, and figures as data."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from fusiontheory.advice.terminal import verified
from fusiontheory.advice.words import count, in_metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fusiontheory.advice.answer import Advice

__all__ = ["render_page", "render_short"]

# Inches: side by side with text, and on a telephone.
_WIDE, _NARROW = 7.2, 3.7
_CAPTIONS = {
    "curves": "{metric} against n. The band is the 90 % interval of the recommended fusion; fusions"
    " further behind are grey. Points are measured on held-out items, where some were.",
    "choice": "{metric} at the target with 90 % intervals, and the probability that each fusion is"
    " the best.",
    "missing": "What the recommended fusion reaches where some items lack a modality: v is the"
    " first that was given, t the second.",
}
_TITLES = {
    "choice": "Which fusion at the target",
    "assurance": "Assurance: items that 80 % of training sets need",
    "crossovers": "Crossovers",
    "missing": "The price of a missing modality",
    "interaction": "What can be learned, in parts",
    "cost": "Cost",
    "features": "What the features are",
    "verification": "Held-out items",
    "curves": "All curves",
}
_COUNTS = ["n", "n_assured", "from_n", "parameters", "multiply_adds", "training_sets"]
_VALUES = ["expected", "value", "expected_regret", "gap", "gap_low", "gap_high", "target"]
_VALUES += ["imputed", "fallback", "measured", "predicted", "error", "balanced_accuracy", "auc"]
# Said elsewhere, or steps on the way to what is shown.
_LEFT_OUT = ("sentence", "risk_low", "risk_high", "spread", "scatter")
_NAMES = {
    "p_best": "P(best)",
    "from_n": "from n",
    "n_assured": "n, assured",
    "share_at_largest": "share at largest n",
    "low": "from",
    "high": "to",
    "gap_low": "gap from",
    "gap_high": "gap to",
    "expected_regret": "regret",
    "fit_seconds": "fit (s)",
    "predict_seconds": "predict 1000 (s)",
    "multiply_adds": "multiply-adds",
    "of_learnable": "of what is learnable",
    "head": "fusion",
}


def render_page(advice: Advice) -> str:
    """Return the page; every text in it is escaped."""
    drawn = {"wide": advice.figures(_WIDE), "narrow": advice.figures(_NARROW)}
    figures = {
        name: {
            "wide": _data(drawn["wide"][name]),
            "narrow": _data(drawn["narrow"][name]),
            "caption": _CAPTIONS[name].format(metric=_upper(advice.metric_name)),
        }
        for name in drawn["wide"]
    }
    return _render("page.html", advice, figures)


def render_short(advice: Advice) -> str:
    """Return the part that a notebook shows: sentences, the table of the choice, the curves."""
    figure = {"wide": _data(advice.figures(_WIDE)["curves"])}
    return _render("short.html", advice, {"curves": figure})


def _render(template: str, advice: Advice, figures: dict[str, Any]) -> str:
    # Imported here: nothing but pages needs it.
    import jinja2

    folder = files("fusiontheory.advice").joinpath("templates")
    names = ("page.html", "short.html", "table.html")
    loader = jinja2.DictLoader({n: folder.joinpath(n).read_text(encoding="utf-8") for n in names})
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tables = [
        {"name": name, "title": title, **_cells(name, advice.tables[name], advice.metric)}
        for name, title in _TITLES.items()
        if name in advice.tables
    ]
    inside = verified(advice) if "verification" in advice.tables else ""
    return environment.get_template(template).render(
        advice=advice, figures=figures, tables=tables, verified=inside
    )


def _data(figure: Figure) -> str:
    from fusiontheory.plotting import render_figure

    text = base64.b64encode(render_figure(figure, "svg")).decode()
    return f"data:image/svg+xml;base64,{text}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cells(called: str, table: pd.DataFrame, metric: str) -> dict[str, Any]:
    """Return names of columns and the table's values as people read them."""
    table = table.drop(columns=[c for c in _LEFT_OUT if c in table.columns])
    # Ends of intervals are in the unit of what they are of.
    ends = {"crossovers": _COUNTS, "interaction": []}.get(called, _VALUES)
    columns = [str(c) for c in table.columns]
    rows = [
        [_cell(value, name, metric, ends) for name, value in zip(columns, row, strict=True)]
        for row in table.itertuples(index=False)
    ]
    texts = [bool(len(table)) and isinstance(table[c].iloc[0], str) for c in columns]
    names = [_NAMES.get(c, c.replace("_", " ")) for c in columns]
    return {"columns": list(zip(names, texts, strict=True)), "rows": rows, "texts": texts}


def _cell(value: Any, name: str, metric: str, ends: list[str]) -> str:
    """Write one value; ``ends`` is the kind of the columns ``low`` and ``high``."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or str(type(value)).endswith("bool'>"):
        return "yes" if value else "no"
    of_count, of_value = (name in ("low", "high") and ends is kind for kind in (_COUNTS, _VALUES))
    if name in _COUNTS or of_count:
        return count(float(value))
    if name in _VALUES or of_value:
        return in_metric(float(value), metric)
    return f"{value:.3g}" if name.endswith("seconds") else f"{value:.3f}"
