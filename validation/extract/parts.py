"""What a run leaves behind: a list of the shards of its part, for the merge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.store import read_bytes, write_atomically

__all__ = ["PartList", "ShardEntry", "read_part", "write_part"]


@dataclass(frozen=True)
class ShardEntry:
    """One shard of a part.

    Attributes:
        number: of the shard in the corpus.
        ids: of its images, those left out included.
        split: of each image, None for those in no split.
        image: file of the image features, relative to the cache.
        text: file of the caption features, likewise.
    """

    number: int
    ids: list[str]
    split: list[str | None]
    image: str
    text: str


@dataclass(frozen=True)
class PartList:
    """The shards of a part, and what has to agree between parts.

    Attributes:
        name: of the corpus, for people.
        captions: fingerprint of all ids and captions of the corpus.
        images: fingerprint of the sizes of all its image files, which tells a resized copy.
        index: of the part, from 1.
        of: number of parts.
        shards: number of shards in the corpus.
        image: recipe of the image features.
        text: recipe of the caption features.
        versions: of the libraries that computed it.
        entries: the shards.
    """

    name: str
    captions: str
    images: str
    index: int
    of: int
    shards: int
    image: dict[str, Any]
    text: dict[str, Any]
    versions: dict[str, str]
    entries: list[ShardEntry]


def write_part(path: Path, part: PartList) -> Path:
    """Write a list and return its path.

    Raises:
        InputError: if the folder cannot be written to.
    """
    return write_atomically(path, json.dumps(asdict(part), indent=1, sort_keys=True).encode())


def read_part(path: Path) -> PartList:
    """Read a list.

    Raises:
        InputError: if the file is not there or is none.
    """
    try:
        content: Mapping[str, Any] = json.loads(read_bytes(path))
        entries = [ShardEntry(**entry) for entry in content["entries"]]
        return PartList(**{**content, "entries": entries})
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"part must be a list that extract wrote, got {path} ({type(error).__name__});"
            " run that part again"
        ) from error
