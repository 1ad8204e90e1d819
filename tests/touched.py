"""Print the tests of the files that were touched: ``python tests/touched.py``, for `make check`.

Touched is what differs from the last commit, or from where the branch left main, and what is new.
The tests of ``fusiontheory/risk/ridge.py`` are ``tests/risk/test_ridge.py`` and those whose names
go on from there, ``test_ridge_....py``, or where there is no such file all of ``tests/risk``; its
own examples are run too.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = "tests/test_rooms.py"
EXAMPLES = ("fusiontheory", "validation")
"""Packages whose docstrings are tests."""


def git(*arguments: str) -> list[str]:
    """Return the lines that git prints, none where it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else []


def touched() -> list[str]:
    """Return the paths that differ from the last commit or from the base of the branch."""
    base = git("merge-base", "HEAD", "origin/main") or git("merge-base", "HEAD", "main")
    return [
        path
        for lines in (
            git("diff", "--name-only", "--diff-filter=d", *(base or ["HEAD"])),
            git("ls-files", "--others", "--exclude-standard"),
        )
        for path in lines
    ]


def mirrored(path: str, root: Path = ROOT) -> list[str]:
    """Return the tests of one file.

    >>> mirrored("fusiontheory/risk/ridge.py")
    ['fusiontheory/risk/ridge.py', 'tests/risk/test_ridge.py']
    >>> mirrored("README.md")
    []
    """
    file = PurePosixPath(path)
    if file.suffix not in (".py", ".pyi"):
        return []
    if file.parts[0] == "tests":
        return [path] if file.name.startswith("test_") else []
    own = [path] if file.parts[0] in EXAMPLES and file.suffix == ".py" else []
    # The library's tests lie in tests/ itself, all others below their package's name.
    below = file.parts[1:-1] if file.parts[0] == "fusiontheory" else file.parts[:-1]
    folder = PurePosixPath("tests", *below)
    exact = folder / f"test_{file.stem}.py"
    parts = sorted(str(p.relative_to(root)) for p in (root / folder).glob(f"test_{file.stem}_*.py"))
    if (root / exact).exists():
        return [*own, str(exact), *parts]
    study = PurePosixPath(*folder.parts[:2]) / f"test_{folder.name}.py"  # one file a study
    for found in (study, *(folder, *folder.parents)[:-2]):
        if (root / found).exists():
            return [*own, str(found)]
    return own


def selected(paths: Iterable[str]) -> list[str]:
    """Return the tests of all of them, each once, and those of the layout."""
    found = dict.fromkeys(test for path in paths for test in mirrored(path))
    found[ALWAYS] = None
    folders = [test for test in found if (ROOT / test).is_dir()]
    return [t for t in found if not any(t.startswith(f"{folder}/") for folder in folders)]


if __name__ == "__main__":
    print("\n".join(selected(touched())))
