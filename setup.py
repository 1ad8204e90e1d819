"""What the package index shows of the README: whole addresses, which pictures and links need there.

The address of the repository, as in ``https://host/owner/name``, is given when a release is built:
``FUSIONTHEORY_ADDRESS=... pip wheel --no-deps .``. Without it pictures become their captions, and
links their texts, so that nothing on the page is broken. All else is in setup.cfg.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from setuptools import setup

_PICTURE = re.compile(r"!\[([^\]]*)\]\((?!\w+:)([^)\s]+)\)")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)")
_PAGES = {"Source": "", "Documentation": "/blob/main/docs/five_minutes.md"}
_PAGES |= {"Changelog": "/blob/main/CHANGELOG.md", "Issues": "/issues"}


def page(readme: str, address: str) -> str:
    """Return the README for a page elsewhere; ``address`` is blank where there is none yet."""
    if not address:
        return _LINK.sub(r"\1", _PICTURE.sub(r"*\1*", readme))
    readme = _PICTURE.sub(rf"![\1]({address}/raw/main/\2)", readme)
    return _LINK.sub(rf"[\1]({address}/blob/main/\2)", readme)


if __name__ == "__main__":
    address = os.environ.get("FUSIONTHEORY_ADDRESS", "").rstrip("/")
    readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    setup(
        long_description=page(readme, address),
        project_urls={name: address + path for name, path in _PAGES.items()} if address else {},
    )
