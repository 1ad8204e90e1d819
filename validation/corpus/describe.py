"""What a corpus holds, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from validation.corpus.corpus import Corpus

__all__ = ["as_record", "as_text"]


def as_record(corpus: Corpus) -> dict[str, Any]:
    """Return source, folder, counts, what was dropped, and fingerprint, as JSON can hold them."""
    return {
        "source": corpus.source,
        "folder": str(corpus.folder),
        "images": len(corpus),
        "captions": sum(map(len, corpus.captions)),
        "captions_each": [corpus.captions_each, max(map(len, corpus.captions))],
        "splits": corpus.split_counts,
        "dropped": [asdict(entry) for entry in corpus.dropped],
        "fingerprint": corpus.fingerprint,
    }


def as_text(corpus: Corpus) -> str:
    """Return the same in lines, but for what was dropped, of which readers warn."""
    record = as_record(corpus)
    fewest, most = record["captions_each"]
    each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    splits = ", ".join(f"{count} {name}" for name, count in corpus.split_counts.items())
    return "\n".join(
        [
            f"{corpus.source}, images in {corpus.folder}",
            f"{len(corpus)} images, {record['captions']} captions, {each} an image",
            f"splits: {splits}",
            f"fingerprint {corpus.fingerprint}",
        ]
    )
