"""Draw every figure from the stored tables: ``python -m paper_figures``."""

from __future__ import annotations

from pathlib import Path

from paper_figures import (
    comparison,
    figure1,
    figure2,
    figure3,
    figure4,
    figure5,
    figure6,
    gap_curve,
    predicted_against_measured,
)
from paper_figures.tables import PAGE, command

FIGURES = (
    *(figure1, figure2, figure3, figure4, figure5, figure6),
    *(predicted_against_measured, gap_curve),
)


def draw_all(root: Path, out: Path) -> list[Path]:
    """Draw all of them, and the comparison of the README at page width.

    Raises:
        InputError: as each figure does.
    """
    drawn = comparison.draw(root / "docs" / "results", out, PAGE)
    return drawn + [path for figure in FIGURES for path in figure.draw(root, out)]


app = command(draw_all, "Draw every figure from the stored tables.")

if __name__ == "__main__":
    app()
