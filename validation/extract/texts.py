"""Shards of caption features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.progress import Progress

from fusiontheory.checks import InputError
from validation.backbones import TextBackbone
from validation.extract.settings import Settings
from validation.extract.shards import Recipe, read_shard, shard_path, write_shard

__all__ = ["extract_texts"]


def extract_texts(
    ids: Sequence[str],
    captions: Sequence[Sequence[str]],
    backbone: TextBackbone,
    folder: Path,
    settings: Settings,
    progress: Progress,
    shards: Sequence[int] | None = None,
) -> dict[int, Path]:
    """Compute the shards that are not there yet and return the file of each.

    Args:
        ids: of the images.
        captions: of each image, equally many.
        backbone: what encodes them.
        folder: of the cache.
        settings: of the run; a shard has the captions of ``settings.shard`` images.
        progress: bar in captions.
        shards: numbers of the shards to make; None: all.

    Raises:
        InputError: if there are no captions, or not equally many of each image, or the folder
            cannot be written to; shards written before are kept.
    """
    each = check_captions(ids, captions)
    starts = range(0, len(ids), settings.shard)
    wanted = list(range(len(starts))) if shards is None else list(shards)
    recipe = Recipe.of("text", backbone.card, settings)
    sizes = {number: len(ids[starts[number] :][: settings.shard]) * each for number in wanted}
    task = progress.add_task(f"{backbone.card.name} captions", total=sum(sizes.values()))
    paths = {}
    for number in wanted:
        rows = slice(starts[number], starts[number] + settings.shard)
        names, texts = list(ids[rows]), [list(texts) for texts in captions[rows]]
        path = shard_path(folder, recipe, [names, texts])
        if path.is_file():
            read_shard(path)  # a damaged one raises
        else:
            flat = [text for of_image in texts for text in of_image]
            features = backbone.encode_texts(flat, settings.batch)
            features = features.reshape(len(names), each, *features.shape[1:])
            write_shard(path, recipe, names, features)
        paths[number] = path
        progress.advance(task, sizes[number])
    return paths


def check_captions(ids: Sequence[str], captions: Sequence[Sequence[str]]) -> int:
    """Return the number of captions that each image has.

    Raises:
        InputError: if it differs between images, or is 0.
    """
    if len(captions) != len(ids) or not ids:
        raise InputError(f"captions must be given for {len(ids)} images, got {len(captions)}")
    each = len(captions[0])
    for name, texts in zip(ids, captions, strict=True):
        if len(texts) != each or not each:
            raise InputError(
                f"captions must be equally many of each image, got {each} of {ids[0]} and"
                f" {len(texts)} of {name}; take the first few of each with --captions-each"
            )
    return each
