"""Options that commands share, and what makes a command of a function of few settings objects."""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

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
    "grouped",
    "say",
]

_Returned = TypeVar("_Returned")

STORE = Path(".cache")
OUT = Path("report")
DEVICE = "cpu; cuda, every GPU; cuda:1, that one; auto, every GPU or else the processor."
PRECISION = "Of kernel ridge on a device: float64, or mixed, float32 refined to float64."
CAPTIONS = "Captions file, its folder, or hf:NAME of a data set."

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def grouped(function: Callable[..., _Returned]) -> Callable[..., _Returned]:
    """Return the function with the fields of its dataclass parameters as its own parameters.

    A parameter annotated with a dataclass is replaced by the dataclass's fields: a field's
    annotation, such as ``Annotated[int, typer.Option(help=...)]``, and its default become those of
    a keyword parameter of the field's name, which is all that typer looks at. At the call the
    dataclasses are built again, in the order of the parameters.

    Raises:
        TypeError: if two groups, or a group and the function, have a parameter of one name.

    >>> @dataclass(frozen=True)
    ... class Numbers:
    ...     seeds: int = 10
    >>> @grouped
    ... def run(numbers: Numbers, quiet: bool = False) -> object:
    ...     return numbers, quiet
    >>> list(inspect.signature(run).parameters), run(seeds=3)
    (['seeds', 'quiet'], (Numbers(seeds=3), False))
    """
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, type] = {}
    flat: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind = hints[name]
        if is_dataclass(kind) and isinstance(kind, type):
            groups[name] = kind
            annotations = get_type_hints(kind, include_extras=True)
            flat += [_parameter(one, annotations[one.name]) for one in fields(kind)]
        else:
            flat.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))
    names = [parameter.name for parameter in flat]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TypeError(f"{function.__name__} has {', '.join(twice)} twice among its options")

    @functools.wraps(function)
    def command(**given: Any) -> _Returned:
        built = {
            name: kind(**{f.name: given.pop(f.name) for f in fields(kind) if f.name in given})
            for name, kind in groups.items()
        }
        return function(**built, **given)

    # What typer reads: the signature of all options, and the types by name.
    returned = hints.get("return", inspect.Signature.empty)
    signature = inspect.Signature(flat, return_annotation=returned)
    vars(command)["__signature__"] = signature
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
    return command


def _parameter(field: Field[Any], annotation: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


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
