"""How an extraction runs, and which part of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from fusiontheory.checks import InputError, positive_integer

__all__ = [
    "Settings",
]

_STORED = ("float32", "float16")


@dataclass(frozen=True)
class Settings:
    """Settings of an extraction.

    Args:
        batch: images, or texts, that a network gets at once; the features' last bits depend on it.
        shard: images in a shard; a run that was killed loses at most one shard of work.
        workers: processes that decode images; 0 decodes in the main process.
        stored: type of the stored features, "float32" or "float16".
        strict: stop at the first image that cannot be read, instead of leaving it out.

    Raises:
        InputError: if a setting cannot be used.
    """

    batch: int = 64
    shard: int = 256
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    stored: str = "float32"
    strict: bool = False

    def __post_init__(self) -> None:
        """Check every setting."""
        for name, minimum in (("batch", 1), ("shard", 1), ("workers", 0)):
            positive_integer(name, getattr(self, name), minimum)
        if self.stored not in _STORED:
            raise InputError(f"stored must be {' or '.join(_STORED)}, got {self.stored!r}")
