"""What the pages share: how a template is rendered, and how facts are listed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from validation.pages.words import number, points

__all__ = ["fact_rows", "render_page"]

_FACT_NAMES = {
    "features": "Features",
    "fingerprint": "Fingerprint of the features",
    "d_v": "Image dimension d_v",
    "d_t": "Text dimension d_t",
    "images": "Images",
    "recall": "Retrieval recall",
    "ridge": "Ridge",
    "seeds": "Seeds",
    "test_pairs": "Test pairs",
    "settings": "Settings",
    "seconds": "Seconds",
    "device": "Device",
    "versions": "Versions",
    "code": "Code version",
    "date": "Date",
}


def render_page(template: str, context: Mapping[str, Any]) -> str:
    """Return the page that a file of ``validation/pages/templates`` makes of its context.

    All text is escaped, and a name that the context lacks is an error.
    """
    # Imported here: nothing but pages needs it.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        points=points,
        number=number,
        percent=lambda fraction: points(100 * fraction, signed=False),
    )
    return environment.get_template(template).render(context)


def fact_rows(facts: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return name and lines of each fact: those known by a name first, then the others.

    >>> fact_rows({"mine": 1, "seeds": [0, 1.5]})
    [('Seeds', ['0', '1.5']), ('mine', ['1'])]
    """
    known = [name for name in _FACT_NAMES if name in facts]
    others = [name for name in facts if name not in _FACT_NAMES]
    return [
        (_FACT_NAMES.get(name, str(name).replace("_", " ")), _lines(facts[name]))
        for name in known + others
    ]


def _lines(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{name}: {', '.join(_lines(inner))}" for name, inner in value.items()]
    if isinstance(value, list | tuple):
        return [line for inner in value for line in _lines(inner)]
    if isinstance(value, float):
        return [f"{value:.0f}" if value.is_integer() else f"{value:.6g}"]
    return [str(value)]
