"""A manifest: what a copy of a corpus consists of, in a JSON file that its user trusts.

    {"images": {"name": "Flickr8k_Dataset.zip", "sha256": "..."},
     "texts": {"name": "Flickr8k_text.zip", "sha256": "..."},
     "image_files": 150, "caption_lines": 750,
     "split_images": {"train": 112, "dev": 19, "test": 19},
     "weights": {"clip-vit-b-32.safetensors": "...", "minilm/modules.json": "..."}}

The values of ``weights`` are SHA-256 too. Every file is held against its hash after it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.store import read_bytes
from validation.corpus.flickr8k_files import FLICKR8K, Archive, Contents

__all__ = ["read_manifest"]

_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")
_KEYS = ("images", "texts", "image_files", "caption_lines", "split_images")


def read_manifest(path: Path) -> Contents:
    """Return what a manifest names.

    Raises:
        InputError: if the file cannot be read, lacks a key, or has a hash, a number or the name
            of a file that is none.
    """
    try:
        told = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"manifest must be JSON, got {path} ({error})") from error
    lacking = [key for key in _KEYS if not isinstance(told, dict) or key not in told]
    if lacking:
        raise InputError(f"manifest must have {', '.join(lacking)}, got {path} without")
    splits, weights = told["split_images"], told.get("weights", {})
    parts = list(FLICKR8K.split_images)
    if not isinstance(splits, Mapping) or {*splits} != {*parts}:
        raise InputError(f"manifest must have split_images of {', '.join(parts)}, got {splits!r}")
    if not isinstance(weights, Mapping):
        raise InputError(f"manifest must have weights as names and hashes, got {weights!r}")
    return Contents(
        images=_archive(told["images"], "images"),
        texts=_archive(told["texts"], "captions"),
        image_files=positive_integer("image_files of the manifest", told["image_files"]),
        caption_lines=positive_integer("caption_lines of the manifest", told["caption_lines"]),
        split_images={
            name: positive_integer(f"{name} of the manifest", splits[name]) for name in parts
        },
        weights=tuple(
            _archive({"name": name, "sha256": digest}, "weights")
            for name, digest in weights.items()
        ),
    )


def _archive(told: Any, folder: str) -> Archive:
    if not isinstance(told, Mapping):
        raise InputError(f"manifest must have name and sha256 of its files, got {told!r}")
    name, digest = str(told.get("name")), str(told.get("sha256"))
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(f"manifest must name files below its address, got {name!r}")
    if not _HASH.fullmatch(digest):
        raise InputError(f"manifest must have the SHA-256 of {name} in hex, got {digest!r}")
    return Archive(name, "size not told", folder, "", sha256=digest)
