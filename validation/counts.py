"""Parameters of every trainable head as a table: ``python -m validation.counts``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from fusiontheory.console import OneLineCommand, application
from fusiontheory.data import FeatureSet
from fusiontheory.store import write_atomically
from fusiontheory.symbolic import COUNTS, count_formula, identifiable_dimension, parameter_count

__all__ = ["count_table"]

app = application("Write the table of parameter counts.")


def count_table(d_v: int = 512, d_t: int = 512) -> pd.DataFrame:
    """Return the closed-form counts of each head at its default settings.

    Args:
        d_v: dimension of the image feature.
        d_t: dimension of the text feature.

    Returns:
        Columns ``head``, ``d_v``, ``d_t``, ``parameters``, ``identifiable`` (missing where it is
        not known) and ``formula``, in sympy's notation.

    Raises:
        InputError: as `parameter_count` does.

    Example:
        >>> int(count_table().set_index("head").loc["concat-mlp", "parameters"])
        295554
    """
    rows = [
        {
            "head": head,
            "d_v": d_v,
            "d_t": d_t,
            "parameters": parameter_count(head, d_v=d_v, d_t=d_t),
            "identifiable": identifiable_dimension(head, d_v=d_v, d_t=d_t),
            "formula": str(count_formula(head).expression),
        }
        for head in COUNTS
    ]
    return pd.DataFrame(rows).astype({"identifiable": "Int64"})


@app.command(cls=OneLineCommand)
def main(
    d_v: Annotated[int, typer.Option(help="Dimension of the image feature.")] = 512,
    d_t: Annotated[int, typer.Option(help="Dimension of the text feature.")] = 512,
    features: Annotated[
        Path | None, typer.Option(help="Take both from this features file instead.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path(
        "docs/results/parameter_counts.csv"
    ),
) -> None:
    """Write the number of parameters of every head and, where known, how many of them matter."""
    if features is not None:
        feature_set = FeatureSet.load(features)
        d_v, d_t = feature_set.image.shape[-1], feature_set.text.shape[-1]
    table = count_table(d_v, d_t).to_csv(index=False, lineterminator="\n")
    typer.echo(write_atomically(out, table.encode()))


if __name__ == "__main__":
    app()
