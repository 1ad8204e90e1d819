"""The image folder: paths that stay inside it, and which of them are files."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fusiontheory.checks import InputError
from validation.corpus.text_file import is_clean

__all__ = ["IMAGE_SUFFIXES", "FolderScan", "find_image_folder", "relative_path", "scan_folder"]

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Endings of image files, in lower case."""

_USUAL_NAMES = (
    "images",
    "Images",
    "Flicker8k_Dataset",  # the misspelling is the corpus's own
    "Flickr8k_Dataset",
    "Flicker8k_Dataset/Flicker8k_Dataset",
    "flickr30k-images",
    "flickr30k_images",
)
_PROBED = 50
"""Images that are looked for in folders of any name."""


def relative_path(text: str, where: str) -> str:
    """Return a path below the image folder in its plain form, such as ``val2014/a.jpg``.

    Args:
        text: as a captions file has it.
        where: what errors call the place of it.

    Raises:
        InputError: if it is blank, absolute, an address, has ``..`` or a backslash, or a control
            character.

    >>> relative_path("./val2014/a.jpg", "captions.csv line 2")
    'val2014/a.jpg'
    >>> relative_path("../secret.jpg", "captions.csv line 3")
    Traceback (most recent call last):
    fusiontheory.checks.InputError: image path must stay inside the image folder, got \
'../secret.jpg' (captions.csv line 3); write it relative to that folder, without ..
    """
    rule = None
    # Not pathlib, which is ten times slower, and this is asked once for each caption.
    plain = "/".join(part for part in text.split("/") if part not in ("", "."))
    if not plain.strip(" /"):
        rule = "must not be blank", "write the image's file name"
    elif not is_clean(text):
        rule = "must be without control characters", "rename the file"
    elif "://" in text:
        rule = "must be a file, not an address", "download the images first"
    elif text[0] in "/\\" or plain[1:2] == ":":
        name = re.split(r"[/\\]", text)[-1]
        rule = "must stay inside the image folder", f"write it relative to that folder, as {name}"
    elif ".." in re.split(r"[/\\]", text):
        rule = "must stay inside the image folder", "write it relative to that folder, without .."
    elif "\\" in text:
        rule = "must have / between folders", "write / in place of each backslash"
    if rule:
        raise InputError(f"image path {rule[0]}, got {text!r} ({where}); {rule[1]}")
    return plain


@dataclass(frozen=True)
class FolderScan:
    """Which of the listed paths are files, and which image files beside them are not listed.

    Attributes:
        present: listed paths that are files.
        unlisted: image files in the folders of listed paths, ascending.
    """

    present: frozenset[str] = field(default_factory=frozenset)
    unlisted: tuple[str, ...] = ()


def scan_folder(folder: Path, paths: Iterable[str]) -> FolderScan:
    """Look once into each folder that ``paths`` name.

    Args:
        folder: the image folder, itself a link or not.
        paths: as `relative_path` returns them.

    Raises:
        InputError: if the folder cannot be listed, or a path leads outside it through a symbolic
            link.
    """
    root = folder.resolve()
    names: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        parent, _, name = path.rpartition("/")
        names[parent].add(name)
    present: set[str] = set()
    unlisted: list[str] = []
    for parent, listed in names.items():
        prefix = f"{parent}/" if parent else ""
        for entry in _entries(root, root / parent):
            if entry.name in listed:
                if entry.is_symlink():
                    _check_inside(root, Path(entry.path))
                if _is_file(entry):
                    present.add(prefix + entry.name)
            elif _is_image(entry):
                unlisted.append(prefix + entry.name)
    return FolderScan(frozenset(present), tuple(sorted(unlisted)))


def find_image_folder(near: Path, paths: Sequence[str]) -> Path:
    """Return the folder beside a captions file that holds the images it lists.

    Looked at are folders of usual names (images, Images, Flicker8k_Dataset and others), the
    folder of the file, and the same one level up. The first that has any of the images is taken.
    Else it is the one folder in any of these, such as val2014 or images/val2014, that has at least
    half of the first images.

    Args:
        near: the captions file.
        paths: of the images, as `relative_path` returns them.

    Raises:
        InputError: if none of these folders has the images, or several in them do.
    """
    homes = [near.parent, near.absolute().parent.parent]
    candidates = [home / name for home in homes for name in (*_USUAL_NAMES, ".")]
    folders = [folder for folder in candidates if folder.is_dir()]
    for path in paths:
        for folder in folders:
            if (folder / path).is_file():
                return folder
    inside = _folders_inside(folders, paths[:_PROBED])
    if len(inside) == 1:
        return inside[0]
    rule = f"images must be the folder of the {len(paths)} images that {near} lists"
    if inside:
        raise InputError(
            f"{rule}, got {len(inside)} that have them, {', '.join(map(str, inside[:4]))}; name one"
            " of them with --images"
        )
    raise InputError(
        f"{rule}, such as {paths[0]}; none is there or in a folder beside it: name the folder with"
        " --images"
    )


def _folders_inside(folders: Sequence[Path], paths: Sequence[str]) -> list[Path]:
    """Return the folders in ``folders`` that have at least half of the paths, each once."""
    found: dict[str, Path] = {}
    for folder in folders:
        with suppress(OSError):  # not readable
            for inside in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
                with suppress(OSError):
                    if 2 * sum((inside / path).is_file() for path in paths) >= len(paths):
                        found.setdefault(os.path.realpath(inside), inside)
    return list(found.values())


def _entries(root: Path, folder: Path) -> list[os.DirEntry[str]]:
    if not folder.is_dir():
        if folder == root:
            raise InputError(f"images must be a folder, got {folder}, which is none")
        return []
    _check_inside(root, folder)
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise InputError(
            f"images must be a readable folder, got {folder}: {error.strerror}"
        ) from error


def _check_inside(root: Path, path: Path) -> None:
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(root):
        raise InputError(
            f"image path must stay inside the image folder {root}, got"
            f" {str(path.relative_to(root))!r}, a link to {target}; put the file itself there"
        )


def _is_image(entry: os.DirEntry[str]) -> bool:
    hidden = entry.name.startswith(".")
    return not hidden and Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and _is_file(entry)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # such as a link to itself
        return False
