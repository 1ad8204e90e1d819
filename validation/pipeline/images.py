"""A corpus and its backbones to one features file for each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from fusiontheory.checks import InputError
from validation.backbones import ImageBackbone, TextBackbone
from validation.corpus import Corpus
from validation.extract import Backbones, Part, Settings, extract, merge

__all__ = ["Extracted", "chosen_backbones", "features_of_images"]


@dataclass(frozen=True)
class Extracted:
    """What an extraction left.

    Attributes:
        files: features file by backbone; empty after one of several parts.
        skipped: lines that name the images that were left out, and count transparent ones.
    """

    files: Mapping[str, Path]
    skipped: Sequence[str]


def chosen_backbones(
    names: Sequence[str],
    text: str | None,
    checkpoints: Sequence[str],
    dtype: str,
    device: str,
) -> dict[str, Backbones]:
    """Return backbones by name, with the local weights that are given as NAME=PATH.

    Args:
        names: of the image backbones.
        text: of the captions, for those that encode images only; None: MiniLM.
        checkpoints: NAME=PATH for any of these names; minilm where ``text`` is None.
        dtype: what to compute in.
        device: where.

    Raises:
        InputError: if a name repeats, or a checkpoint is not of this form or of no backbone here.

    >>> list(chosen_backbones(["resnet18"], None, ["resnet18=r.pt"], "float32", "cpu"))
    ['resnet18']
    """
    if not names or len({*names}) != len(names):
        raise InputError(f"backbone must be given once each, at least one, got {list(names)}")
    texts = text or "minilm"
    paths: dict[str, Path] = {}
    for entry in checkpoints:
        name, separator, path = entry.partition("=")
        if not separator or not path or name not in (*names, texts):
            known = ", ".join(dict.fromkeys((*names, texts)))
            raise InputError(f"checkpoint must be NAME=PATH with NAME of {known}, got {entry!r}")
        paths[name] = Path(path)
    return {
        name: Backbones(
            name,
            # CLIP encodes its captions itself, and so does any other text backbone.
            None if _encodes_both(name) else texts,
            paths.get(name),
            paths.get(texts),
            dtype=dtype,
            device=device,
        )
        for name in names
    }


def features_of_images(
    corpus: Corpus,
    backbones: Mapping[str, Backbones],
    folder: Path,
    progress: Progress,
    settings: Settings | None = None,
    part: Part | None = None,
) -> Extracted:
    """Extract the features of each backbone, resuming, and merge them unless this is a part.

    All backbones are loaded before the first image is, so that a wrong name stops the run at once.

    Args:
        corpus: images and captions.
        backbones: by name.
        folder: gets ``features``, the cache of shards, and a features file for each backbone.
        progress: where bars go.
        settings: of the extraction.
        part: of the shards; None: all.

    Raises:
        InputError: as `validation.extract.extract` and `merge` do.
    """
    loaded: dict[str, tuple[ImageBackbone | TextBackbone, ImageBackbone | TextBackbone]] = {
        name: backbone.load() for name, backbone in backbones.items()
    }
    files, skipped = {}, []
    for name, (image, text) in loaded.items():
        listed = extract(corpus, image, text, folder / "features", progress, settings, part)
        if part is not None and part.of > 1:
            continue
        merged = merge([listed], folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.safetensors")
        files[name] = merged.path
        skipped += [f"{name}: left out {image_id}: {why}" for image_id, why in merged.skipped]
        if merged.transparent:
            skipped.append(f"{name}: {merged.transparent} transparent images are put on white")
    return Extracted(files, skipped)


def _encodes_both(name: str) -> bool:
    return name.startswith("clip")
