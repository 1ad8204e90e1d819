"""How an extraction runs, and which part of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from fusiontheory.checks import InputError, positive_integer

__all__ = ["Part", "Settings"]

_STORED = ("float32", "float16")


@dataclass(frozen=True)
class Part:
    """Part ``index`` of ``of``, counted from 1; parts take shards in turn.

    Raises:
        InputError: if there is no such part.

    >>> Part.parse("2/3").shards(8)
    [1, 4, 7]
    """

    index: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        """Check both numbers."""
        if not 1 <= positive_integer("shard", self.index) <= positive_integer("shard", self.of):
            raise InputError(f"shard must be i/N with i from 1 to N, got {self.index}/{self.of}")

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read "i/N".

        Raises:
            InputError: if it is not of this form.
        """
        index, _, of = text.partition("/")
        if not (index.isdecimal() and of.isdecimal()):
            raise InputError(f"shard must be i/N, such as 1/4, got {text!r}")
        return cls(int(index), int(of))

    def shards(self, count: int) -> list[int]:
        """Return which of ``count`` shards belong to the part."""
        return list(range(self.index - 1, count, self.of))


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
