"""The commands ``fusiontheory store``: what a store of records holds, whether it is intact, out.

The folder is that of the store itself: ``FOLDER/records.sqlite``; a folder with one in its
``records`` is taken too, which is where the other commands keep theirs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusiontheory.checks import InputError

if TYPE_CHECKING:
    import pandas as pd

    from fusiontheory.store import RecordStore

__all__ = ["app"]

app = typer.Typer(help="Look into a store of records and check it. Take records out of it or in.")

_Folder = Annotated[Path, typer.Argument(help="Folder of the store: has records.sqlite.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def status(folder: _Folder, as_json: _AsJson = False) -> None:
    """Print cells and rows by study and code version. Nothing is checked.

    \b
    Example:
        fusiontheory store status FOLDER
    """
    store = _store(folder)
    held = store.status()
    earlier = len(list(store.root.glob("*/*.parquet")))
    if as_json:
        record: dict[str, Any] = {
            "database": str(store.database),
            "bytes": store.database.stat().st_size,
            "studies": [one._asdict() for one in held],
            "earlier_files": earlier,
        }
        typer.echo(json.dumps(record, indent=2))
        return
    for one in held:
        typer.echo(
            f"{one.study}, code {one.code}: {one.cells} cells, {one.rows} rows,"
            f" {one.first} to {one.last}"
        )
    cells, size = sum(one.cells for one in held), store.database.stat().st_size
    typer.echo(f"{cells} cells in {store.database}, {size / 2**20:.1f} MiB")
    if earlier:
        typer.echo(
            f"{earlier} record files of the earlier form lie beside it; take them over with"
            f" fusiontheory store import {store.root} {store.root}"
        )


@app.command()
def verify(
    folder: _Folder,
    study: Annotated[str | None, typer.Option(help="Only of this study.")] = None,
    set_aside: Annotated[
        bool,
        typer.Option(
            "--set-aside", help="Move corrupt records out of the way, so that cells can be rerun."
        ),
    ] = False,
) -> None:
    """Check every digest. Status 1 if a record is corrupt, and a line for each.

    \b
    Example:
        fusiontheory store verify FOLDER --set-aside
    """
    store = _store(folder)
    problems = store.verify(study, set_aside=set_aside)
    for problem in problems:
        typer.echo(f"{problem.path}: {problem.reason}", err=True)
    if not problems:
        typer.echo(f"all records of {store.database} are intact")
        return
    aside = sum(problem.path != store.database for problem in problems) if set_aside else 0
    typer.echo(f"{len(problems)} problems in {store.database}, {aside} records set aside")
    raise typer.Exit(1)


@app.command()
def export(
    folder: _Folder,
    study: Annotated[str, typer.Option(help="The study.")],
    out: Annotated[Path, typer.Option(help="A new file: .parquet or .csv.")],
) -> None:
    """Write the rows of a study as one table. Lists in it are JSON text.

    \b
    Example:
        fusiontheory store export FOLDER --study simulation --out rows.csv
    """
    if out.suffix not in (".parquet", ".csv"):
        raise InputError(f"--out must end in .parquet or .csv, got {out.name!r}")
    if out.exists():
        raise InputError(f"--out must be a new file, got {out}, which exists; name another")
    from fusiontheory.store import write_atomically

    table = _flat(_store(folder).read(study))
    write_atomically(out, _written(table, out.suffix))
    typer.echo(f"{len(table)} rows in {out}")


@app.command("import")
def import_records(
    folder: Annotated[Path, typer.Argument(help="Folder of the store; made if need be.")],
    source: Annotated[
        Path, typer.Argument(help="Record files of the earlier form, another store, a database.")
    ],
) -> None:
    """Take over the intact records of another store. Status 1 if there are others, a line each.

    \b
    Example:
        fusiontheory store import FOLDER OTHER
    """
    from fusiontheory.store import RecordStore

    store = RecordStore(folder)
    count, problems = store.import_folder(source)
    for problem in problems:
        typer.echo(" ".join(str(problem).split()), err=True)
    typer.echo(f"{count} cells taken over from {source}, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)


def _store(folder: Path) -> RecordStore:
    from fusiontheory.store import RecordStore

    store, inner = RecordStore(folder), RecordStore(folder / "records")
    if not store.database.exists() and inner.database.exists():
        return inner
    if not store.database.exists():
        raise InputError(f"folder must hold records.sqlite, got none in {folder}")
    return store


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose lists, and columns of mixed types, are JSON text."""
    flat = table.copy()
    for name in flat.columns:
        values = flat[name].tolist()
        kinds = {type(value) for value in values} - {type(None)}
        if flat[name].dtype == object and kinds != {str}:
            flat[name] = [None if value is None else json.dumps(value) for value in values]
    return flat


def _written(table: pd.DataFrame, suffix: str) -> bytes:
    if suffix == ".csv":
        return table.to_csv(index=False, lineterminator="\n").encode()
    import io

    sink = io.BytesIO()
    table.to_parquet(sink, index=False)
    return sink.getvalue()
