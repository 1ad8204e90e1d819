"""``python -m validation.clip``: what ``make clip`` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fusiontheory.console import OneLineCommand, application

__all__ = ["app"]

app = application("Flickr8k and CLIP from the network to the report and figures 1 to 6.")


@app.command(cls=OneLineCommand)
def main(
    device: Annotated[
        str, typer.Option(help="cuda, every GPU; cuda:1, that one; auto; cpu.")
    ] = "cuda",
    folder: Annotated[Path, typer.Option(help="Folder of corpus, features and records.")] = Path(
        ".cache/clip"
    ),
    out: Annotated[
        Path, typer.Option(help="Folder that gets docs/results and docs/figures.")
    ] = Path("report/clip"),
    mirror: Annotated[
        str | None, typer.Option(help="Address of a folder with the archives.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="JSON file of what the mirror has, weights too. [default: Flickr8k]"),
    ] = None,
    sizes: Annotated[str, typer.Option(help="Numbers of training pairs.")] = "2048,4096,8192,16384",
    seeds: Annotated[int, typer.Option(help="Seeds.")] = 10,
    heads: Annotated[
        str | None, typer.Option(help="Trained heads, with commas. [default: all]")
    ] = None,
    embedded: Annotated[int, typer.Option(help="Test images in figure 4.")] = 300,
    shard_images: Annotated[int, typer.Option(help="Images in a shard of the cache.")] = 256,
    jobs: Annotated[int | None, typer.Option(help="Processes. [default: one a core]")] = None,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="Accept the corpus's terms without being asked.")
    ] = False,
    unproved: Annotated[
        bool, typer.Option("--unproved", help="Go on where recall is not the published one.")
    ] = False,
) -> None:
    """Run every stage; run again, it goes on where it stopped."""
    from fusiontheory.solvers import devices
    from fusiontheory.store import check_writable
    from validation.clip import Plan, run_stages, stages
    from validation.corpus import read_manifest

    plan = Plan(
        folder=folder,
        out=out,
        device=device,
        first=devices(device)[0],
        mirror=mirror,
        manifest=manifest,
        weights=() if manifest is None else tuple(a.name for a in read_manifest(manifest).weights),
        sizes=sizes,
        seeds=seeds,
        heads=heads,
        embedded=embedded,
        shard=shard_images,
        jobs=jobs,
        accept_terms=accept_terms,
    )
    for name, place in (("folder", folder), ("out", out)):
        check_writable(name, place)
    run_stages(stages(plan), unproved)
    typer.echo(f"report: {plan.results / 'index.html'}, {plan.results / 'trained' / 'index.html'}")


if __name__ == "__main__":
    app(prog_name="python -m validation.clip")
