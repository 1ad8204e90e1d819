"""The command line ``python -m validation``: run the study, write its report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from fusiontheory.console import application, progress_bar

app = application("Predict, measure and compare fusion heads on real features.")

_Features = Annotated[
    Path | None,
    typer.Option(help="Features file with splits. [default: the shipped Flickr8k features]"),
]
_Store = Annotated[Path, typer.Option(help="Folder of records and trained heads.")]
_Seeds = Annotated[int, typer.Option(help="Number of seeds.")]
_Ridge = Annotated[float, typer.Option(help="delta of K + delta I.")]
_Sizes = Annotated[str, typer.Option(help="Numbers of training pairs, separated by commas.")]
_TestPairs = Annotated[int, typer.Option(help="Number of test pairs.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_STORE = Path(".cache")
_OUT = Path("report")
_SIZES = "256,512,1024,2048,4096,8192"


@app.command()
def run(
    features: _Features = None,
    store: _Store = _STORE,
    seeds: _Seeds = 10,
    sizes: _Sizes = _SIZES,
    ridge: _Ridge = 0.1,
    test_pairs: _TestPairs = 10_000,
    jobs: Annotated[int | None, typer.Option(help="Processes. [default: one a core]")] = None,
    as_json: _Json = False,
) -> None:
    """Predict and measure; what the store already has is not done again."""
    from validation import workflow

    session = workflow.Session.open(features, store, sizes, seeds, ridge, test_pairs)
    with progress_bar() as progress:
        done = session.run(os.cpu_count() or 1 if jobs is None else jobs, progress)
    _say(as_json, {"records": done, "store": str(store)}, f"{done} records in {store}")


@app.command()
def report(
    features: _Features = None,
    store: _Store = _STORE,
    seeds: _Seeds = 10,
    sizes: _Sizes = _SIZES,
    ridge: _Ridge = 0.1,
    test_pairs: _TestPairs = 10_000,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = _OUT,
    as_json: _Json = False,
) -> None:
    """Write the report of a run: index.html, tables and figures. Give the options of the run."""
    from validation import workflow

    session = workflow.Session.open(features, store, sizes, seeds, ridge, test_pairs)
    page = session.report(out)
    _say(as_json, {"page": str(page)}, f"report: {page}")


def _say(as_json: bool, record: dict[str, Any], text: str) -> None:
    typer.echo(json.dumps(record) if as_json else text)


if __name__ == "__main__":
    app(prog_name="python -m validation")
