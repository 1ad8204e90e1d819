"""Hold a run of ``make clip`` against its prediction: ``python docs/results/clip/score.py FOLDER``.

FOLDER is the docs/results that ``make clip`` wrote, here or elsewhere. Said are, for kernel heads
and for networks, what `fusiontheory.compare` says of measured accuracies beside
``foretold.csv`` (and, where 100 images have to do, ``predicted.csv``), and each published claim's
verdict beside the one that PREDICTION.md expects.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

import fusiontheory as ft
from fusiontheory.checks import InputError

HERE = Path(__file__).resolve().parent
CONDITION = "aligned"
SETTING = "published"
_CLAIM = re.compile(r"^\| (?!claim )([a-z-]+) \| ([a-z, ]+?) +(?:for [^|]*)?\|", re.MULTILINE)


def foretold(kind: str) -> pd.DataFrame:
    """Return predicted accuracies of kernel heads ("kernel") or networks ("trained")."""
    names = {"low": "accuracy_low", "central": "accuracy", "high": "accuracy_high"}
    table = pd.read_csv(HERE / "foretold.csv").rename(columns=names)
    table = table[table["kind"] == kind]
    if kind == "kernel":  # the heads of which 100 images say enough
        rest = pd.read_csv(HERE / "predicted.csv")
        known = (rest["sigma"] == 0) & ~rest["head"].isin(table["head"])
        table = pd.concat([table, rest[known]])
    return table[["head", "n", "accuracy", "accuracy_low", "accuracy_high"]]


def measured(results: Path, kind: str) -> pd.DataFrame:
    """Return measured accuracies of the CLIP condition without noise, of the heads foretold.

    Raises:
        InputError: if the folder lacks the table, or that has none of these heads and sizes.
    """
    path = results / ("comparison.csv" if kind == "kernel" else "trained/runs.csv")
    if not path.is_file():
        raise InputError(f"FOLDER must be the docs/results of make clip, got {results}; no {path}")
    table = pd.read_csv(path)
    place = table["condition"] == CONDITION
    if kind == "kernel":
        table = table.rename(columns={"measured": "accuracy"}).drop(columns="seeds")
    else:
        place &= (table["setting"] == SETTING) & (table["sigma"] == 0)
    said = foretold(kind)
    place &= table["head"].isin(said["head"]) & table["n"].between(said["n"].min(), said["n"].max())
    if not place.any():
        raise InputError(
            f"FOLDER must have accuracies of {', '.join(said['head'].unique())} from"
            f" {said['n'].min()} to {said['n'].max()} pairs, got none in {path}"
        )
    return table[place]


def claims(results: Path) -> pd.DataFrame:
    """Return columns claim, expected here before the run, and verdict of the run."""
    text = (HERE / "PREDICTION.md").read_text(encoding="utf-8")
    expected = dict(_CLAIM.findall(text[text.index("## Verdict expected") :]))
    found = pd.read_csv(results / "trained" / "claims.csv").set_index("claim")["verdict"]
    return pd.DataFrame(
        [(claim, word, found.get(claim, "not there")) for claim, word in expected.items()],
        columns=["claim", "expected", "verdict"],
    )


def score(results: Path) -> Iterator[str]:
    """Yield what is to be said of a run, kernel heads first."""
    for kind, what in (("kernel", "Kernel heads"), ("trained", "Networks, the fixed setting")):
        yield f"{what}, on {CONDITION} features:"
        yield ft.compare(foretold(kind), measured(results, kind)).to_text()
    table = claims(results)
    pairs = zip(table["expected"], table["verdict"], strict=True)
    right = sum(verdict.startswith(tuple(words.split(", or "))) for words, verdict in pairs)
    yield f"Claims with the verdict that was expected: {right} of {len(table)}."
    yield table.to_string(index=False)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the folder docs/results that make clip wrote")
    try:
        for part in score(Path(sys.argv[1])):
            print(part, end="\n\n")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
