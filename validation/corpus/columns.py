"""Which columns of a table hold image, captions and split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fusiontheory.checks import InputError

__all__ = ["Columns", "find_columns", "known_columns"]

_IMAGE = (
    "image_path",
    "filepath",
    "file_path",
    "path",
    "image",
    "image_name",
    "file_name",
    "filename",
    "file",
    "img_path",
    "img",
    "image_file",
    "image_filename",
    "img_name",
    "image_id",
)
_CAPTION = (
    "caption",
    "captions",
    "text",
    "sentence",
    "sentences",
    "comment",
    "raw",
    "title",
    "description",
    "caption_text",
)
_NUMBERED = re.compile(r"caption_?\d+")
_SPLIT = "split"


@dataclass(frozen=True)
class Columns:
    """Names of columns, as the table has them.

    Attributes:
        image: path of the image file, or the image itself.
        captions: one column, or several of one caption each.
        split: None if the table has none.
    """

    image: str
    captions: tuple[str, ...]
    split: str | None


def known_columns(names: Sequence[str]) -> int:
    """Return how many columns have a name that is known here, for images, captions or splits.

    >>> known_columns(["Filename", "headline", "split"])
    2
    """
    plain = [name.strip().lower() for name in names]
    known = {*_IMAGE, *_CAPTION, _SPLIT}
    return sum(name in known or _NUMBERED.fullmatch(name) is not None for name in plain)


def find_columns(names: Sequence[str], where: str) -> Columns:
    """Return which of the columns are which, by their names, whatever their case.

    Args:
        names: of all columns.
        where: what errors call the table.

    Raises:
        InputError: if there is no column for the image or none for captions.

    >>> find_columns(["Image", "caption_0", "caption_1", "id"], "a.csv")
    Columns(image='Image', captions=('caption_0', 'caption_1'), split=None)
    """
    plain = {name.strip().lower(): name for name in reversed(names)}
    image = next((plain[name] for name in _IMAGE if name in plain), None)
    caption = next((plain[name] for name in _CAPTION if name in plain), None)
    numbered = tuple(name for name in names if _NUMBERED.fullmatch(name.strip().lower()))
    captions = (caption,) if caption is not None else numbered
    if image is None or not captions:
        wanted, known = ("image", _IMAGE) if image is None else ("caption", _CAPTION)
        raise InputError(
            f"columns must include one of {', '.join(known)} for the {wanted}, got"
            f" {', '.join(map(repr, names))} ({where}); rename the column"
        )
    return Columns(image, captions, plain.get(_SPLIT))
