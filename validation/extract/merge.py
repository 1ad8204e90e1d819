"""Parts of an extraction to one features file, shard by shard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.data import SPLITS
from fusiontheory.store import write_atomically
from fusiontheory.typing import AnyArray, Integers
from validation.backbones import GROUND
from validation.data import SPLIT_SEED
from validation.extract.parts import PartList, ShardEntry, read_part
from validation.extract.shards import Shard, read_shard
from validation.extract.stream import Tensor, stream_fingerprint, write_stream

__all__ = ["Merged", "merge"]


@dataclass(frozen=True)
class Merged:
    """What a merge wrote.

    Attributes:
        path: the features file, which `fusiontheory.data.FeatureSet` loads.
        images: how many images it has.
        skipped: pairs of id and reason of those left out.
        transparent: how many of the images have pixels that are not opaque, and are on white.
    """

    path: Path
    images: int
    skipped: list[tuple[str, str]]
    transparent: int

    @property
    def sidecar(self) -> Path:
        """The JSON file beside it that says what the features are."""
        return self.path.with_suffix(".json")


def merge(parts: Sequence[Path], out: Path, align_images: int = 0) -> Merged:
    """Check that parts fit, and write their features as one file with a sidecar.

    The file holds image (n, ...), text (n, captions, ...), ids (the positions in the corpus) and,
    if the corpus has splits, split; images in none of them count as train, as in the shipped
    features. Shards are read one at a time.

    Args:
        parts: lists that `validation.extract.run.extract` wrote, in any order.
        out: file to write, .safetensors.
        align_images: how many images of the split train become the split align.

    Raises:
        InputError: if parts are missing, given twice, or of another extraction, a shard is
            missing or damaged, or fewer than 2 images are left.
    """
    if out.suffix != ".safetensors":
        raise InputError(f"out must end in .safetensors, got {out}")
    lists = [read_part(path) for path in parts]
    first = _check_parts(parts, lists)
    shards = sorted(
        (
            _Located(entry, path.parent.parent)
            for path, part in zip(parts, lists, strict=True)
            for entry in part.entries
        ),
        key=lambda located: located.entry.number,
    )
    rows = _Rows.of(shards, first)
    tensors = rows.tensors(align_images)
    fingerprint = stream_fingerprint(tensors)
    write_stream(out, tensors, {"fingerprint": fingerprint, "name": first.name})
    about = {
        "image": first.image,
        "text": first.text,
        "ids": rows.names,
        "skipped": rows.skipped,
        "transparent": {"ground": GROUND, "images": rows.transparent},
        "captions": first.captions,
        "fingerprint": fingerprint,
        "versions": {f"{part.index}/{part.of}": part.versions for part in lists},
    }
    merged = Merged(out, len(rows.names), rows.skipped, rows.transparent)
    write_atomically(merged.sidecar, json.dumps(about, indent=1, sort_keys=True).encode())
    return merged


@dataclass(frozen=True)
class _Located:
    entry: ShardEntry
    folder: Path

    def shard(self, kind: str, recipe: Mapping[str, Any]) -> Shard:
        """Return the shard, checked against the recipe of its part."""
        path = self.folder / getattr(self.entry, kind)
        shard = read_shard(path)
        if shard.recipe != recipe:
            raise InputError(
                f"shard must be of the part's recipe, got {path}; delete it and run the part again"
            )
        return shard


@dataclass(frozen=True)
class _Rows:
    """The rows that are left, and where their features are."""

    shards: list[_Located]
    first: PartList
    kept: list[Integers]  # for each shard the positions in it that have features
    shapes: dict[str, tuple[int, ...]]
    skipped: list[tuple[str, str]]
    transparent: int

    @classmethod
    def of(cls, shards: list[_Located], first: PartList) -> _Rows:
        kept, shapes = [], {}
        skipped: list[tuple[str, str]] = []
        transparent = 0
        for located in shards:
            image, text = located.shard("image", first.image), located.shard("text", first.text)
            if list(text.ids) != located.entry.ids or not {*image.ids} <= {*text.ids}:
                raise InputError(
                    f"shard {located.entry.number} must have the images of its list, got others in"
                    f" {located.folder / located.entry.image} or"
                    f" {located.folder / located.entry.text}; delete both and run the part again"
                )
            present = {*image.ids}
            kept.append(np.array([i for i, k in enumerate(text.ids) if k in present], dtype=int))
            skipped += image.skipped
            transparent += len(image.transparent)
            shapes["text"] = text.features.shape[1:]
            if image.ids:
                shapes["image"] = image.features.shape[1:]
        if sum(map(len, kept)) < 2:
            raise InputError(
                f"images must be at least 2 that can be read, got {sum(map(len, kept))}"
                + "".join(f"; {name}: {reason}" for name, reason in skipped[:3])
            )
        return cls(shards, first, kept, shapes, skipped, transparent)

    @property
    def names(self) -> list[str]:
        """Ids of the rows."""
        pairs = zip(self.shards, self.kept, strict=True)
        return [located.entry.ids[i] for located, kept in pairs for i in kept]

    def tensors(self, align_images: int) -> list[Tensor]:
        """Return the tensors of the features file."""
        starts = np.cumsum([0, *(len(located.entry.ids) for located in self.shards)])
        ids = np.concatenate([s + kept for s, kept in zip(starts, self.kept, strict=False)])
        tensors = [
            Tensor.of_array("ids", ids.astype(np.int64)),
            Tensor("image", "<f4", (len(ids), *self.shapes["image"]), self._images),
            Tensor("text", "<f4", (len(ids), *self.shapes["text"]), self._texts),
        ]
        pairs = zip(self.shards, self.kept, strict=True)
        split = [located.entry.split[i] for located, kept in pairs for i in kept]
        if not any(split):
            if align_images:
                raise InputError("align_images must be 0 for a corpus without splits")
            return tensors
        codes = np.array([SPLITS.index(name) for name in _aligned(split, align_images)])
        return [*tensors, Tensor.of_array("split", codes.astype(np.uint8))]

    def _images(self) -> Iterator[AnyArray]:
        for located in self.shards:
            shard = located.shard("image", self.first.image)
            if shard.ids:
                yield shard.features.astype("<f4")

    def _texts(self) -> Iterator[AnyArray]:
        for located, kept in zip(self.shards, self.kept, strict=True):
            if len(kept):
                yield located.shard("text", self.first.text).features[kept].astype("<f4")


def _check_parts(paths: Sequence[Path], lists: Sequence[PartList]) -> PartList:
    """Check that the lists are all parts of one extraction, each once; return the first."""
    if not lists:
        raise InputError("parts must be at least one, got none")
    first = lists[0]
    for path, part in zip(paths, lists, strict=True):
        for name in ("captions", "images", "of", "shards", "image", "text"):
            ours, theirs = getattr(first, name), getattr(part, name)
            if ours == theirs:
                continue
            what = name
            if isinstance(ours, dict):
                other = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
                what = f"{name} {', '.join(other)}"
                ours, theirs = ours.get(other[0]), theirs.get(other[0])
            raise InputError(
                f"parts must be of one extraction, got {path.name} with another {what} than"
                f" {paths[0].name}: {theirs} instead of {ours}"
            )
    indices = sorted(part.index for part in lists)
    if indices != list(range(1, first.of + 1)):
        missing = sorted({*range(1, first.of + 1)} - {*indices})
        raise InputError(
            f"parts must be each of 1 to {first.of} once, got {indices}"
            + (f"; run extract with --shard {missing[0]}/{first.of}" if missing else "")
        )
    numbers = sorted(entry.number for part in lists for entry in part.entries)
    if numbers != list(range(first.shards)):
        raise InputError(f"parts must list each of {first.shards} shards once, got {numbers[:5]}")
    return first


def _aligned(split: Sequence[str | None], count: int) -> list[str]:
    """Return splits with ``count`` images of train in align, drawn as for the shipped features."""
    training = [i for i, name in enumerate(split) if name == "train"]
    if count > len(training):
        raise InputError(f"align_images must be at most {len(training)} of train, got {count}")
    state = np.random.SeedSequence(SPLIT_SEED).generate_state(len(training), np.uint64)
    names = [name or "train" for name in split]
    for position in np.argsort(state, kind="stable")[:count]:
        names[training[position]] = "align"
    return names
