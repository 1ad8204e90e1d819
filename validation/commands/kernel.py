"""The commands ``run`` and ``report`` of ``python -m validation``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusiontheory.console import grouped, progress_bar
from validation.commands.options import DEVICE, OUT, PRECISION, STORE, Json, cores, say

if TYPE_CHECKING:
    from validation.kernel import Run, Session

__all__ = ["report", "run"]

_LAST = "[default: of the last run]"


@dataclass(frozen=True)
class RunOptions:
    """What is measured and predicted, and where it is kept."""

    features: Annotated[
        Path | None,
        typer.Option(help="Features file with splits. [default: the shipped Flickr8k features]"),
    ] = None
    store: Annotated[Path, typer.Option(help="Folder of records and trained heads.")] = STORE
    seeds: Annotated[int, typer.Option(help="Number of seeds.")] = 10
    sizes: Annotated[str, typer.Option(help="Numbers of training pairs, separated by commas.")] = (
        "256,512,1024,2048,4096,8192"
    )
    ridge: Annotated[
        str, typer.Option(help="delta of K + delta I: a number, or each head's best.")
    ] = "best"
    test_pairs: Annotated[int, typer.Option(help="Number of test pairs.")] = 10_000
    also: Annotated[
        list[str] | None,
        typer.Option(help="A head besides the usual ones, concat-mlp-aligned; can be repeated."),
    ] = None
    device: Annotated[
        str | None, typer.Option(help=f"{DEVICE} [default: NumPy, without PyTorch]")
    ] = None
    precision: Annotated[str, typer.Option(help=PRECISION)] = "float64"

    def devices(self) -> tuple[str, ...]:
        """Return the devices by their own names; none: NumPy.

        Raises:
            InputError: if one is not there.
        """
        from fusiontheory.solvers import devices

        return () if self.device is None else tuple(devices(self.device))

    def run(self) -> Run:
        """Return what is asked for.

        Raises:
            InputError: for numbers that cannot be used.
        """
        from validation.kernel import Run, parse_ridge, parse_sizes

        return Run(
            features=_file(self.features),
            sizes=parse_sizes(self.sizes),
            seeds=self.seeds,
            ridge=parse_ridge(self.ridge),
            test_pairs=self.test_pairs,
            precision=None if self.device is None else self.precision,
            also=tuple(self.also or ()),
        )


@dataclass(frozen=True)
class ReportOptions:
    """Which run is reported: the last one with the settings that are given."""

    features: Annotated[Path | None, typer.Option(help=f"Features file. {_LAST}")] = None
    store: Annotated[Path, typer.Option(help="Folder of records and trained heads.")] = STORE
    seeds: Annotated[int | None, typer.Option(help=f"Number of seeds. {_LAST}")] = None
    sizes: Annotated[
        str | None, typer.Option(help=f"Numbers of training pairs, separated by commas. {_LAST}")
    ] = None
    ridge: Annotated[
        str | None, typer.Option(help=f"delta of K + delta I: a number, or best. {_LAST}")
    ] = None
    test_pairs: Annotated[int | None, typer.Option(help=f"Number of test pairs. {_LAST}")] = None
    also: Annotated[
        list[str] | None, typer.Option(help=f"A head besides the usual ones. {_LAST}")
    ] = None

    def given(self) -> dict[str, Any]:
        """Return the settings that are given, as fields of `validation.kernel.Run`.

        Raises:
            InputError: if the sizes are no integers.
        """
        from validation.kernel import parse_ridge, parse_sizes

        asked = {
            "features": _file(self.features),
            "sizes": None if self.sizes is None else parse_sizes(self.sizes),
            "seeds": self.seeds,
            "ridge": None if self.ridge is None else parse_ridge(self.ridge),
            "test_pairs": self.test_pairs,
            "also": None if not self.also else tuple(self.also),
        }
        return {name: value for name, value in asked.items() if value is not None}


@grouped
def run(
    options: RunOptions,
    jobs: Annotated[int | None, typer.Option(help="Processes. [default: one a core]")] = None,
    as_json: Json = False,
) -> None:
    """Predict and measure. What the store already has is not done again.

    \b
    Examples:
        python -m validation run
        python -m validation run --features mine.safetensors --seeds 5 --sizes 256,1024
    """
    devices = options.devices()
    session, said = _opened(options.run(), options.store, devices)
    _tell(said)
    with progress_bar() as progress:
        done = session.run(cores(jobs), progress)
    store = options.store
    say(as_json, {"records": done, "store": str(store)}, f"{done} records in {store}")


@grouped
def report(
    options: ReportOptions,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = OUT,
    as_json: Json = False,
) -> None:
    """Write the report of the last run. Or of the last with these settings.

    \b
    Examples:
        python -m validation report
        python -m validation report --features mine.safetensors --out mine
    """
    from validation.kernel import Run, asked_run

    given = options.given()
    asked = asked_run(options.store, given)
    # Nothing is taken from a run in silence.
    standard = replace(Run(), **given, fingerprint=asked.fingerprint)
    if "features" not in given or str(asked) != str(standard):
        _tell([f"report of {asked}"])
    session, said = _opened(asked, options.store)
    _tell(said)
    page = session.report(out)
    say(as_json, {"page": str(page)}, f"report: {page}")


def _opened(run: Run, store: Path, devices: tuple[str, ...] = ()) -> tuple[Session, list[str]]:
    """Return the study of two strengths, or of a file that has no align images as it is given."""
    from validation.conditions import has_align
    from validation.kernel import Session

    features = run.load()
    if run.features is None or has_align(features):
        return Session.open(run, store, features, devices), []
    # Imported where it is needed: it brings torch.
    from validation.pipeline import session_of_file

    session, said = session_of_file(replace(run, fingerprint=features.fingerprint), store)
    return replace(session, devices=devices), said


def _file(given: Path | None) -> Path | None:
    """Return the file of NAME=FILE, as ``study`` takes it, or the file that is given."""
    if given is None or given.exists():
        return given
    name, found, file = str(given).partition("=")
    return Path(file) if found and name and Path(file).is_file() else given


def _tell(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line, err=True)
