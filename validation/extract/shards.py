"""Shards of features: files named by what they were computed from.

A shard holds the features of consecutive images, or of their captions. Its folder is named by the
recipe, which is the card of the backbone and the settings that decide the features, and its file
by the ids and the SHA-256 of each image file, or by the captions. So a shard that is there is the
right one, wherever it was computed, and a changed image or another preprocessing never finds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.store import canonical_json, read_tensors, write_tensors
from fusiontheory.typing import AnyArray, Single
from validation.backbones import Card
from validation.extract.settings import Settings

__all__ = ["Recipe", "Shard", "read_shard", "shard_path", "write_shard"]

_FEATURES = "features"


@dataclass(frozen=True)
class Recipe:
    """What decides features beside the images or texts themselves.

    Args:
        kind: "image" or "text".
        card: of the backbone.
        batch: how many it got at once.
        stored: type of the stored features.
    """

    kind: str
    card: Card
    batch: int
    stored: str

    @classmethod
    def of(cls, kind: str, card: Card, settings: Settings) -> Recipe:
        """Return the recipe of a run."""
        return cls(kind, card, settings.batch, settings.stored)

    def described(self) -> dict[str, Any]:
        """Return it as JSON values; what concerns only the other kind is left out."""
        card = self.card.described()
        for name in ("context",) if self.kind == "image" else ("preprocessing",):
            card[name] = None
        return {"kind": self.kind, **card, "batch": self.batch, "stored": self.stored}

    @property
    def key(self) -> str:
        """20 hex digits that change with it."""
        return hashlib.sha256(canonical_json(self.described())).hexdigest()[:20]


@dataclass(frozen=True)
class Shard:
    """A stored shard.

    Attributes:
        features: (rows, ...), one row for each of ``ids``; (0,) if there are none.
        ids: of the images in it.
        skipped: pairs of an id that was left out and the reason.
        recipe: as `Recipe.described` returns it.
        transparent: ids of images with pixels that are not opaque.
    """

    features: AnyArray
    ids: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    recipe: dict[str, Any]
    transparent: tuple[str, ...] = ()


def shard_path(folder: Path, recipe: Recipe, content: Any) -> Path:
    """Return the file of a shard, written or not.

    Args:
        folder: of the cache.
        recipe: of its features.
        content: JSON values that say what they are computed from.
    """
    name = hashlib.sha256(canonical_json(content)).hexdigest()[:32]
    return folder / f"{recipe.kind}-{recipe.key}" / f"{name}.safetensors"


def write_shard(
    path: Path,
    recipe: Recipe,
    ids: Sequence[str],
    features: Single,
    skipped: Sequence[tuple[str, str]] = (),
    transparent: Sequence[str] = (),
) -> None:
    """Write a shard in one step.

    Raises:
        InputError: if features are not finite in the stored type, or the folder cannot be written.
    """
    with np.errstate(over="ignore"):  # checked in the next line
        values = features.astype(recipe.stored)
    if not np.isfinite(values).all():
        raise InputError(
            f"features of {recipe.card.name} must be finite as {recipe.stored}, got NaN or infinity"
            f" among images {ids[0]} to {ids[-1]}; compute or store them in float32"
        )
    notes = {"ids": list(ids), "skipped": [list(s) for s in skipped], "recipe": recipe.described()}
    if transparent:  # a shard without such images has the bytes that it always had
        notes["transparent"] = list(transparent)
    write_tensors(path, {_FEATURES: values}, notes)


def read_shard(path: Path) -> Shard:
    """Read a shard.

    Raises:
        InputError: if it is not there, is no shard, or does not match its checksum.
    """
    tensors, notes = read_tensors(path)
    if notes is None or _FEATURES not in tensors:
        raise InputError(f"path must be a shard of features, got {path}; delete it")
    try:
        return Shard(
            tensors[_FEATURES],
            tuple(notes["ids"]),
            tuple((name, reason) for name, reason in notes["skipped"]),
            dict(notes["recipe"]),
            tuple(notes.get("transparent", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"path must be a shard of features, got {path}; delete it") from error
