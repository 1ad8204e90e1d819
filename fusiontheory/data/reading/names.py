"""Which arrays of a file are image, text, ids and split, by the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.data.reading.stored import Stored

__all__ = [
    "UNNAMED",
    "Chosen",
    "choose_one",
    "choose_pair",
    "is_id",
    "is_label",
    "is_mask",
    "is_split",
    "names_side",
    "speaks_of_text",
]

UNNAMED = ("arr_0", "arr_1")
"""What numpy.savez calls arrays without names, in their order."""

_WHAT = r"([_ ]?(feature|feat|embedding|embed|emb|vector|vec)s?)?([_ ]?\d+)?"
_SIDES = {
    "image": re.compile(rf"(images?|imgs?|visual|vision|vis|v){_WHAT}"),
    "text": re.compile(rf"(texts?|textual|txts?|captions?|sentences?|language|lang|t){_WHAT}"),
}
_WORDS = {
    "image": re.compile(r"(?:.*_)?(images?|imgs?|visual|vision)(?:_.*)?"),
    "text": re.compile(r"(?:.*_)?(texts?|txts?|captions?|sentences?)(?:_.*)?"),
}
"""Of names that say more than that, such as clip_image or features/text."""
_ID = re.compile(
    r"(?!(class|label|category|target)_)(\w+_)?(ids?|uids?|uuids?|keys?|names?|paths?|urls?|barcodes?"
    r"|(file)_?(names?|paths?)|files?|index|images?)|(image|img|sample|item)(id|name|path|file)s?"
)
_LABEL = re.compile(r"(labels?|targets?|class(es)?|y|category|categories|attributes?)")
_TOLD = 8  # names in an error
_SPLIT = re.compile(r"(\w+_)?splits?(_names?)?|folds?|partitions?|subsets?|sets?")
_MASK = re.compile(
    r"(is_?|in_?)?(train|training|test|testing|val|valid|validation|dev)(_?(set|split|mask|idx|ind|index|indices))?"
)


@dataclass(frozen=True)
class Chosen:
    """Names of the arrays to use, and those of the others.

    Attributes:
        image: of the image vectors; None where the file has only text.
        text: of the text vectors; None likewise.
        ids: of the names of rows; None if there are none.
        split: of the splits; None if there are none.
        unused: all others.
        text_ids: of the names of the rows of text, or of places of images, where these are more.
    """

    image: str | None
    text: str | None
    ids: str | None = None
    split: str | None = None
    unused: tuple[str, ...] = field(default_factory=tuple)
    text_ids: str | None = None


@checked
def is_id(name: str) -> bool:
    """Return whether a name is one that people give to the names of rows.

    >>> is_id("image_path"), is_id("Filename"), is_id("caption"), is_id("class_name")
    (True, True, False, False)
    """
    return _ID.fullmatch(_plain(name)) is not None


@checked
def is_split(name: str) -> bool:
    """Return whether a name is one of a column of splits.

    >>> is_split("split"), is_split("group_split"), is_split("train_split")
    (True, True, False)
    """
    return not is_mask(name) and _SPLIT.fullmatch(_plain(name)) is not None


def is_mask(name: str) -> bool:
    """Return whether a name is one of a column that says which rows are in one split.

    >>> is_mask("is_train"), is_mask("val_mask"), is_mask("caption")
    (True, True, False)
    """
    return _MASK.fullmatch(_plain(name)) is not None


def is_label(name: str) -> bool:
    """Return whether a name is one of a column of labels."""
    return _LABEL.fullmatch(_plain(name)) is not None


def names_side(name: str) -> bool:
    """Return whether a name is one of image or text vectors."""
    exact = any(pattern.fullmatch(_plain(name)) for pattern in _SIDES.values())
    return exact or any(_speaks(name, side) for side in _SIDES)


def speaks_of_text(name: str) -> bool:
    """Return whether a word of a name is one of text, and none of image, as in caption_ids."""
    return _speaks(name, "text")


def choose_pair(
    path: Path, arrays: Mapping[str, Stored], image: str | None = None, text: str | None = None
) -> Chosen:
    """Return which arrays of a file with both sides to use.

    Args:
        path: of the file, for errors.
        arrays: by name.
        image: name of the image array; None to find it.
        text: likewise.

    Raises:
        InputError: if one is missing, or several could be it.
    """
    chosen = {side: _side(path, arrays, side, name) for side, name in _asked(image, text)}
    missing = [side for side, name in chosen.items() if name is None]
    if len(missing) == 2 and set(arrays) == set(UNNAMED):
        chosen, missing = dict(zip(missing, UNNAMED, strict=True)), []
    if len(missing) == 1 and "" in arrays and _is_vectors(arrays[""]):
        chosen[missing.pop()] = ""  # such as X of AnnData beside one modality of obsm
    if missing:
        _check_not_all_text(path, arrays)
        raise InputError(
            "path must hold the arrays image and text, or others that --image-key and --text-key"
            f" name, got {path} without {' and '.join(missing)}; it holds {_held(arrays)}"
        )
    return _with_rest(arrays, chosen["image"], chosen["text"])


def choose_one(
    path: Path, arrays: Mapping[str, Stored], side: str, name: str | None = None
) -> Chosen:
    """Return which array of a file of one side to use: the one of its name, or the only one.

    Raises:
        InputError: if there is none, or several could be it.
    """
    chosen = _side(path, arrays, side, name)
    vectors = [key for key, stored in arrays.items() if _is_vectors(stored)]
    intact = chosen is None or arrays[chosen].problem is None
    if name is None and len(vectors) == 1 and chosen not in vectors and intact:
        chosen = vectors[0]  # such as an embedding beside the text that it is of
    if chosen is None:
        _check_not_all_text(path, arrays)
        loose = [key for key, stored in arrays.items() if not (is_id(key) or is_split(key))]
        candidates = [""] if "" in vectors else vectors or loose
        if len(candidates) != 1:
            raise InputError(
                f"{side} must be the one array of {path.name} or be named so, got {_held(arrays)};"
                f" name it with --{side}-key"
            )
        chosen = candidates[0]
    return _with_rest(arrays, *((chosen, None) if side == "image" else (None, chosen)))


def _check_not_all_text(path: Path, arrays: Mapping[str, Stored]) -> None:
    """Refuse a file of paths and captions, as a corpus is: vectors are wanted."""
    if any(arrays) and all(one.dtype.startswith(("str", "bytes")) for one in arrays.values()):
        name = sorted(filter(None, arrays))[0]
        values = arrays[name].fetch().ravel()
        raise InputError(
            f"path must hold vectors, got {path}, in which {_held(arrays)} hold text, such as"
            f" {str(values[0])[:40] if values.size else ''!r}; write numbers, or encode images and"
            " captions first, as python -m validation extract does"
        )


def _asked(image: str | None, text: str | None) -> list[tuple[str, str | None]]:
    return [("image", image), ("text", text)]


def _side(path: Path, arrays: Mapping[str, Stored], side: str, name: str | None) -> str | None:
    if name is not None:
        if name not in arrays:
            raise InputError(
                f"--{side}-key must name an array of {path}, got {name}; it holds {_held(arrays)}"
            )
        return name
    pattern = _SIDES[side]
    likely = [
        key for key, one in arrays.items() if _is_vectors(one) and pattern.fullmatch(_plain(key))
    ]
    if side in likely:
        return side
    if not likely:
        likely = [key for key, one in arrays.items() if _is_vectors(one) and _speaks(key, side)]
    if not likely and side in arrays:
        return side  # of another shape or type, which reading it says
    if not likely:  # whose type cannot be read, which reading it says
        held = [key for key, one in arrays.items() if one.problem is not None]
        likely = [key for key in held if pattern.fullmatch(_plain(key)) or _speaks(key, side)]
    if len(likely) > 1:
        raise InputError(
            f"{side} must be one array, got {', '.join(likely)} in {path}; choose with --{side}-key"
        )
    return likely[0] if likely else None


def _with_rest(arrays: Mapping[str, Stored], image: str | None, text: str | None) -> Chosen:
    sides = [side for side in (image, text) if side is not None]
    scales = {f"{side}_scale" for side in sides}
    rest = [key for key in arrays if key not in sides and key not in scales]
    named = [k for k in ("ids", *rest) if k in rest and _is_row(arrays[k]) and is_id(k)]
    if len(sides) == 2:  # one file, whose rows belong together without names as well
        named = [key for key in named if arrays[key].problem is None]
    n, m = (_length(arrays, side) for side in (sides[0], sides[-1]))
    ids = next((key for key in named if _length(arrays, key) == n), None)
    text_ids = next((key for key in named if _length(arrays, key) == m != n), None)
    if ids is None and text_ids is None:  # of another length, which is refused when it is read
        ids = next(iter(named), None)
    split = next((key for key in rest if _is_row(arrays[key]) and is_split(key)), None)
    unused = tuple(key for key in rest if key not in (ids, text_ids, split))
    return Chosen(image, text, ids, split, unused, text_ids)


def _speaks(name: str, side: str) -> bool:
    """Return whether a word of a name is one of this side, and none of the other."""
    sides = [which for which, words in _WORDS.items() if words.fullmatch(_plain(name))]
    return sides == [side]


def _held(arrays: Mapping[str, Stored]) -> str:
    names = sorted(filter(None, arrays))
    more = f" and {len(names) - _TOLD} others" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more or "none"


def _length(arrays: Mapping[str, Stored], name: str) -> int:
    return (*arrays[name].shape, 0)[0]


def _is_vectors(stored: Stored) -> bool:
    return len(stored.shape) >= 2 and stored.numeric


def _is_row(stored: Stored) -> bool:
    return len(stored.shape) == 1 or (len(stored.shape) == 2 and stored.shape[1] == 1)


def _plain(name: str) -> str:
    return re.sub(r"[\s\-./]+", "_", name.strip().lower())
