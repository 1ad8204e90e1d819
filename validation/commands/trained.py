"""The commands ``trained`` and ``trained-report``, ``-foretell`` and more beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fusiontheory.console import grouped
from validation.commands.options import DEVICE, OUT, STORE, Json, say

if TYPE_CHECKING:
    from validation.trained import TrainedSession

__all__ = [
    "trained",
    "trained_foretell",
    "trained_kernels",
    "trained_predict",
    "trained_report",
    "trained_settings",
]

Smaller = Annotated[
    bool,
    typer.Option("--smaller", help="Replace tables, too, by such that hold less than they do."),
]


@dataclass(frozen=True)
class TrainedOptions:
    """Which study of trained heads."""

    features: Annotated[
        Path | None,
        typer.Option(help="Features file with splits. [default: the shipped Flickr8k features]"),
    ] = None
    store: Annotated[Path, typer.Option(help="Folder of records and trained heads.")] = STORE
    seeds: Annotated[int, typer.Option(help="Number of seeds.")] = 5
    dtype: Annotated[
        str,
        typer.Option(help="bfloat16, or float32 where the processor lacks it; records are of one."),
    ] = "bfloat16"
    device: Annotated[str, typer.Option(help=f"{DEVICE} Records are of one kind.")] = "cpu"
    heads: Annotated[
        str, typer.Option(help="Only these heads, as bilinear,concat-mlp. [default: all]")
    ] = ""

    def open(self, there: bool = True) -> TrainedSession:
        """Return the session.

        Args:
            there: whether the device is needed; records are found without it.

        Raises:
            InputError: as `validation.trained.TrainedSession.open` does, and for a device that is
                not there.
        """
        from fusiontheory.solvers import devices
        from validation.trained import TrainedSession

        places: tuple[str, ...] = (self.device,)
        if there or self.device.partition(":")[0] not in ("cpu", "cuda"):
            places = tuple(devices(self.device))
        heads = tuple(name.strip() for name in self.heads.split(",") if name.strip())
        return TrainedSession.open(self.features, self.store, self.seeds, self.dtype, places, heads)


@grouped
def trained(
    options: TrainedOptions,
    only: Annotated[
        str | None,
        typer.Option(
            help="grid, fixed, noise, controls, search, tuned, ablations, fixed-noise or"
            " fixed-between. [default: all]"
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
    shard: Annotated[str, typer.Option(help="Do only part i of N, as i/N.")] = "1/1",
    as_json: Json = False,
) -> None:
    """Train the networks of the study. It goes on where it was interrupted.

    \b
    Example:
        python -m validation trained --jobs 2
    """
    done, missing = options.open().run(only, jobs, shard)
    record = {"records": done, "missing": missing, "store": str(options.store)}
    text = f"{done} records of trained heads in {options.store}"
    say(as_json, record, text + _named(missing))


@grouped
def trained_report(
    options: TrainedOptions,
    out: Annotated[Path, typer.Option(help="Folder of the tables.")] = OUT / "trained",
    smaller: Smaller = False,
    as_json: Json = False,
) -> None:
    """Write tables, verdicts and figure of the networks. What was not run is named.

    \b
    Example:
        python -m validation trained-report
    """
    from validation.trained import check_report

    session = options.open(there=False)
    if not smaller:
        check_report(session, out)
    written = session.report(out)
    record = {"runs": len(written.runs), "missing": written.missing, "out": str(out)}
    say(as_json, record, f"{len(written.runs)} runs in {out}{_named(written.missing)}")


@grouped
def trained_predict(
    options: TrainedOptions,
    out: Annotated[Path, typer.Option(help="Folder with runs.csv.")] = OUT / "trained",
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Compute no tangent kernel, use those on record.")
    ] = False,
    smaller: Smaller = False,
    as_json: Json = False,
) -> None:
    """Write what four predictors say of the networks. And how far off each is.

    \b
    Example:
        python -m validation trained-predict
    """
    from validation.trained import write_predictions

    errors = write_predictions(
        options.open(there=not recorded), out, fill=not recorded, smaller=smaller
    )
    whole = errors[errors["scope"] == "all"].drop(columns=["scope", "of"])
    record = {"errors": json.loads(whole.to_json(orient="records")), "out": str(out)}
    say(as_json, record, f"{whole.to_string(index=False)}\npredictions in {out}")


@grouped
def trained_foretell(
    options: TrainedOptions,
    out: Annotated[
        Path, typer.Option(help="Folder of predicted.csv, which must not be there yet.")
    ] = OUT / "settings",
    as_json: Json = False,
) -> None:
    """Write predictions of the networks at three settings. Before these are run.

    \b
    Example:
        python -m validation trained-foretell --out predicted-again
    """
    from validation.trained import write_setting_predictions

    table = write_setting_predictions(options.open(there=False), out)
    record = {"predictions": len(table), "out": str(out)}
    say(as_json, record, f"{len(table)} predictions in {out}")


@grouped
def trained_settings(
    options: TrainedOptions,
    out: Annotated[
        Path, typer.Option(help="Folder with runs.csv and the stored predicted.csv.")
    ] = OUT / "settings",
    smaller: Smaller = False,
    as_json: Json = False,
) -> None:
    """Hold stored predictions against the networks. And forecasts, at the three settings.

    \b
    Example:
        python -m validation trained-settings --out docs/results/trained/settings
    """
    from validation.trained import write_settings

    errors = write_settings(options.open(there=False), out, smaller=smaller)
    whole = errors[errors["scope"] == "head"].drop(columns="scope")
    record = {"errors": json.loads(whole.to_json(orient="records")), "out": str(out)}
    say(as_json, record, f"{whole.to_string(index=False)}\ntables in {out}")


@grouped
def trained_kernels(
    options: TrainedOptions,
    out: Annotated[Path, typer.Option(help="Folder of the table.")] = OUT / "settings",
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Compute no kernel, use those on record.")
    ] = False,
    smaller: Smaller = False,
    as_json: Json = False,
) -> None:
    """Hold kernels against the networks. Their own at several ridges, and one that learns features.

    \b
    Example:
        python -m validation trained-kernels --out docs/results/trained/settings
    """
    from validation.trained import (
        TANGENT_HEADS,
        write_best_kernels,
        write_feature_learning,
        write_kernels,
        write_learned_metric,
        write_moving_kernel,
        write_tangent_ridges,
    )

    session = options.open(there=not recorded)
    asked = session.heads or session.study.heads
    table = write_kernels(session, out, not recorded, smaller=smaller)
    if "concat-mlp" in asked:
        for write in (write_feature_learning, write_moving_kernel, write_learned_metric):
            write(session, out, fill=not recorded, smaller=smaller)
    if {*asked} & {*TANGENT_HEADS}:
        write_tangent_ridges(session, out, not recorded, smaller=smaller)
    write_best_kernels(session, out, fill=not recorded, smaller=smaller)
    heads = sorted({str(head) for head in table["head"]})
    record = {"heads": heads, "out": str(out)}
    say(as_json, record, f"kernels of {', '.join(heads)} in {out}")


def _named(missing: Sequence[str]) -> str:
    return "".join(f"\nmissing: {name}" for name in missing)
