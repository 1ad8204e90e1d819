"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.tuned_attention.summary import comparison
from experiments.tuned_heads import draw_rows

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write, head by head, the tuned network, the fixed setting and what was predicted."""
    columns = {"kernel": "better kernel of both starts", "concatenation": "concatenation"}
    draw_rows(comparison(tables), columns, out)
