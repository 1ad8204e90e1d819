"""Which layout a corpus is in, by the content of its captions file and the names beside it."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fusiontheory.checks import InputError
from validation.corpus.caption_tables import JSON_LINES, SEPARATORS, read_table
from validation.corpus.coco import is_coco, read_coco
from validation.corpus.columns import find_columns, known_columns
from validation.corpus.corpus import Corpus
from validation.corpus.flickr_text import read_flickr_text, token_line
from validation.corpus.hugging_face import PREFIX, read_hugging_face
from validation.corpus.kaggle import read_kaggle
from validation.corpus.karpathy import read_karpathy
from validation.corpus.listing import Incomplete
from validation.corpus.text_file import read_lines, read_text

__all__ = ["Found", "Layout", "detect", "read_corpus"]

Layout = Literal["flickr-text", "kaggle", "karpathy", "coco", "table", "hugging-face"]

_READERS = {
    "flickr-text": read_flickr_text,
    "kaggle": read_kaggle,
    "karpathy": read_karpathy,
    "coco": read_coco,
    "table": read_table,
}
_PATTERNS = (
    "*.token.txt",
    "*.token",
    "captions.txt",
    "dataset*.json",
    "captions*.json",
    "*.parquet",
    "*.jsonl",
    "*.csv",
    "*.tsv",
)
_OBJECTS = re.compile(r"\s*\[\s*(\{|$)")
"""The start of a list of objects, as data frames are written."""
_HOMES = (".", "captions", "Flickr8k_text", "annotations")


@dataclass(frozen=True)
class Found:
    """A captions file, or the name of a data set, and its layout."""

    layout: Layout
    captions: str


def detect(path: str | Path) -> Found:
    """Return which layout a file, a folder or a name is.

    A file is judged by its content. In a folder, and in its folders captions, Flickr8k_text and
    annotations, the captions file is the first of these that is there: ``*.token.txt``,
    ``*.token``, ``captions.txt``, ``dataset*.json``, ``captions*.json``, ``*.parquet``,
    ``*.jsonl``, ``*.csv``, ``*.tsv``. A name is ``hf:owner/name``.

    Raises:
        InputError: if there is nothing, no captions file, several, or one in no known layout.

    >>> detect("hf:nlphuji/flickr30k")
    Found(layout='hugging-face', captions='nlphuji/flickr30k')
    """
    if str(path).startswith(PREFIX):
        name = str(path).removeprefix(PREFIX)
        if not name:
            raise InputError(f"captions must name a data set after {PREFIX}, got nothing")
        return Found("hugging-face", name)
    path = Path(path)
    if path.is_dir():
        path = _captions_file(path)
    elif not path.exists():
        hint = f"; {PREFIX}{path} names a data set of the Hugging Face hub"
        raise InputError(f"captions must be a file or a folder, got {path}, which is none{hint}")
    return Found(_layout_of_file(path), str(path))


def read_corpus(
    captions: str | Path, images: Path | None = None, incomplete: Incomplete = "refuse"
) -> Corpus:
    """Return a corpus in whichever layout it is; its reader warns of what it drops.

    Args:
        captions: file, folder or name, see `detect`.
        images: the image folder. None: looked for beside the captions file.
        incomplete: what becomes of captions without an image file and of images without
            captions: ``"refuse"`` or ``"drop"``.

    Raises:
        InputError: as `detect` and the reader of the layout do.

    Example:
        ``read_corpus("Flickr8k_text/Flickr8k.token.txt", Path("Flicker8k_Dataset"))``
    """
    corpus = detect(captions)
    if corpus.layout == "hugging-face":
        return read_hugging_face(corpus.captions, images, incomplete)
    return _READERS[corpus.layout](Path(corpus.captions), images, incomplete)


def _captions_file(folder: Path) -> Path:
    for pattern in _PATTERNS:
        candidates = sorted(file for home in _HOMES for file in (folder / home).glob(pattern))
        if len(candidates) > 1:
            names = ", ".join(str(file.relative_to(folder)) for file in candidates)
            raise InputError(
                f"captions must be one file, got {len(candidates)} in {folder}: {names};"
                " give one of them"
            )
        if candidates:
            return candidates[0]
    raise InputError(
        f"captions must be a folder with a captions file ({', '.join(_PATTERNS)}), got {folder},"
        " which has none; give the file itself"
    )


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:
        return [line]


def _layout_of_file(path: Path) -> Layout:
    if path.suffix in (".parquet", *JSON_LINES):
        return "table"
    if path.suffix == ".json":
        _, first = next(read_lines(path))
        if _OBJECTS.match(first):
            return "table"
        return "coco" if is_coco(read_text(path)) else "karpathy"
    _, first = next(read_lines(path))
    if token_line(first):
        return "flickr-text"
    if path.name == "captions.txt" and [k.strip() for k in first.split(",")] == [
        "image",
        "caption",
    ]:
        return "kaggle"
    headers = [_fields(first, separator) for separator in SEPARATORS]
    for header in headers:
        try:
            find_columns(header, str(path))
        except InputError:
            continue
        return "table"
    likeliest = max(headers, key=lambda header: (known_columns(header), len(header)))
    if len(likeliest) > 1 and known_columns(likeliest):
        find_columns(likeliest, str(path))  # says which column is missing
    if "://" in first:  # as of Conceptual Captions: caption, tab, address
        raise InputError(
            f"captions must name image files, got addresses on the web, {first[:60]!r} in {path};"
            " download the images, and save a CSV of the columns image (file name) and caption"
        )
    raise InputError(
        f"captions must start with a line name.jpg#0, tab, caption, or with a header that names"
        f" the columns image and caption, got {first[:60]!r} in {path}; add such a header"
    )
