"""The figure that all drawings here are: one that a notebook shows, once, as a picture.

A matplotlib figure that pyplot does not know is words in a notebook until pyplot is imported.
"""

from __future__ import annotations

from matplotlib.figure import Figure

__all__ = ["Picture"]

_PIXELS = 100  # an inch, on the page of a notebook


class Picture(Figure):
    """A matplotlib `Figure` with its own picture for notebooks; pyplot does not keep it.

    >>> png, size = Picture(figsize=(3, 2))._repr_png_()
    >>> png[:4], size
    (b'\\x89PNG', {'width': 300, 'height': 200})
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        from fusiontheory.plotting.style import render_figure

        width, height = (round(_PIXELS * float(side)) for side in self.get_size_inches())
        return render_figure(self, "png"), {"width": width, "height": height}
