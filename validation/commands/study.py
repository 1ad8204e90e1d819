"""The commands ``study``, ``arrays`` and ``launch`` of ``python -m validation``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusiontheory.checks import InputError
from fusiontheory.console import progress_bar

if TYPE_CHECKING:
    from rich.progress import Progress

    from validation.extract import Settings
    from validation.pipeline import Verdict

__all__ = ["arrays", "launch", "study"]

_STAGES = ("extract", "train", "report")


def study(
    captions: Annotated[
        str | None, typer.Option(help="Captions file, its folder, or hf:NAME of a data set.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Image folder. [default: looked for beside the captions]")
    ] = None,
    backbone: Annotated[
        list[str] | None, typer.Option(help="A condition of this name each; repeat it.")
    ] = None,
    features: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE instead of images; repeat it.")
    ] = None,
    checkpoint: Annotated[
        list[str] | None, typer.Option(help="NAME=PATH: local weights of a backbone; repeat it.")
    ] = None,
    text_backbone: Annotated[
        str | None, typer.Option(help="Of captions, beside image backbones. [default: minilm]")
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16, to compute in.")] = "float32",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1.")] = "cpu",
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
    split_seed: Annotated[
        int | None, typer.Option(help="Split by image anew. [default: the corpus's splits, or 0]")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds. [default: 10, of trained 5]")] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Numbers of training pairs. [default: those of the studies]")
    ] = None,
    heads: Annotated[
        str | None, typer.Option(help="Trained heads, with commas. [default: all]")
    ] = None,
    parts: Annotated[str, typer.Option(help="Of the study of trained heads, or none.")] = "grid",
    ridge: Annotated[float, typer.Option(help="delta of K + delta I.")] = 0.1,
    test_pairs: Annotated[int, typer.Option(help="Number of test pairs, at most.")] = 10_000,
    aligned: Annotated[
        str | None, typer.Option(help="Condition of the published claims. [default: CLIP's]")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes. [default: one a core]")] = None,
    only: Annotated[
        str | None, typer.Option(help="extract, train or report. [default: all of them]")
    ] = None,
    shard: Annotated[
        str, typer.Option(help="Part i of N, as i/N, of --only extract or train.")
    ] = "1/1",
    unproved: Annotated[
        bool, typer.Option("--unproved", help="Go on where recall is not the published one.")
    ] = False,
    store: Annotated[Path, typer.Option(help="Folder of shards and records.")] = Path(".cache/raw"),
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("report"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """From images and captions, or features files, to the report; goes on where it stopped."""
    from fusiontheory.parallel import Part
    from validation.extract import Settings
    from validation.pipeline import chosen_backbones, read_sources

    part = Part.parse(shard)
    if only is not None and only not in _STAGES:
        raise InputError(f"only must be one of {', '.join(_STAGES)}, got {only!r}")
    if part.of > 1 and only not in ("extract", "train"):
        raise InputError("shard must be given with --only extract or --only train")
    if bool(features) == bool(captions):
        raise InputError("captions must be given, or features as NAME=FILE, and not both")
    kernel, trained = _studies(seeds, sizes, heads, parts, ridge, test_pairs)
    said: list[str] = []
    with progress_bar() as progress:
        if features:
            files = _named_files(features)
        else:
            chosen = chosen_backbones(
                backbone or ["clip-vit-b-32"], text_backbone, checkpoint or [], dtype, device
            )
            number = os.cpu_count() or 1 if workers is None else workers
            settings = Settings(batch, shard_images, number, strict=strict)
            extraction = _extraction(
                str(captions), images, incomplete, captions_each, chosen, store, progress, settings,
                part if only == "extract" else None,
            )  # fmt: skip
            files, skipped = dict(extraction.files), list(extraction.skipped)
            said += skipped
            if only == "extract":
                names = ", ".join(chosen)
                _say(as_json, {"extracted": names, "part": shard}, f"part {shard} of {names}")
                return
        sources, drawn = read_sources(files, split_seed)
        said += drawn
        _check_proofs(sources, unproved)
        from validation.pipeline import study_features

        verdict = study_features(
            sources, store, out, progress, study=kernel, trained=trained,
            parts=_names(parts), aligned=aligned,
            jobs=os.cpu_count() or 1 if jobs is None else jobs,
            shard=(part.index, part.of) if only == "train" else (1, 1), only=only,
        )  # fmt: skip
    _tell(as_json, verdict, said, only)


def arrays(
    image: Annotated[Path, typer.Option(help=".npy, .npz, .csv, .pt and others, (n, d).")],
    text: Annotated[Path, typer.Option(help="Likewise, (n, captions, d) or (n, d).")],
    out: Annotated[Path, typer.Option(help="Features file to write, .safetensors.")],
    ids: Annotated[
        Path | None, typer.Option(help="A name a line, or a CSV. [default: row numbers]")
    ] = None,
    text_ids: Annotated[
        Path | None, typer.Option(help="Names of the rows of text, to join by name.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="File of id and split, or folder of the official lists.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Split by image with this seed. [default: no splits]")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the features, for people.")] = None,
    image_key: Annotated[str | None, typer.Option(help="Array of --image, of several.")] = None,
    text_key: Annotated[str | None, typer.Option(help="Array of --text, of several.")] = None,
    missing: Annotated[
        str, typer.Option(help="Rows that are zero or not finite: refuse, or drop.")
    ] = "refuse",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Plain arrays of embeddings to a features file, checked."""
    from validation.pipeline import arrays_file

    done = arrays_file(
        image, text, ids, out, text_ids=text_ids, split=split, seed=seed, name=name,
        image_key=image_key, text_key=text_key, missing=missing,  # type: ignore[arg-type]
    )  # fmt: skip
    features = done.features
    d_v, d_t = features.image.shape[-1], features.text.shape[-1]
    record = {"features": str(done.path), "images": len(features), "left_out": done.left_out}
    rest = f", {done.left_out} rows of text of no image left out" if done.left_out else ""
    what = f"{len(features)} images, {features.text.shape[1]} captions each, {d_v} + {d_t}"
    _say(as_json, record, f"{done.path}: {what} dimensions{rest}")


def launch(
    context: typer.Context,
    shards: Annotated[int, typer.Option(help="Jobs of each stage.")] = 4,
    cluster: Annotated[str, typer.Option(help="slurm, or local to try it here.")] = "slurm",
    logs: Annotated[Path, typer.Option(help="Folder of logs.")] = Path(".cache/launch"),
    partition: Annotated[str | None, typer.Option(help="Of Slurm.")] = None,
    timeout_min: Annotated[int, typer.Option(help="Minutes of a job.")] = 240,
    cpus: Annotated[int, typer.Option(help="Cores of a job.")] = 4,
    memory_gb: Annotated[int, typer.Option(help="Memory of a job.")] = 16,
    gpus: Annotated[int, typer.Option(help="GPUs of a job.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run ``study`` as Slurm jobs: shards of extraction, shards of training, then the report."""
    from validation.pipeline import Resources, launch_study

    resources = Resources(cluster, logs, partition, timeout_min, cpus, memory_gb, gpus)
    last = launch_study(context.args, shards, resources)
    _say(as_json, {"output": last}, last)


def _extraction(
    captions: str,
    images: Path | None,
    incomplete: str,
    captions_each: int | None,
    chosen: Any,
    store: Path,
    progress: Progress,
    settings: Settings,
    part: Any,
) -> Any:
    from validation.corpus import read_corpus
    from validation.pipeline import features_of_images

    corpus = read_corpus(captions, images, incomplete)  # type: ignore[arg-type]
    if captions_each is not None:
        corpus = corpus.first_captions(captions_each)
    return features_of_images(corpus, chosen, store, progress, settings, part)


def _studies(
    seeds: int | None,
    sizes: str | None,
    heads: str | None,
    parts: str,
    ridge: float,
    test_pairs: int,
) -> tuple[Any, Any]:
    from validation.kernel import Study, parse_sizes

    kernel = Study(ridge=ridge, test_pairs=test_pairs)
    if sizes is not None:
        kernel = replace(kernel, sizes=parse_sizes(sizes))
    if seeds is not None:
        kernel = replace(kernel, seeds=seeds)
    if parts == "none":
        return kernel, None
    from validation.trained import TrainedStudy

    trained = TrainedStudy(test_pairs=test_pairs)
    if heads is not None:
        main = tuple(head for head in trained.main_heads if head in _names(heads))
        trained = replace(trained, heads=_names(heads), main_heads=main)
    if sizes is not None:
        trained = replace(trained, sizes=kernel.sizes)
    return kernel, trained if seeds is None else replace(trained, seeds=seeds)


def _check_proofs(sources: Any, unproved: bool) -> None:
    from validation.pipeline import prove_sources

    for name, proof in prove_sources(sources).items():
        if not proof.right and not unproved:
            raise InputError(f"features of {name} must have the published recall: {proof}")


def _named_files(entries: Sequence[str]) -> dict[str, Path]:
    files = {}
    for entry in entries:
        name, separator, path = entry.partition("=")
        if not (separator and name and path) or name in files:
            raise InputError(f"features must be NAME=FILE, each name once, got {entry!r}")
        files[name] = Path(path)
    return files


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _tell(as_json: bool, verdict: Verdict, said: list[str], only: str | None) -> None:
    lines = [*said, *verdict.said]
    for line in lines:
        typer.echo(line, err=True)
    if only == "train":
        _say(as_json, {"trained": True, "said": lines}, "trained")
        return
    record = {"page": str(verdict.page), "said": lines, "missing": list(verdict.missing)}
    names = "".join(f"\nmissing: {name}" for name in verdict.missing)
    _say(as_json, record, f"report: {verdict.page}{names}")


def _say(as_json: bool, record: dict[str, Any], text: str) -> None:
    typer.echo(json.dumps(record) if as_json else text)
