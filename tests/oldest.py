"""``make test-oldest``: the lower bounds of setup.cfg as exact versions, for pip.

``python tests/oldest.py EXTRA...`` prints a line for each dependency of the library and of these
extras. What has no bound, such as linters, is left out.
"""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

_SETUP = Path(__file__).parents[1] / "setup.cfg"
_BOUND = re.compile(r"[^;]*>=")


def lower_bounds(extras: list[str]) -> list[str]:
    """Return requirements such as ``numpy==1.26``, sorted, with their markers.

    >>> [one for one in lower_bounds(["slurm"]) if one.startswith("submitit")]
    ['submitit==1.5']
    """
    setup = configparser.ConfigParser()
    setup.read(_SETUP, encoding="utf-8")
    texts = [setup["options"]["install_requires"]]
    texts += [setup["options.extras_require"][extra] for extra in extras]
    lines = {line.strip() for text in texts for line in text.splitlines()}
    return sorted(re.sub(r"^([^;]*?)>=", r"\1==", line) for line in lines if _BOUND.match(line))


if __name__ == "__main__":
    print("\n".join(lower_bounds(sys.argv[1:])))
