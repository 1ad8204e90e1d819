"""Numbers of the pages on labelled pilots, from the tables of `experiments/choice`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).resolve().parents[1] / "experiments" / "choice"
SETS = ("synthetic", "digits", "other", "all")
SIZES = (60, 100, 300, 1000)
TARGET = 800
RULES = {
    "advice": "advice",
    "forecast": "forecast alone",
    "cv_risk": "cross-validated risk",
    "cv_accuracy": "cross-validated accuracy",
    "power": "power law",
    "logme": "LogME",
    "h_score": "H-score",
    "interaction": "always interaction",
    "mlp": "always concat-mlp",
    "quadratic": "always additive-quadratic",
    "rbf": "always rbf-both",
    "linear": "always concat-linear",
}
"""Rules in names of numbers, and as the table has them."""
NULLS = ("additive", "quadratic", "quadratic2")
PLANTED = ("share3", "rank3", "xor3")


def numbers() -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield each number's name with the function that reads it."""
    for place in SETS:
        yield f"pilot_tasks_{place}", partial(_tasks, place)
        for n0 in SIZES:
            for column in ("risk_error", "risk_bias", "accuracy_error", "accuracy_bias"):
                name = f"pilot_within_{column}_{place}_{n0}"
                yield name, partial(_within, column, place, n0)
            if n0 < TARGET:
                yield from _at_target(place, n0)
    yield "pilot_calibration", lambda: f"{_table('reliability')['error'].iloc[0]:.3f}"
    yield "pilot_calibration_bias", lambda: f"{_table('reliability')['bias'].iloc[0]:.3f}"
    for name, families in {"null": NULLS, "planted": PLANTED}.items():
        yield f"pilot_rejected_{name}", partial(_rejected, families)
        yield f"pilot_tested_{name}", partial(_tested, families)
    for family in (*NULLS, *PLANTED):
        yield f"pilot_rejected_{family}", partial(_rejected, (family,))
        yield f"pilot_tested_{family}", partial(_tested, (family,))


def _at_target(place: str, n0: int) -> Iterator[tuple[str, Callable[[], str]]]:
    columns = ("risk_error", "accuracy_error", "accuracy_bias", "flat_error", "power_error")
    for column in (*columns, "kernel_error"):
        yield f"pilot_target_{column}_{place}_{n0}", partial(_target, column, place, n0, 1, 1)
    yield f"pilot_target_width_{place}_{n0}", partial(_target, "width", place, n0, 1, 2)
    for column in ("covered", "accuracy_covered"):
        yield f"pilot_target_{column}_{place}_{n0}", partial(_target, column, place, n0, 100, 0)
    for other in ("flat", "power"):
        yield f"pilot_to_{other}_{place}_{n0}", partial(_ratio, other, place, n0)
    for rule in RULES:
        for column in ("regret", "above_advice", "error", "share"):
            name = f"pilot_{column}_{rule}_{place}_{n0}"
            yield name, partial(_board, column, rule, place, n0)


@cache
def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv")


def _rows(place: str, n0: int) -> pd.DataFrame:
    table = _table("errors")
    return table[(table["set"] == place) & (table["n0"] == n0)].set_index("n")


def _tasks(place: str) -> str:
    table = _table("errors")
    return str(int(table[table["set"] == place]["tasks"].max()))


def _within(column: str, place: str, n0: int) -> str:
    rows = _rows(place, n0)
    return f"{rows[rows.index <= n0][column].mean():.1f}"


def _target(column: str, place: str, n0: int, scale: int, digits: int) -> str:
    return f"{scale * float(_rows(place, n0)[column].loc[TARGET]):.{digits}f}"


def _ratio(other: str, place: str, n0: int) -> str:
    row = _rows(place, n0).loc[TARGET]
    return f"{float(row['kernel_error'] / row[f'{other}_error']):.2f}"


def _board(column: str, rule: str, place: str, n0: int) -> str:
    table = _table("leaderboard").set_index(["set", "n0", "rule"])
    value = float(str(table[column].loc[(place, n0, RULES[rule])]))
    return f"{value:+.2f}" if column == "above_advice" else f"{value:.2f}"


def _tested(families: tuple[str, ...]) -> str:
    return str(int(_table("interaction")["family"].isin(families).sum()))


def _rejected(families: tuple[str, ...]) -> str:
    table = _table("interaction")
    rows = table[table["family"].isin(families)]
    return str(int((rows["p_value"] <= 0.05).sum()))
