"""Splits of an image corpus: their names in other people's files, and the official lists."""

from __future__ import annotations

from pathlib import Path

from fusiontheory.checks import InputError
from fusiontheory.data import OTHER_NAMES, SPLITS
from validation.corpus.text_file import read_lines

__all__ = ["official_splits", "split_lists", "split_name"]

_LISTED = ("train", "dev", "test")


def split_name(name: str | None, where: str) -> str | None:
    """Return the project's name of a split; None for a blank one, of an image in no split.

    ``val`` and ``validation`` are dev. ``restval``, the rest of COCO's validation images in the
    Karpathy split, is train, as is usual with that split.

    Args:
        name: as a file has it.
        where: what errors call the place of it.

    Raises:
        InputError: if the name is unknown.

    >>> split_name("Validation", "line 2"), split_name("restval", "line 3"), split_name("", "")
    ('dev', 'train', None)
    """
    plain = (name or "").strip().lower()
    if not plain:
        return None
    known = OTHER_NAMES.get(plain, plain)
    if known not in SPLITS:
        names = ", ".join([*SPLITS, *OTHER_NAMES])
        raise InputError(f"split must be among {names} or blank, got {name!r} ({where})")
    return known


def split_lists(folder: Path) -> dict[str, Path]:
    """Return the paths of the three official lists of image names, whether they exist or not.

    >>> split_lists(Path("captions"))["dev"].name
    'Flickr_8k.devImages.txt'
    """
    return {part: folder / f"Flickr_8k.{part}Images.txt" for part in _LISTED}


def official_splits(folder: Path) -> dict[str, str]:
    """Return the split of each image in the official lists of a folder; empty without lists.

    Raises:
        InputError: if only some of the lists are there, one is empty or undecodable, or an
            image is listed twice.
    """
    lists = split_lists(folder)
    absent = [path.name for path in lists.values() if not path.is_file()]
    if len(absent) == len(lists):
        return {}
    if absent:
        names = " and no ".join(absent)
        raise InputError(
            f"captions must come with all three split lists or none, got no {names} in {folder};"
            " add the missing or move the others away"
        )
    split: dict[str, str] = {}
    for part, path in lists.items():
        for number, line in read_lines(path):
            name = line.strip()
            if name in split:
                places = f"{split[name]} and {part}" if split[name] != part else f"{part}, twice"
                raise InputError(
                    f"split lists must name each image once, got {name} in {places}"
                    f" ({path} line {number}); delete one of the two lines"
                )
            split[name] = part
    return split
