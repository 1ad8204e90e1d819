"""Pages and the numbers in them."""

from validation.pages.inline_svg import inline_svg
from validation.pages.render import fact_rows, render_page
from validation.pages.words import named_features, number, points

__all__ = [
    "fact_rows",
    "inline_svg",
    "named_features",
    "number",
    "points",
    "render_page",
]
