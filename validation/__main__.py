"""The command line ``python -m validation``: run the study, write its report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusiontheory.console import application, progress_bar
from validation.commands import study as commands

if TYPE_CHECKING:
    from validation.extract import Merged

app = application("Predict, measure and compare fusion heads on real features.")

_Features = Annotated[
    Path | None,
    typer.Option(
        help="Features file with splits: .safetensors, .npz, .pt, .parquet, .csv, .h5 and others."
        " [default: the shipped Flickr8k features]"
    ),
]
_Store = Annotated[Path, typer.Option(help="Folder of records and trained heads.")]
_Seeds = Annotated[int, typer.Option(help="Number of seeds.")]
_Ridge = Annotated[float, typer.Option(help="delta of K + delta I.")]
_Sizes = Annotated[str, typer.Option(help="Numbers of training pairs, separated by commas.")]
_TestPairs = Annotated[int, typer.Option(help="Number of test pairs.")]
_Products = Annotated[
    str,
    typer.Option(help="bfloat16, or float32 where the processor lacks it; records are of one."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_STORE = Path(".cache")
_OUT = Path("report")
_FEATURES_OUT = Path("features.safetensors")
_SIZES = "256,512,1024,2048,4096,8192"


@app.command()
def run(
    features: _Features = None,
    store: _Store = _STORE,
    seeds: _Seeds = 10,
    sizes: _Sizes = _SIZES,
    ridge: _Ridge = 0.1,
    test_pairs: _TestPairs = 10_000,
    jobs: Annotated[int | None, typer.Option(help="Processes. [default: one a core]")] = None,
    as_json: _Json = False,
) -> None:
    """Predict and measure; what the store already has is not done again."""
    from validation.kernel import session as workflow

    session = workflow.Session.open(features, store, sizes, seeds, ridge, test_pairs)
    with progress_bar() as progress:
        done = session.run(os.cpu_count() or 1 if jobs is None else jobs, progress)
    _say(as_json, {"records": done, "store": str(store)}, f"{done} records in {store}")


@app.command()
def report(
    features: _Features = None,
    store: _Store = _STORE,
    seeds: _Seeds = 10,
    sizes: _Sizes = _SIZES,
    ridge: _Ridge = 0.1,
    test_pairs: _TestPairs = 10_000,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = _OUT,
    as_json: _Json = False,
) -> None:
    """Write the report of a run: index.html, tables and figures. Give the options of the run."""
    from validation.kernel import session as workflow

    session = workflow.Session.open(features, store, sizes, seeds, ridge, test_pairs)
    page = session.report(out)
    _say(as_json, {"page": str(page)}, f"report: {page}")


@app.command()
def trained(
    features: _Features = None,
    store: _Store = _STORE,
    seeds: _Seeds = 5,
    only: Annotated[
        str | None,
        typer.Option(help="grid, noise, controls, search, tuned or ablations. [default: all]"),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
    shard: Annotated[str, typer.Option(help="Do only part i of N, as i/N.")] = "1/1",
    dtype: _Products = "bfloat16",
    as_json: _Json = False,
) -> None:
    """Train the networks of the study of trained heads; goes on where it was interrupted."""
    from validation.trained import TrainedSession

    session = TrainedSession.open(features, store, seeds, dtype)
    done, missing = session.run(only, jobs, shard)
    names = "".join(f"\nmissing: {name}" for name in missing)
    record = {"records": done, "missing": missing, "store": str(store)}
    _say(as_json, record, f"{done} records of trained heads in {store}{names}")


@app.command()
def trained_report(
    features: _Features = None,
    store: _Store = _STORE,
    seeds: _Seeds = 5,
    out: Annotated[Path, typer.Option(help="Folder of the tables.")] = _OUT / "trained",
    dtype: _Products = "bfloat16",
    as_json: _Json = False,
) -> None:
    """Write tables, verdicts and figure of the trained heads; what was not run is named."""
    from validation.trained import TrainedSession

    found = TrainedSession.open(features, store, seeds, dtype).report(out)
    names = "".join(f"\nmissing: {name}" for name in found.missing)
    record = {"runs": len(found.runs), "missing": found.missing, "out": str(out)}
    _say(as_json, record, f"{len(found.runs)} runs in {out}{names}")


@app.command()
def trained_predict(
    features: _Features = None,
    store: _Store = _STORE,
    seeds: _Seeds = 5,
    out: Annotated[Path, typer.Option(help="Folder with runs.csv.")] = _OUT / "trained",
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Compute no tangent kernel, use those on record.")
    ] = False,
    dtype: _Products = "bfloat16",
    as_json: _Json = False,
) -> None:
    """Write what four predictors say of the trained heads, and how far off each is."""
    from validation.trained import TrainedSession, write_predictions

    session = TrainedSession.open(features, store, seeds, dtype)
    errors = write_predictions(session, out, fill=not recorded)
    whole = errors[errors["scope"] == "all"].drop(columns=["scope", "of"])
    record = {"errors": json.loads(whole.to_json(orient="records")), "out": str(out)}
    _say(as_json, record, f"{whole.to_string(index=False)}\npredictions in {out}")


@app.command()
def corpus(
    captions: Annotated[
        str, typer.Argument(help="Captions file, its folder, or hf:NAME of a data set.")
    ],
    images: Annotated[
        Path | None, typer.Option(help="Image folder. [default: looked for beside the captions]")
    ] = None,
    incomplete: Annotated[
        str, typer.Option(help="Captions without image, images without captions: refuse or drop.")
    ] = "refuse",
    as_json: _Json = False,
) -> None:
    """Read a corpus of images and captions, and say what it holds and what was dropped."""
    from validation.corpus import as_record, as_text, read_corpus

    found = read_corpus(captions, images, incomplete)  # type: ignore[arg-type]
    _say(as_json, as_record(found), as_text(found))


@app.command()
def fetch(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the corpus. [default: ~/.cache/fusiontheory/flickr8k]"),
    ] = None,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="Accept the terms without being asked.")
    ] = False,
    mirror: Annotated[
        str | None, typer.Option(help="Address of a folder with the same archives.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Download Flickr8k, unpack and verify it; goes on where it was interrupted."""
    from validation.corpus import Fetch, as_record, as_text, consent

    session = Fetch(out or Path.home() / ".cache" / "fusiontheory" / "flickr8k", mirror)
    if session.downloads:
        typer.echo(session.plan(), err=True)
        consent(accept_terms)
    with progress_bar() as progress:
        found = session.run(progress)
    _say(as_json, as_record(found), as_text(found))


@app.command()
def extract(
    captions: Annotated[
        str, typer.Argument(help="Captions file, its folder, or hf:NAME of a data set.")
    ],
    images: Annotated[
        Path | None, typer.Option(help="Image folder. [default: looked for beside the captions]")
    ] = None,
    backbone: Annotated[str, typer.Option(help="Backbone of the images.")] = "clip-vit-b-32",
    text_backbone: Annotated[
        str | None,
        typer.Option(help="Backbone of the captions. [default: that of the images, or minilm]"),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Local weights of --backbone.")] = None,
    text_checkpoint: Annotated[
        Path | None, typer.Option(help="Local weights of --text-backbone.")
    ] = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="Tokens, not pooled vectors.")] = False,
    context: Annotated[int | None, typer.Option(help="Cut captions to so many tokens.")] = None,
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16, to compute in.")] = "float32",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1.")] = "cpu",
    stored: Annotated[str, typer.Option(help="float32 or float16, in the cache.")] = "float32",
    cache: Annotated[Path, typer.Option(help="Folder of shards.")] = _STORE / "features",
    shard: Annotated[str, typer.Option(help="Do only part i of N, as i/N; then merge.")] = "1/1",
    batch: Annotated[int, typer.Option(help="Images or captions at once.")] = 64,
    shard_images: Annotated[int, typer.Option(help="Images in a shard of the cache.")] = 256,
    workers: Annotated[
        int | None, typer.Option(help="Processes that decode. [default: one a core]")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at an image that cannot be read.")
    ] = False,
    incomplete: Annotated[
        str, typer.Option(help="Captions without image, images without captions: refuse or drop.")
    ] = "refuse",
    captions_each: Annotated[
        int | None, typer.Option(help="Use the first so many captions of each image.")
    ] = None,
    align_images: Annotated[int, typer.Option(help="Training images to set apart, align.")] = 0,
    out: Annotated[Path, typer.Option(help="Features file to write.")] = _FEATURES_OUT,
    as_json: _Json = False,
) -> None:
    """Images and captions to a features file; goes on where it was interrupted."""
    from validation.extract import Backbones, extract_part

    part_list, merged = extract_part(
        captions,
        images,
        Backbones(
            backbone, text_backbone, checkpoint, text_checkpoint, tokens, context, dtype, device
        ),
        cache,
        shard,
        {
            "batch": batch,
            "shard": shard_images,
            "workers": workers,
            "stored": stored,
            "strict": strict,
        },
        (incomplete, captions_each, align_images),  # type: ignore[arg-type]
        out,
    )
    _say_merged(as_json, merged, part_list)


@app.command()
def merge(
    parts: Annotated[list[Path], typer.Argument(help="Lists that extract --shard left.")],
    align_images: Annotated[int, typer.Option(help="Training images to set apart, align.")] = 0,
    out: Annotated[Path, typer.Option(help="Features file to write.")] = _FEATURES_OUT,
    as_json: _Json = False,
) -> None:
    """Check that the parts of an extraction fit, and write one features file."""
    from validation.extract import merge as merge_parts

    _say_merged(as_json, merge_parts(parts, out, align_images), None)


@app.command()
def prove(
    features: Annotated[Path, typer.Argument(help="File that extract wrote.")],
    as_json: _Json = False,
) -> None:
    """Hold the retrieval recall of CLIP features against published figures; status 1 if off."""
    from validation.extract import prove_file

    proof = prove_file(features)
    record = {
        "right": proof.right,
        "measured": dict(proof.measured),
        "published": dict(proof.published),
        "faults": list(proof.faults),
    }
    _say(as_json, record, str(proof))
    if not proof.right:
        raise typer.Exit(1)


app.command()(commands.study)
app.command()(commands.arrays)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    commands.launch
)


def _say_merged(as_json: bool, merged: Merged | None, part: Path | None) -> None:
    if merged is None:
        _say(as_json, {"part": str(part)}, f"{part}: give the lists of all parts to merge")
        return
    for name, reason in merged.skipped:
        typer.echo(f"left out {name}: {reason}", err=True)
    record = {"features": str(merged.path), "images": merged.images, "skipped": merged.skipped}
    left_out = f", {len(merged.skipped)} left out" if merged.skipped else ""
    _say(as_json, record, f"{merged.path}: {merged.images} images{left_out}")


def _say(as_json: bool, record: dict[str, Any], text: str) -> None:
    typer.echo(json.dumps(record) if as_json else text)


if __name__ == "__main__":
    app(prog_name="python -m validation")
