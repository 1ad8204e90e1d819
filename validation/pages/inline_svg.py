"""Matplotlib's SVG files as parts of a page."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

__all__ = ["inline_svg"]


def inline_svg(svg: bytes, prefix: str, title: str) -> Markup:
    """Return the ``<svg>`` element of a matplotlib file, fit to stand in a page beside others.

    Each id starts with ``prefix``, so that two figures that use the same glyph do not clash. What a
    page has no use for is left out: prologue, comments, metadata, its style sheet and fixed size.

    Args:
        svg: the file.
        prefix: of the ids, another one for each figure.
        title: what screen readers say.
    """
    text = svg.decode("utf-8")
    text = text[text.index("<svg") :]
    for dropped in (
        r"<!--.*?-->",
        r"<metadata>.*?</metadata>",
        r"<style\b.*?</style>",
        r'\sxmlns(?::\w+)?="[^"]*"',
    ):
        text = re.sub(dropped, "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(?:xlink:)?href="#', f'href="#{prefix}-', text)
    text = text.replace("url(#", f"url(#{prefix}-")
    box = re.search(r'viewBox="[^"]*"', text)
    opening = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(title)}">'
    text = re.sub(r"<svg\b[^>]*>", lambda _: opening, text, count=1)
    return Markup(re.sub(r"\n\s*", "\n", text).strip())  # matplotlib escaped all text in it
