"""The commands ``corpus`` and ``fetch`` of ``python -m validation``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fusiontheory.checks import InputError
from fusiontheory.console import grouped, progress_bar
from validation.commands.options import CAPTIONS, CorpusChoice, Json, say

__all__ = ["corpus", "fetch"]


@grouped
def corpus(
    captions: Annotated[str, typer.Argument(help=CAPTIONS)],
    choice: CorpusChoice,
    as_json: Json = False,
) -> None:
    """Read a corpus of images and captions. Say what it holds and what was dropped.

    \b
    Example:
        python -m validation corpus captions.txt --images Images
    """
    from validation.corpus import as_record, as_text

    pairs = choice.read(captions)
    say(as_json, as_record(pairs), as_text(pairs))


def fetch(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the corpus. [default: ~/.cache/fusiontheory/flickr8k]"),
    ] = None,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="Accept the terms without being asked.")
    ] = False,
    mirror: Annotated[
        str | None, typer.Option(help="Address of a folder with the same files.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="JSON file of what the mirror has, with hashes. [default: Flickr8k]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Download Flickr8k, unpack and verify it. It goes on where it was interrupted.

    \b
    Example:
        python -m validation fetch
    """
    from validation.corpus import Fetch, as_record, as_text, consent, read_manifest

    if manifest is not None and mirror is None:
        raise InputError("mirror must be given beside a manifest: the address of its files")
    folder = out or Path.home() / ".cache" / "fusiontheory" / "flickr8k"
    session = Fetch(folder, mirror)
    if manifest is not None:
        session = replace(session, contents=read_manifest(manifest))
    if session.downloads:
        typer.echo(session.plan(), err=True)
        consent(accept_terms)
    with progress_bar() as progress:
        fetched = session.run(progress)
    say(as_json, as_record(fetched), as_text(fetched))
