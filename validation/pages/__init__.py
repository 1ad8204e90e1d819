"""Pages and the numbers in them."""

from validation.pages.inline_svg import inline_svg
from validation.pages.render import fact_rows, render_page
from validation.pages.words import number, points

__all__ = [
    "fact_rows",
    "inline_svg",
    "number",
    "points",
    "render_page",
]
