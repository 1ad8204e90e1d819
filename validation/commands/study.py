"""The commands ``study``, ``arrays`` and ``launch`` of ``python -m validation``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fusiontheory.checks import InputError
from fusiontheory.console import grouped, progress_bar
from validation.commands.options import (
    CAPTIONS,
    DEVICE,
    OUT,
    PRECISION,
    CaptionChoice,
    Decoding,
    Json,
    cores,
    say,
)

if TYPE_CHECKING:
    from fusiontheory.parallel import Part
    from validation.extract import Backbones
    from validation.kernel import Study
    from validation.pipeline import Plan, Source, Verdict
    from validation.trained import TrainedStudy

__all__ = ["arrays", "launch", "study"]

_STAGES = ("extract", "train", "report")


@dataclass(frozen=True)
class Conditions:
    """What the conditions are: backbones of one corpus, or features files."""

    captions: Annotated[str | None, typer.Option(help=CAPTIONS)] = None
    backbone: Annotated[
        list[str] | None, typer.Option(help="A condition of this name each; repeat it.")
    ] = None
    features: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE instead of images; repeat it.")
    ] = None
    checkpoint: Annotated[
        list[str] | None, typer.Option(help="NAME=PATH: local weights of a backbone; repeat it.")
    ] = None
    text_backbone: Annotated[
        str | None, typer.Option(help="Of captions, beside image backbones. [default: minilm]")
    ] = None
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16, to compute in.")] = "float32"
    device: Annotated[
        str | None, typer.Option(help=f"{DEVICE} [default: cpu, and NumPy for kernel heads]")
    ] = None
    precision: Annotated[str, typer.Option(help=PRECISION)] = "float64"
    split_seed: Annotated[
        int | None, typer.Option(help="Split by image anew. [default: the corpus's splits, or 0]")
    ] = None

    def check(self) -> None:
        """Refuse both kinds of conditions, and none.

        Raises:
            InputError: naming both.
        """
        if bool(self.features) == bool(self.captions):
            raise InputError("captions must be given, or features as NAME=FILE, and not both")

    def files(self) -> dict[str, Path]:
        """Return the features files by name.

        Raises:
            InputError: if one is not NAME=FILE, or a name repeats.
        """
        files: dict[str, Path] = {}
        for entry in self.features or []:
            name, separator, path = entry.partition("=")
            if not (separator and name and path) or name in files:
                raise InputError(f"features must be NAME=FILE, each name once, got {entry!r}")
            files[name] = Path(path)
        return files

    def devices(self) -> tuple[str, ...]:
        """Return the devices by their own names; none: the processor, and NumPy.

        Raises:
            InputError: if one is not there.
        """
        from fusiontheory.solvers import devices

        return () if self.device is None else tuple(devices(self.device))

    def backbones(self) -> dict[str, Backbones]:
        """Return the backbones by name.

        Raises:
            InputError: as `validation.pipeline.chosen_backbones` does.
        """
        from validation.pipeline import chosen_backbones

        return chosen_backbones(
            self.backbone or ["clip-vit-b-32"],
            self.text_backbone,
            self.checkpoint or [],
            self.dtype,
            (*self.devices(), "cpu")[0],
        )


@dataclass(frozen=True)
class Numbers:
    """The numbers of both studies, and which trained heads."""

    seeds: Annotated[int | None, typer.Option(help="Seeds. [default: 10, of trained 5]")] = None
    sizes: Annotated[
        str | None, typer.Option(help="Numbers of training pairs. [default: those of the studies]")
    ] = None
    heads: Annotated[
        str | None, typer.Option(help="Trained heads, with commas. [default: all]")
    ] = None
    parts: Annotated[str, typer.Option(help="Of the study of trained heads, or none.")] = "grid"
    ridge: Annotated[
        str, typer.Option(help="delta of K + delta I: a number, or each head's best.")
    ] = "best"
    test_pairs: Annotated[int, typer.Option(help="Number of test pairs, at most.")] = 10_000

    def kernel(self) -> Study:
        """Return the study of kernel heads.

        Raises:
            InputError: as `validation.kernel.Study` does.
        """
        from validation.kernel import Study, parse_ridge, parse_sizes

        study = Study(ridge=parse_ridge(self.ridge), test_pairs=self.test_pairs)
        if self.sizes is not None:
            study = replace(study, sizes=parse_sizes(self.sizes))
        return study if self.seeds is None else replace(study, seeds=self.seeds)

    def trained(self) -> TrainedStudy | None:
        """Return the study of trained heads; None if there is none.

        Raises:
            InputError: as `validation.trained.TrainedStudy` does.
        """
        if self.parts == "none":
            return None
        from validation.kernel import parse_sizes
        from validation.trained import TrainedStudy

        study = TrainedStudy(test_pairs=self.test_pairs)
        if self.heads is not None:
            chosen = _names(self.heads)
            main = tuple(head for head in study.main_heads if head in chosen)
            study = replace(study, heads=chosen, main_heads=main)
        if self.sizes is not None:
            study = replace(study, sizes=parse_sizes(self.sizes))
        return study if self.seeds is None else replace(study, seeds=self.seeds)


@dataclass(frozen=True)
class Work:
    """Which stages of the work, how, and where its results go."""

    aligned: Annotated[
        str | None, typer.Option(help="Condition of the published claims. [default: CLIP's]")
    ] = None
    jobs: Annotated[int | None, typer.Option(help="Processes. [default: one a core]")] = None
    only: Annotated[
        str | None, typer.Option(help="extract, train or report. [default: all of them]")
    ] = None
    shard: Annotated[str, typer.Option(help="Part i of N, as i/N, of --only extract or train.")] = (
        "1/1"
    )
    unproved: Annotated[
        bool, typer.Option("--unproved", help="Go on where recall is not the published one.")
    ] = False
    store: Annotated[Path, typer.Option(help="Folder of shards and records.")] = Path(".cache/raw")
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = OUT

    def part(self) -> Part:
        """Return the part, if the stages are such as have parts.

        Raises:
            InputError: for an unknown stage or part, or a part of a stage that has none.
        """
        from fusiontheory.parallel import Part

        part = Part.parse(self.shard)
        if self.only is not None and self.only not in _STAGES:
            raise InputError(f"only must be one of {', '.join(_STAGES)}, got {self.only!r}")
        if part.of > 1 and self.only not in ("extract", "train"):
            raise InputError("shard must be given with --only extract or --only train")
        return part

    def plan(self, numbers: Numbers, conditions: Conditions) -> Plan:
        """Return what is done once there are features.

        Raises:
            InputError: as `part`, `Numbers` and `Conditions.devices` do.
        """
        from fusiontheory.parallel import Part
        from validation.pipeline import Plan

        part, devices = self.part(), conditions.devices()
        precision = conditions.precision if devices else None
        return Plan(
            study=replace(numbers.kernel(), precision=precision),
            trained=numbers.trained(),
            parts=_names(numbers.parts),
            aligned=self.aligned,
            jobs=cores(self.jobs),
            part=part if self.only == "train" else Part(),
            only=self.only,
            devices=devices,
        )


@grouped
def study(
    conditions: Conditions,
    choice: CaptionChoice,
    decoding: Decoding,
    numbers: Numbers,
    work: Work,
    as_json: Json = False,
) -> None:
    """From images and captions, or features, to the report. It goes on where it stopped.

    \b
    Examples:
        python -m validation study --features mine=mine.safetensors
        python -m validation study --images DIR --captions FILE --backbone resnet18
    """
    from validation.pipeline import features_of_images, read_sources, study_features

    part = work.part()
    conditions.check()
    plan = work.plan(numbers, conditions)
    said: list[str] = []
    with progress_bar() as progress:
        files: Mapping[str, Path] = conditions.files()
        if not files:
            chosen = conditions.backbones()
            settings, corpus = decoding.settings(), choice.read(str(conditions.captions))
            share = part if work.only == "extract" else None
            extracted = features_of_images(corpus, chosen, work.store, progress, settings, share)
            files, said = extracted.files, list(extracted.skipped)
            if work.only == "extract":
                names = ", ".join(chosen)
                record = {"extracted": names, "part": work.shard}
                say(as_json, record, f"part {work.shard} of {names}")
                return
        sources, drawn = read_sources(files, conditions.split_seed)
        said += drawn
        if not work.unproved:
            _check_proofs(sources)
        verdict = study_features(sources, work.store, work.out, progress, plan)
    _tell(as_json, verdict, said, work.only)


@dataclass(frozen=True)
class ArrayFiles:
    """The files of arrays, what belongs to them, and the features file to write."""

    image: Annotated[Path, typer.Option(help=".npy, .npz, .csv, .pt and others, (n, d).")]
    text: Annotated[Path, typer.Option(help="Likewise, (n, captions, d) or (n, d).")]
    out: Annotated[Path, typer.Option(help="Features file to write, .safetensors.")]
    ids: Annotated[
        Path | None, typer.Option(help="A name a line, or a CSV. [default: row numbers]")
    ] = None
    text_ids: Annotated[
        Path | None, typer.Option(help="Names of the rows of text, to join by name.")
    ] = None
    split: Annotated[
        Path | None, typer.Option(help="File of id and split, or folder of the official lists.")
    ] = None
    seed: Annotated[
        int | None, typer.Option(help="Split by image with this seed. [default: no splits]")
    ] = None
    name: Annotated[str | None, typer.Option(help="Of the features, for people.")] = None
    image_key: Annotated[str | None, typer.Option(help="Array of --image, of several.")] = None
    text_key: Annotated[str | None, typer.Option(help="Array of --text, of several.")] = None
    missing: Annotated[
        str, typer.Option(help="Rows that are zero or not finite: refuse, or drop.")
    ] = "refuse"

    def check(self) -> None:
        """Refuse two ways to split.

        Raises:
            InputError: if there is a seed beside a split file.
        """
        if self.split is not None and self.seed is not None:
            raise InputError("seed must not be given beside a split file; choose one of the two")


@grouped
def arrays(files: ArrayFiles, as_json: Json = False) -> None:
    """Plain arrays of embeddings to a features file, checked.

    \b
    Example:
        python -m validation arrays --image v.npy --text t.npy --seed 0 --out mine.safetensors
    """
    from fusiontheory.data import Reading
    from validation.pipeline import arrays_file

    files.check()
    done = arrays_file(
        files.image,
        files.text,
        files.ids,
        files.out,
        text_ids=files.text_ids,
        split=files.seed if files.split is None else files.split,
        name=files.name,
        reading=Reading(files.image_key, files.text_key, files.missing),
    )
    features = done.features
    d_v, d_t = features.image.shape[-1], features.text.shape[-1]
    record = {"features": str(done.path), "images": len(features), "left_out": done.left_out}
    rest = f", {done.left_out} rows of text of no image left out" if done.left_out else ""
    what = f"{len(features)} images, {features.text.shape[1]} captions each, {d_v} + {d_t}"
    say(as_json, record, f"{done.path}: {what} dimensions{rest}")


@dataclass(frozen=True)
class JobOptions:
    """What a job gets."""

    cluster: Annotated[str, typer.Option(help="slurm, or local to try it here.")] = "slurm"
    logs: Annotated[Path, typer.Option(help="Folder of logs.")] = Path(".cache/launch")
    partition: Annotated[str | None, typer.Option(help="Of Slurm.")] = None
    timeout_min: Annotated[int, typer.Option(help="Minutes of a job.")] = 240
    cpus: Annotated[int, typer.Option(help="Cores of a job.")] = 4
    memory_gb: Annotated[int, typer.Option(help="Memory of a job.")] = 16
    gpus: Annotated[int, typer.Option(help="GPUs of a job.")] = 0


@grouped
def launch(
    context: typer.Context,
    options: JobOptions,
    shards: Annotated[int, typer.Option(help="Jobs of each stage.")] = 4,
    as_json: Json = False,
) -> None:
    """Run ``study`` as Slurm jobs. Shards of extraction, shards of training, then the report.

    \b
    Example:
        python -m validation launch --shards 4 --images DIR --captions FILE --backbone resnet18
    """
    from validation.pipeline import Resources, launch_study

    last = launch_study(context.args, shards, Resources(**vars(options)))
    say(as_json, {"output": last}, last)


def _check_proofs(sources: Mapping[str, Source]) -> None:
    from validation.pipeline import prove_sources

    for name, proof in prove_sources(sources).items():
        if not proof.right:
            raise InputError(f"features of {name} must have the published recall: {proof}")


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _tell(as_json: bool, verdict: Verdict, said: list[str], only: str | None) -> None:
    lines = [*said, *verdict.said]
    for line in lines:
        typer.echo(line, err=True)
    if only == "train":
        say(as_json, {"trained": True, "said": lines}, "trained")
        return
    record = {"page": str(verdict.page), "said": lines, "missing": list(verdict.missing)}
    names = "".join(f"\nmissing: {name}" for name in verdict.missing)
    say(as_json, record, f"report: {verdict.page}{names}")
