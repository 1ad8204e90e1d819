"""What bad input is told: messages of now held against those of another commit.

``python docs/refusals.py COMMIT`` counts, there and here, the places that raise `InputError` or one
of its kinds, and prints each message of the commit that stands nowhere any more in these words.
``docs/results/refusals.csv`` says of those from before the rooms what stands in their place.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "results" / "refusals.csv"
CODE = ("fusiontheory", "validation", "experiments", "paper_figures")


def messages(sources: Iterable[str]) -> Counter[str]:
    """Return how often each message is raised; what is filled in is {}.

    >>> messages(["class Gone(InputError): ...", "raise Gone(f'n must be {n}')", "f(InputError)"])
    Counter({'n must be {}': 1})
    """
    trees = (ast.parse(source) for source in sources if "raise " in source or "Error" in source)
    nodes = [node for tree in trees for node in ast.walk(tree)]
    kinds, bases = {"InputError"}, [node for node in nodes if isinstance(node, ast.ClassDef)]
    for _ in range(3):  # kinds of kinds, whatever the order of the files
        kinds |= {c.name for c in bases if kinds & {_name(base) for base in c.bases}}
    calls = (node for node in nodes if isinstance(node, ast.Call) and _name(node.func) in kinds)
    return Counter(_template(call.args[0]) if call.args else "{}" for call in calls)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(x.value) if isinstance(x, ast.Constant) else "{}" for x in node.values)
    if isinstance(node, ast.BinOp):
        return _template(node.left) + _template(node.right)
    return "{}"


def here() -> list[str]:
    """Return the sources of now."""
    paths = (path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
    return [path.read_text(encoding="utf-8") for path in paths]


def there(commit: str) -> list[str]:
    """Return the sources of a commit."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True)
        return done.stdout.decode()

    names = git("ls-tree", "-r", "--name-only", commit, "--", *CODE).splitlines()
    return [git("show", f"{commit}:{name}") for name in names if name.endswith(".py")]


if __name__ == "__main__":
    before, now = messages(there(sys.argv[1])), messages(here())
    for name, found in ((sys.argv[1], before), ("now", now)):
        print(f"{name}: {found.total()} places, {len(found)} messages")
    print("\n".join(text for text in before if text not in now))
