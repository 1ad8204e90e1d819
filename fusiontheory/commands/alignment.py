"""The command ``fusiontheory alignment``."""

from __future__ import annotations

from typing import Annotated

import typer

from fusiontheory.commands.options import Features, Json, Read, print_json
from fusiontheory.console import grouped

__all__ = ["alignment"]


@grouped
def alignment(
    features: Features,
    *,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="cosine, recall, gap, canonical, cka or neighbours; can be repeated."
            " [default: all that the dimensions allow]"
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Split to measure. [default: all images]")
    ] = None,
    permutations: Annotated[int, typer.Option(help="Random pairings of the null.")] = 200,
    bootstrap: Annotated[int, typer.Option(help="Replicates of the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of pairings, replicates and folds.")] = 0,
    read: Read,
    centred: Annotated[
        bool,
        typer.Option(
            "--prepared",
            help="Centre and normalise first, as predict does; this takes the modality gap away.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure how well image and text features agree. With intervals and permutation nulls.

    \b
    Examples:
        fusiontheory alignment features.npz
        fusiontheory alignment image.npy text.npy --metric canonical --metric cka
        fusiontheory alignment features.npz --prepared --json
    """
    from fusiontheory.alignment import measure_alignment
    from fusiontheory.console import progress_bar
    from fusiontheory.data import PREPARATION, prepare, read_features

    loaded = read_features(features, read.reading())
    rows = loaded.rows() if split is None else loaded.rows(split)
    sides = loaded.image[rows], loaded.text[rows]
    with progress_bar() as bar:
        table = measure_alignment(
            *(prepare(*sides) if centred else sides),
            permutations=permutations,
            bootstrap=bootstrap,
            seed=seed,
            metrics=metric or None,
            track=lambda numbers, name: bar.track(numbers, description=name),
        )
    how = PREPARATION if centred else "features as they are; --prepared centres them first"
    if as_json:
        # JSON has no NaN: what was not asked for is null.
        records = table.astype(object).where(table.notna(), None).to_dict("records")
        print_json({"images": len(rows), "preparation": how, "metrics": records})
    else:
        # Beside the table, which other programs read.
        note = f"Agreement of {len(rows)} images with their texts. Features: {how}."
        typer.echo(note, err=True)
        typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
