"""Build the documentation site into build/site/html, without a network.

``python docs/site/build.py``: warnings are errors, examples are run, and every link inside the site
is followed at the end.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from links import broken_links
from sphinx.cmd.build import main as sphinx
from stage import HERE, ROOT, stage

OUT = ROOT / "build" / "site"


def build(out: Path = OUT) -> int:
    """Return the status: 0 for a site without warnings and broken links."""
    source = stage(out / "source")
    html = out / "html"
    shutil.rmtree(html, ignore_errors=True)  # pages that are no more would stay
    options = ["-b", "html", "-c", str(HERE), "-W", "--keep-going", "-q", "-E"]
    status = sphinx([*options, "-d", str(out / "doctrees"), str(source), str(html)])
    if status:
        return status
    broken = broken_links(html)
    for line in broken:
        print(f"broken link in {line}", file=sys.stderr)
    print(f"The site is {html / 'index.html'}.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(build())
