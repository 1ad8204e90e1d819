"""The figure, from the stored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.token_attention import draw_panels

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.study import Tables

__all__ = ["draw"]


def draw(tables: Tables, out: Path) -> None:
    """Write accuracy against n by population: measured points, predicted lines, trained stars."""
    draw_panels(tables, out, rows=1, height=3.6)
