"""The study of kernel heads on one features file that has no images to train alignment on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fusiontheory.checks import InputError
from validation.kernel import Run, Session
from validation.pipeline.sources import read_sources
from validation.pipeline.study import open_given, with_proofs

__all__ = ["session_of_file"]


def session_of_file(run: Run, folder: Path) -> tuple[Session, list[str]]:
    """Return the study of a run on its features as given, and lines about what that means.

    It is the study that ``python -m validation study --features NAME=FILE --parts none`` makes,
    with the name of the file for that of the condition.

    Args:
        run: with a features file and its fingerprint; without splits, its images are split with
            seed 0.
        folder: of records.

    Raises:
        InputError: if there is no file, or as `read_sources` and `open_given` do.
    """
    if run.features is None:
        raise InputError("features must be a file to be studied as given, got the shipped ones")
    name = run.features.stem
    sources, drawn = read_sources({name: run.features})
    session, fitted = open_given(sources, run.study(), folder)
    # The report says it too, so it names no folder.
    why = (
        f"{name}: the features are studied as given, because {run.features.name} has no align"
        " split to train alignment on"
    )
    told = {**session.told, "as given": why}
    session = with_proofs(replace(session, told=told, asked=run), sources)
    small = session.told.get("caution")
    return session, [why, *drawn, *fitted, *([small] if small else [])]
