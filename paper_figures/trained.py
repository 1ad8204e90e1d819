"""The tables of trained heads, as the figures of the paper read them."""

from __future__ import annotations

import pandas as pd

from paper_figures.tables import RUN_TRAINED, Tables

__all__ = ["TRAINED", "accuracies", "leads", "not_run_cells"]

TRAINED = "docs/results/trained"
"""The folder of the tables."""

_PLACE = ("condition", "n", "sigma")


def accuracies(tables: Tables, *columns: str) -> pd.DataFrame:
    """Return the accuracy of each head in each cell, with further columns.

    Raises:
        InputError: if the table cannot be read.
    """
    wanted = [*_PLACE, "head", "seeds", "accuracy", "se", *columns]
    return tables.read(f"{TRAINED}/accuracy.csv", wanted, RUN_TRAINED)


def leads(tables: Tables, *columns: str) -> pd.DataFrame:
    """Return the lead of concat-mlp over each other head in each cell, with further columns.

    Raises:
        InputError: if the table cannot be read.
    """
    wanted = [*_PLACE, "second", "gap", "crossed_low", "crossed_high", *columns]
    return tables.read(f"{TRAINED}/gaps.csv", wanted, RUN_TRAINED)


def not_run_cells(tables: Tables, noisy: bool) -> list[str]:
    """Return the names of the cells that were not run, those with noise or those without."""
    named = tables.names(f"{TRAINED}/missing.json", RUN_TRAINED)
    return [entry for entry in named if ("sigma" in entry) is noisy]
