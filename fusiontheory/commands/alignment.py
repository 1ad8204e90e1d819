"""The command ``fusiontheory alignment``."""

from __future__ import annotations

from typing import Annotated

import typer

from fusiontheory.commands.options import Features, ImageKey, Json, Missing, TextKey, print_json

__all__ = ["alignment"]


def alignment(
    features: Features,
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
    image_key: ImageKey = None,
    text_key: TextKey = None,
    missing: Missing = "refuse",
    as_json: Json = False,
) -> None:
    """Measure how well image and text features agree, with intervals and permutation nulls."""
    from fusiontheory.alignment import measure_alignment
    from fusiontheory.data import Reading, read_features

    reading = Reading(image_key, text_key, missing)  # type: ignore[arg-type]
    loaded = read_features(features, reading)
    rows = loaded.rows() if split is None else loaded.rows(split)
    table = measure_alignment(
        loaded.image[rows],
        loaded.text[rows],
        permutations=permutations,
        bootstrap=bootstrap,
        seed=seed,
        metrics=metric or None,
    )
    if as_json:
        # JSON has no NaN: what was not asked for is null.
        records = table.astype(object).where(table.notna(), None).to_dict("records")
        print_json({"images": len(rows), "metrics": records})
    else:
        typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))
