"""The commands ``extract``, ``merge`` and ``prove`` of ``python -m validation``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fusiontheory.console import grouped
from validation.commands.options import CAPTIONS, STORE, CaptionChoice, Decoding, Json, say

if TYPE_CHECKING:
    from validation.extract import Backbones, Merged

__all__ = ["extract", "merge", "prove"]


@dataclass(frozen=True)
class BackboneOptions:
    """Which backbones, and how they compute."""

    backbone: Annotated[str, typer.Option(help="Backbone of the images.")] = "clip-vit-b-32"
    text_backbone: Annotated[
        str | None,
        typer.Option(help="Backbone of the captions. [default: that of the images, or minilm]"),
    ] = None
    checkpoint: Annotated[Path | None, typer.Option(help="Local weights of --backbone.")] = None
    text_checkpoint: Annotated[
        Path | None, typer.Option(help="Local weights of --text-backbone.")
    ] = None
    tokens: Annotated[bool, typer.Option("--tokens", help="Tokens, not pooled vectors.")] = False
    context: Annotated[int | None, typer.Option(help="Cut captions to so many tokens.")] = None
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16, to compute in.")] = "float32"
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1.")] = "cpu"

    def backbones(self) -> Backbones:
        """Return both, not loaded yet."""
        from validation.extract import Backbones

        return Backbones(
            image=self.backbone,
            text=self.text_backbone,
            checkpoint=self.checkpoint,
            text_checkpoint=self.text_checkpoint,
            tokens=self.tokens,
            context=self.context,
            dtype=self.dtype,
            device=self.device,
        )


@dataclass(frozen=True)
class CacheOptions:
    """The cache of shards, and which part of it to make."""

    stored: Annotated[str, typer.Option(help="float32 or float16, in the cache.")] = "float32"
    cache: Annotated[Path, typer.Option(help="Folder of shards.")] = STORE / "features"
    shard: Annotated[str, typer.Option(help="Do only part i of N, as i/N; then merge.")] = "1/1"


@dataclass(frozen=True)
class FileOptions:
    """The features file."""

    align_images: Annotated[int, typer.Option(help="Training images to set apart, align.")] = 0
    out: Annotated[Path, typer.Option(help="Features file to write.")] = Path(
        "features.safetensors"
    )


@grouped
def extract(
    captions: Annotated[str, typer.Argument(help=CAPTIONS)],
    choice: CaptionChoice,
    options: BackboneOptions,
    decoding: Decoding,
    shards: CacheOptions,
    file: FileOptions,
    as_json: Json = False,
) -> None:
    """Images and captions to a features file. It goes on where it was interrupted.

    \b
    Example:
        python -m validation extract captions.txt --backbone resnet18 --out mine.safetensors
    """
    from validation.extract import Part, extract_part
    from validation.extract import merge as merge_parts

    part = Part.parse(shards.shard)
    settings = decoding.settings(shards.stored)
    # Everything is looked at before a network is loaded.
    corpus = choice.read(captions)
    listed = extract_part(corpus, options.backbones(), shards.cache, settings, part)
    merged = merge_parts([listed], file.out, file.align_images) if part.of == 1 else None
    _say_merged(as_json, merged, listed)


@grouped
def merge(
    parts: Annotated[list[Path], typer.Argument(help="Lists that extract --shard left.")],
    file: FileOptions,
    as_json: Json = False,
) -> None:
    """Put the parts of an extraction into one features file. They are checked.

    \b
    Example:
        python -m validation merge PART PART --out mine.safetensors
    """
    from validation.extract import merge as merge_parts

    _say_merged(as_json, merge_parts(parts, file.out, file.align_images), None)


def prove(
    features: Annotated[Path, typer.Argument(help="File that extract wrote.")],
    as_json: Json = False,
) -> None:
    """Hold the recall of CLIP against published figures. Status 1 if off.

    \b
    Example:
        python -m validation prove clip.safetensors
    """
    from validation.extract import prove_file

    proof = prove_file(features)
    record = {
        "right": proof.right,
        "measured": dict(proof.measured),
        "published": dict(proof.published),
        "faults": list(proof.faults),
    }
    say(as_json, record, str(proof))
    if not proof.right:
        raise typer.Exit(1)


def _say_merged(as_json: bool, merged: Merged | None, part: Path | None) -> None:
    if merged is None:
        say(as_json, {"part": str(part)}, f"{part}: give the lists of all parts to merge")
        return
    for name, reason in merged.skipped:
        typer.echo(f"left out {name}: {reason}", err=True)
    record = {"features": str(merged.path), "images": merged.images, "skipped": merged.skipped}
    record["transparent"] = merged.transparent
    left_out = f", {len(merged.skipped)} left out" if merged.skipped else ""
    if merged.transparent:
        left_out += f", {merged.transparent} of them transparent and put on white"
    say(as_json, record, f"{merged.path}: {merged.images} images{left_out}")
