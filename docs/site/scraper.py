"""Take the pictures of an example: figures that a notebook shows as the value of a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def _pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Write the figure that is the value of a block, and return how the page shows it."""
    held = block_vars["example_globals"]
    value = held.get("___")
    if not isinstance(value, Figure):
        return ""
    held["___"] = None  # or the next block without a value would show it again
    path = next(block_vars["image_path_iterator"])
    value.savefig(path, dpi=200, facecolor="white")
    return str(figure_rst([path], gallery_conf["src_dir"]))


def _get_sg_image_scraper() -> Callable[..., str]:
    """Return what sphinx-gallery calls after each block."""
    return _pictures
