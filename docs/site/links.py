"""Every link, picture and anchor inside the built site leads somewhere."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """Collects what a page links to, and the anchors that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses and the names of one element."""
        held = {name: value for name, value in attrs if value}
        self.links += [held[name] for name in ("href", "src") if name in held]
        self.anchors |= {held[name] for name in ("id", "name") if name in held}


def broken_links(site: Path) -> list[str]:
    """Return "page: link" for each that leads to no file of the site, or to no anchor of a page."""
    pages = {
        path.resolve(): _parsed(path)
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }
    broken = []
    for path, page in sorted(pages.items()):
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            anchor = unquote(parts.fragment)
            missing = anchor and target in pages and anchor not in pages[target].anchors
            if not target.is_file() or missing:
                broken.append(f"{path.relative_to(site.resolve())}: {link}")
    return broken


def _parsed(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page
