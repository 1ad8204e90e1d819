"""Which shards of a whole one of several runs does."""

from __future__ import annotations

from dataclasses import dataclass

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked

__all__ = ["Part"]


@checked
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
