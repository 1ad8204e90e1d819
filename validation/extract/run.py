"""From a corpus to the shards of its features."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from pathlib import Path

from rich.progress import Progress

from fusiontheory.checks import InputError
from fusiontheory.parallel import Part
from fusiontheory.store import canonical_json, check_writable
from validation.backbones import ImageBackbone, TextBackbone
from validation.corpus import Corpus
from validation.extract.images import extract_images
from validation.extract.parts import PartList, ShardEntry, write_part
from validation.extract.settings import Settings
from validation.extract.shards import Recipe
from validation.extract.texts import check_captions, extract_texts

__all__ = ["extract"]

_PACKAGES = (
    "numpy",
    "pillow",
    "safetensors",
    "torch",
    "torchvision",
    "open_clip_torch",
    "sentence-transformers",
)


def extract(
    corpus: Corpus,
    image: ImageBackbone | TextBackbone,
    text: ImageBackbone | TextBackbone,
    folder: Path,
    progress: Progress,
    settings: Settings | None = None,
    part: Part | None = None,
) -> Path:
    """Compute what is missing of a part of the features, and return the list of its shards.

    Args:
        corpus: images and captions.
        image: backbone of the images.
        text: backbone of the captions, maybe the same.
        folder: cache that earlier runs may have filled.
        progress: where bars go.
        settings: of the run.
        part: which part to do; None: everything.

    Raises:
        InputError: if a backbone does not encode what it is for, the corpus has another number of
            captions for some images, or as `extract_images` does.
    """
    settings, part = settings or Settings(), part or Part()
    if not isinstance(image, ImageBackbone) or not isinstance(text, TextBackbone):
        wrong, kind = (text, "captions") if isinstance(image, ImageBackbone) else (image, "images")
        raise InputError(f"backbone of the {kind} must encode {kind}, got {wrong.card.name}")
    check_captions(corpus.ids, corpus.captions)
    check_writable("cache", folder)
    starts = range(0, len(corpus), settings.shard)
    numbers = part.shards(len(starts))
    texts = extract_texts(corpus.ids, corpus.captions, text, folder, settings, progress, numbers)
    images = extract_images(corpus.images(), image, folder, settings, progress, numbers)
    rows = {number: slice(starts[number], starts[number] + settings.shard) for number in numbers}
    entries = [
        ShardEntry(
            number,
            list(corpus.ids[rows[number]]),
            list(corpus.split[rows[number]]),
            images[number].relative_to(folder).as_posix(),
            texts[number].relative_to(folder).as_posix(),
        )
        for number in numbers
    ]
    recipes = [Recipe.of("image", image.card, settings), Recipe.of("text", text.card, settings)]
    listed = PartList(
        name=f"{image.card.name} + {text.card.name}",
        captions=corpus.caption_fingerprint,
        images=_sizes(corpus),
        index=part.index,
        of=part.of,
        shards=len(starts),
        image=recipes[0].described(),
        text=recipes[1].described(),
        versions=_versions(),
        entries=entries,
    )
    keys = "-".join(recipe.key[:10] for recipe in recipes)
    name = f"{corpus.caption_fingerprint[:10]}-{keys}-{part.index}-of-{part.of}.json"
    return write_part(folder / "parts" / name, listed)


def _sizes(corpus: Corpus) -> str:
    """Return 20 hex digits of ids and file sizes, None for a file that is not there."""
    sizes = [
        [name, path.stat().st_size if path.is_file() else None] for name, path in corpus.images()
    ]
    return hashlib.sha256(canonical_json(sizes)).hexdigest()[:20]


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
