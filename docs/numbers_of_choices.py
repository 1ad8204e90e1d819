"""Numbers of the pages on choosing and of the paper, which `numbers_of_pages` registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]


def numbers() -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield each number's name with the function that reads it."""
    for condition in ("aligned", "unaligned"):
        for head in ("bilinear", "concat-mlp", "dot-product"):
            for n in (256, 2048, 8192):
                name = f"measured_{condition}_{head}_{n}".replace("-", "_")
                yield name, partial(_measured, condition, head, n)
    for rule, name in RULES.items():
        for n0 in (100, 300):
            yield f"regret_{name}_{n0}", partial(_regret, rule, n0)
    for name, verdict in VERDICTS.items():
        yield f"claims_{name}", partial(_claims, verdict)
    yield "mlp_loses_at_the_bilinear_ridge", lambda: _loses("aligned", "concat-mlp", 2048, 0.825)
    yield "bilinear_loses_without_ridge", lambda: _loses("aligned", "bilinear", 8192, 0.001)
    yield "bilinear_loses_at_100", lambda: _loses("unaligned", "bilinear", 8192, 100.0)


RULES = {
    "advice": "advice",
    "cross-validated risk": "cv_risk",
    "cross-validated accuracy": "cv_accuracy",
    "always interaction": "interaction",
    "always concat-mlp": "mlp",
    "always concat-linear": "linear",
    "always bilinear": "bilinear",
}
"""Rules for choosing, as the table has them, and in names of numbers."""


VERDICTS = {"refuted": "refuted", "supported": "supported", "open": "not testable here"}
"""On published claims, in names of numbers and as the table has them."""


def _claims(verdict: str) -> str:
    rows = pd.read_csv(ROOT / "docs" / "results" / "trained" / "claims.csv")
    return str(int((rows["verdict"] == verdict).sum()))


def _measured(condition: str, head: str, n: int) -> str:
    rows = pd.read_csv(ROOT / "docs" / "results" / "comparison.csv")
    rows = rows.set_index(["condition", "head", "n"])
    return f"{100 * float(rows['measured'].loc[(condition, head, n)]):.1f}"


def _regret(rule: str, n0: int) -> str:
    rows = pd.read_csv(ROOT / "experiments" / "choice" / "leaderboard.csv")
    rows = rows.set_index(["set", "n0", "rule"])
    return f"{float(rows['regret'].loc[('all', n0, rule)]):.1f}"


def _loses(condition: str, head: str, n: int, ridge: float) -> str:
    """Return the points that a head loses at a ridge against the best of those tried."""
    rows = pd.read_csv(ROOT / "docs" / "results" / "ridges.csv")
    rows = rows[(rows["condition"] == condition) & (rows["head"] == head) & (rows["n"] == n)]
    mean = rows.groupby("at_ridge")["accuracy"].mean()
    return f"{100 * (mean.max() - mean.loc[ridge]):.1f}"
