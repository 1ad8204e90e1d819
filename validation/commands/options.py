"""Options that commands share."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from validation.corpus import Corpus
    from validation.extract import Settings

__all__ = [
    "CAPTIONS",
    "DEVICE",
    "OUT",
    "PRECISION",
    "STORE",
    "CaptionChoice",
    "CorpusChoice",
    "Decoding",
    "Json",
    "cores",
    "say",
]

STORE = Path(".cache")
OUT = Path("report")
DEVICE = "cpu; cuda, every GPU; cuda:1, that one; auto, every GPU or else the processor."
PRECISION = "Of kernel ridge on a device: float64, or mixed, float32 refined to float64."
CAPTIONS = "Captions file, its folder, or hf:NAME of a data set."

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def say(as_json: bool, record: Mapping[str, Any], text: str) -> None:
    """Print what a command leaves: the record in JSON, or the text."""
    typer.echo(json.dumps(record) if as_json else text)


def cores(number: int | None) -> int:
    """Return a number of processes; None: one for each core.

    >>> cores(3)
    3
    """
    return os.cpu_count() or 1 if number is None else number


@dataclass(frozen=True)
class CorpusChoice:
    """Which images belong to captions, and what becomes of those without the other."""

    images: Annotated[
        Path | None, typer.Option(help="Image folder. [default: looked for beside the captions]")
    ] = None
    incomplete: Annotated[
        str, typer.Option(help="Captions without image, images without captions: refuse or drop.")
    ] = "refuse"

    def read(self, captions: str) -> Corpus:
        """Read the corpus.

        Raises:
            InputError: as `validation.corpus.read_corpus` does.
        """
        from validation.corpus import read_corpus

        return read_corpus(captions, self.images, self.incomplete)  # type: ignore[arg-type]


@dataclass(frozen=True)
class CaptionChoice(CorpusChoice):
    """The same, and how many captions of each image."""

    captions_each: Annotated[
        int | None, typer.Option(help="Use the first so many captions of each image.")
    ] = None

    def read(self, captions: str) -> Corpus:
        """Read the corpus, with as many captions as are wanted.

        Raises:
            InputError: as `validation.corpus.read_corpus` and `Corpus.first_captions` do.
        """
        corpus = super().read(captions)
        return corpus if self.captions_each is None else corpus.first_captions(self.captions_each)


@dataclass(frozen=True)
class Decoding:
    """How an extraction goes about its images."""

    batch: Annotated[int, typer.Option(help="Images or captions at once.")] = 64
    shard_images: Annotated[int, typer.Option(help="Images in a shard of the cache.")] = 256
    workers: Annotated[
        int | None, typer.Option(help="Processes that decode. [default: one a core]")
    ] = None
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at an image that cannot be read.")
    ] = False

    def settings(self, stored: str = "float32") -> Settings:
        """Return the settings of an extraction that stores its features as ``stored``.

        Raises:
            InputError: as `validation.extract.Settings` does.
        """
        from validation.extract import Settings

        number = cores(self.workers)
        return Settings(self.batch, self.shard_images, number, stored, self.strict)
