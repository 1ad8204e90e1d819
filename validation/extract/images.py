"""Shards of image features."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.progress import Progress

from fusiontheory.checks import InputError
from fusiontheory.typing import Single
from validation.backbones import GROUND, ImageBackbone, scaled
from validation.extract.decode import ImageFile, decoded, image_files
from validation.extract.settings import Settings
from validation.extract.shards import Recipe, read_shard, shard_path, write_shard

__all__ = ["extract_images"]


def extract_images(
    images: Iterable[tuple[str, Path]],
    backbone: ImageBackbone,
    folder: Path,
    settings: Settings,
    progress: Progress,
    shards: Sequence[int] | None = None,
) -> dict[int, Path]:
    """Compute the shards that are not there yet and return the file of each.

    Every shard is written in one step as soon as it is complete, and batches never cross shards,
    so that a run that is killed and started again ends in the same bytes.

    Args:
        images: ids and files, in the order of the features.
        backbone: what encodes them.
        folder: of the cache.
        settings: of the run.
        progress: bar with images per second.
        shards: numbers of the shards to make; None: all.

    Raises:
        InputError: if an image cannot be read and the settings are strict, or the folder cannot
            be written to; shards written before are kept.
    """
    listed = list(images)
    if not listed:
        raise InputError("images must hold at least one, got none")
    parts = [listed[i : i + settings.shard] for i in range(0, len(listed), settings.shard)]
    wanted = list(range(len(parts))) if shards is None else list(shards)
    recipe = Recipe.of("image", backbone.card, settings)
    files = {number: image_files(parts[number], settings.workers) for number in wanted}
    if settings.strict:
        for file in (file for part in files.values() for file in part if file.problem):
            raise _refused(file.name, str(file.problem))
    paths = {
        number: shard_path(folder, recipe, [_content(file) for file in part])
        for number, part in files.items()
    }
    missing = [number for number in wanted if not _intact(paths[number], settings.strict)]
    rate = _Rate(progress, backbone.card.name, sum(len(parts[number]) for number in wanted))
    rate.done(sum(len(parts[number]) for number in wanted if number not in missing), computed=False)
    todo = {number: files[number] for number in missing}
    _compute(todo, backbone, recipe, paths, settings, rate)
    return paths


def _compute(
    files: dict[int, list[ImageFile]],
    backbone: ImageBackbone,
    recipe: Recipe,
    paths: dict[int, Path],
    settings: Settings,
    rate: _Rate,
) -> None:
    preprocessing = backbone.card.preprocessing
    if preprocessing is None:
        raise InputError(f"backbone must encode images, got {backbone.card.name}")
    batches = [
        (number, part[i : i + settings.batch])
        for number, part in files.items()
        for i in range(0, len(part), settings.batch)
    ]
    rows: list[Single] = []
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    transparent: list[str] = []
    for batch in decoded(batches, preprocessing, settings.workers):
        if settings.strict and batch.skipped:
            raise _refused(*batch.skipped[0])
        if batch.names:
            x = scaled(batch.pixels, preprocessing, backbone.device)
            rows.append(backbone.encode_images(x))
        names += batch.names
        skipped += batch.skipped
        transparent += batch.transparent
        rate.done(len(batch.names) + len(batch.skipped))
        if len(names) + len(skipped) == len(files[batch.shard]):
            features = np.concatenate(rows) if rows else np.empty(0, dtype=np.float32)
            write_shard(paths[batch.shard], recipe, names, features, skipped, transparent)
            rows, names, skipped, transparent = [], [], [], []


def _content(file: ImageFile) -> list[str]:
    """Return what a shard is named by; earlier ones had transparent images on black."""
    return [file.name, file.digest, *([f"on {GROUND}"] if file.alpha else [])]


class _Rate:
    """A bar whose text says how many images a second are computed."""

    def __init__(self, progress: Progress, name: str, total: int) -> None:
        self.progress, self.name = progress, name
        self.task = progress.add_task(name, total=total)
        self.count, self.start = 0, time.perf_counter()

    def done(self, count: int, computed: bool = True) -> None:
        text = self.name
        if computed:
            self.count += count
            seconds = time.perf_counter() - self.start
            text = f"{self.name} {self.count / max(seconds, 1e-9):.1f} images/s"
        self.progress.update(self.task, advance=count, description=text)


def _intact(path: Path, strict: bool) -> bool:
    """Whether a shard is written; a damaged one raises, and with ``strict`` one that skipped."""
    if not path.is_file():
        return False
    skipped = read_shard(path).skipped
    if strict and skipped:
        raise _refused(*skipped[0])
    return True


def _refused(name: str, reason: str) -> InputError:
    return InputError(
        f"images must all be readable with --strict, got {name}: {reason};"
        " mend or remove it, what is done is kept"
    )
