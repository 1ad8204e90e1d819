"""Data sets of the Hugging Face hub, or of a folder in a form that its library reads.

The library is optional. Images inside a data set are written to files once, byte for byte.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.store import check_writable, write_atomically
from validation.corpus.columns import Columns, find_columns
from validation.corpus.corpus import Corpus
from validation.corpus.listing import Incomplete, Listing
from validation.corpus.splits import split_name

__all__ = ["PREFIX", "read_hugging_face"]

PREFIX = "hf:"
"""What marks the name of a data set where a path could stand."""

_IDENTITY = ("file_name", "filename", "image_id", "img_id", "cocoid", "id")
_ENDINGS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"RIFF": ".webp", b"GIF8": ".gif"}


def read_hugging_face(
    name: str, images: Path | None = None, incomplete: Incomplete = "refuse"
) -> Corpus:
    """Return the corpus of a data set, all its splits, and write its images to files.

    Columns are found by name (see `find_columns`); a column ``split`` goes before the data set's
    own splits. An image's id is the first of the columns file_name, filename, image_id, img_id,
    cocoid, id, or else split and row. Files that are already there with the same content stay.

    Args:
        name: such as ``nlphuji/flickr30k``, with or without ``hf:`` before it.
        images: folder for the image files. None: ``.cache/corpora/`` and the name.
        incomplete: see `Listing.corpus`.

    Raises:
        InputError: if the library is not installed, it cannot load the data set, a column is
            missing, one id has two images, or as `Listing.corpus` does.

    Example:
        ``read_hugging_face("hf:nlphuji/flickr30k", images=Path("flickr30k"))``
    """
    name = name.removeprefix(PREFIX)
    library = _library(name)
    folder = images or Path(".cache", "corpora", re.sub(r"[^\w.-]+", "--", name).strip("-."))
    check_writable("images", folder)
    listing = Listing(PREFIX + name)
    digests: dict[str, str] = {}
    allowed = _trusted_folders(library, name)
    for part, data in _load(library, name).items():
        columns = find_columns(list(data.column_names), f"{PREFIX}{name}, split {part}")
        identity = next((key for key in _IDENTITY if key in data.column_names), None)
        for row, entry in enumerate(_undecoded(library, data, columns, name)):
            place = f"{part} row {row}"
            label = part if columns.split is None else entry[columns.split]
            split = split_name(label, f"{PREFIX}{name} {place}")
            content = _content(entry[columns.image], allowed, place)
            key = f"{part}-{row:06d}" if identity is None else str(entry[identity])
            digest = hashlib.sha256(content).hexdigest()
            if digests.setdefault(key, digest) != digest:
                raise InputError(
                    f"column {identity} must tell images apart, got {key} for two of them"
                    f" ({PREFIX}{name} {place}); remove or rename the column"
                )
            # Named by hashes, so that no id can name a path and a file is known by its name.
            file = hashlib.sha256(key.encode()).hexdigest()
            path = f"{file[:2]}/{file[:20]}-{digest[:20]}{_ending(content)}"
            listing.add(key, path, _captions(entry, columns), split, place)
            if not (folder / path).is_file():
                write_atomically(folder / path, content)
    return listing.corpus(folder, incomplete, whole_folder=False)


def _library(name: str) -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise InputError(
            f"{PREFIX}{name} needs the package datasets, which is not installed; run"
            " pip install datasets, or give the path of files"
        ) from error


def _load(library: Any, name: str) -> Mapping[str, Any]:
    try:
        loaded = library.load_dataset(name)
    except Exception as error:  # the library raises many kinds, its own and its dependencies'
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(
            f"{PREFIX}{name} must be a data set that the package datasets can load, got {detail};"
            " check name and network"
        ) from error
    return dict(loaded)


def _undecoded(library: Any, data: Any, columns: Columns, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows with images as the bytes of their files, which decoding would lose."""
    try:
        yield from data.cast_column(columns.image, library.Image(decode=False))
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"column {columns.image} of {PREFIX}{name} must hold images: {error}; save them to"
            " files and give a table of paths"
        ) from error


def _content(image: Any, allowed: tuple[Path, ...], place: str) -> bytes:
    content, path = (image or {}).get("bytes"), (image or {}).get("path")
    if content:
        return bytes(content)
    if path:
        file = Path(path).resolve()
        if any(file.is_relative_to(folder) for folder in allowed) and file.is_file():
            return file.read_bytes()
        raise InputError(f"an image must be a file of the data set, got {path!r} ({place})")
    raise InputError(f"an image must not be missing, got none ({place}); filter the data set")


def _trusted_folders(library: Any, name: str) -> tuple[Path, ...]:
    """Return where a data set may have its files: the library's cache, or the folder it is."""
    cache = getattr(getattr(library, "config", None), "HF_CACHE_HOME", None)
    folders = [Path(cache).expanduser()] if cache else []
    if Path(name).is_dir():
        folders.append(Path(name))
    return tuple(folder.resolve() for folder in folders)


def _captions(entry: Mapping[str, Any], columns: Columns) -> list[Any]:
    captions: list[Any] = []
    for column in columns.captions:
        value = entry[column]
        captions += value if isinstance(value, list) else [value or ""]
    return captions


def _ending(content: bytes) -> str:
    return next((end for start, end in _ENDINGS.items() if content.startswith(start)), ".img")
