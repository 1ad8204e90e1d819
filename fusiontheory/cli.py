"""The command line ``fusiontheory``: each command reads its options, calls the library, prints.

Nothing is computed here, and each command imports what it needs itself, so that ``--help``
answers at once. An `InputError` becomes one line and status 2 in `fusiontheory.console`.
"""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fusiontheory.checks import InputError
from fusiontheory.console import application
from fusiontheory.store_commands import app as store_app

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["app"]

_TASK = "Image-text matching"

app = application("Predict and measure which fusion of two modalities learns from fewer samples.")
app.add_typer(store_app, name="store")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"fusiontheory {version('fusiontheory')}")
        raise typer.Exit


def _print_json(record: dict[str, Any]) -> None:
    """Print a record as JSON that any parser reads: NaN and infinity are refused."""
    typer.echo(json.dumps(record, indent=2, allow_nan=False))


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def orders(
    d_v: Annotated[int, typer.Option(help="Dimension of the image feature.")] = 512,
    d_t: Annotated[int, typer.Option(help="Dimension of the text feature.")] = 512,
    rank: Annotated[
        int | None, typer.Option(help="Total attention width r <= min(d_v, d_t). [default: full]")
    ] = None,
    constant: Annotated[float, typer.Option(help="c > 0 of the estimation errors.")] = 1.0,
    eps_concat: Annotated[
        float | None, typer.Option(help="Approximation error of concatenation.")
    ] = None,
    eps_attention: Annotated[
        float | None, typer.Option(help="Approximation error of cross-attention.")
    ] = None,
    rate: Annotated[str, typer.Option(help="fast (c D/n) or slow (c sqrt(D/n)).")] = "fast",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX (amsmath).")] = False,
) -> None:
    """Print the orders claimed in arXiv:2606.01207: risks, ratio of dimensions, crossover."""
    from fusiontheory.symbolic import Orders

    if as_json and as_latex:
        raise InputError("--json and --latex exclude each other, got both; leave one out")
    claimed = Orders(d_v, d_t, constant, eps_concat, eps_attention, rank, rate)
    if as_json:
        _print_json(claimed.to_dict())
    else:
        typer.echo(claimed.to_latex() if as_latex else claimed.to_text())


_Files = Annotated[
    list[Path],
    typer.Argument(
        help="A file of image and text vectors, or one of each: .safetensors, .npz, .npy, .pt,"
        " .parquet, .csv, .h5, .h5ad, .h5mu and others."
    ),
]
_ImageKey = Annotated[str | None, typer.Option(help="Name of the image array in its file.")]
_TextKey = Annotated[str | None, typer.Option(help="Name of the text array in its file.")]
_Missing = Annotated[
    str, typer.Option(help="Rows that are zero or not finite: refuse, or drop and count.")
]


@app.command()
def predict(
    features: _Files,
    head: Annotated[
        list[str] | None, typer.Option(help="Fusion head; can be repeated. [default: all]")
    ] = None,
    n: Annotated[
        str, typer.Option("--n", help="Numbers of training pairs, separated by commas.")
    ] = "256,512,1024,2048,4096,8192",
    ridge: Annotated[float, typer.Option(help="delta of K + delta I, at least 0.")] = 0.1,
    split: Annotated[
        str | None,
        typer.Option(help="Split to take moments of. [default: train if there are splits]"),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Take features as they are: do not centre or normalise.")
    ] = False,
    test_images: Annotated[
        int | None, typer.Option(help="Widen intervals by the sampling of so many test images.")
    ] = None,
    training_sets: Annotated[
        int | None, typer.Option(help="Intervals of a mean over so many training sets.")
    ] = None,
    image_key: _ImageKey = None,
    text_key: _TextKey = None,
    missing: _Missing = "refuse",
    figure: Annotated[
        Path | None, typer.Option(help="Draw the predicted accuracy: .png, .svg or .pdf.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Predict image-text matching accuracy against the number of pairs from features."""
    from fusiontheory.curves import forecast
    from fusiontheory.data import Reading

    sizes = _parse_numbers("n", n)
    _check_figure(figure)
    reading = Reading(image_key, text_key, missing)  # type: ignore[arg-type]
    table = forecast(features, head, sizes, ridge, split, raw, test_images, training_sets, reading)
    if figure is not None:
        from fusiontheory.plotting import plot_curve

        drawn = plot_curve(table, width=4.6)
        drawn.axes[0].set_title(_TASK)
        _save(drawn, figure)
    if as_json:
        rows = table.to_dict("records")
        # JSON has no infinity: the risk of an interpolation peak is null.
        finite = [{k: None if v in (inf, -inf) else v for k, v in row.items()} for row in rows]
        _print_json({"task": _TASK, "ridge": ridge, "predictions": finite})
    else:
        typer.echo(f"{_TASK}: is a text the image's own? Chance is 0.5; ridge {ridge:g}.")
        typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


@app.command()
def simulate(
    config: Annotated[
        Path, typer.Argument(help="TOML file: heads, n, seeds, ridge, pairs, target, vary.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for records and table.parquet.")] = Path(
        "simulation"
    ),
    jobs: Annotated[int, typer.Option(help="Processes, one linear algebra thread each.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, in place of processes.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw theory and simulation: .png, .svg or .pdf.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Of kernel ridge: cpu; cuda, every GPU; cuda:1, that one; auto."
            " [default: NumPy, without PyTorch]"
        ),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="On a device: float64, or mixed, float32 refined to float64.")
    ] = "float64",
    partial: Annotated[
        bool, typer.Option(help="Write the table of the rest if workers died again and again.")
    ] = False,
) -> None:
    """Simulate a grid of configurations x heads x n x seeds x ridges; resume where it stopped.

    The file, in TOML:

    \b
        heads = ["additive", "bilinear"]  # sum, low-rank, dot-product, concat-mlp
        n = [64, 256, 1024]
        seeds = 5                         # 0 .. 4, or a list
        ridge = [0.01]                    # delta of K + delta I
        intercept = true                  # the defaults from here on
        test_rows = 4096                  # used only without closed form
        predict = "sharp"                 # "gaussian" (cheaper), "none"
        study = "simulation"
        [pairs]                           # fields of SharedLatentPairs
        d_v = 32
        d_t = 32
        spectrum_v = "power 0.8"
        [target]                          # fields of Target
        noise = 0.1
        [degradation]                     # fields of Degradation
        sigma_t = 0.1
        [vary]                            # every combination
        "pairs.correlation" = [0.1, 0.5, 0.9]
        "target.interaction" = [0.0, 0.5, 1.0]
    """
    from fusiontheory.simulate import LostUnits, check_panels, plot_simulation, read_grid
    from fusiontheory.simulate import simulate as run

    grid = read_grid(config)
    if figure is not None:
        _check_figure(figure)
        check_panels(len(grid.configs) * len(grid.ridges), ["ridge", "vary"])
    try:
        table = run(grid, out, jobs, scheduler, partial, device=device, precision=precision)
    except LostUnits as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        done = "interrupted; what is done is kept: run the same command again to resume"
        typer.echo(f"error: {done}", err=True)
        raise typer.Exit(130) from error
    if len(table) < grid.runs:
        typer.echo(f"{len(table)} of {grid.runs} runs in {out / 'partial.parquet'}")
        raise typer.Exit(1)
    typer.echo(f"{len(table)} runs in {out / 'table.parquet'}")
    if figure is not None:
        _save(plot_simulation(table), figure)


@app.command()
def alignment(
    features: _Files,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="cosine, recall, gap, canonical, cka or neighbours; can be repeated."
            " [default: all that the dimensions allow]"
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Split to measure. [default: all images]")
    ] = None,
    permutations: Annotated[int, typer.Option(help="Random pairings of the null.")] = 200,
    bootstrap: Annotated[int, typer.Option(help="Replicates of the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of pairings, replicates and folds.")] = 0,
    image_key: _ImageKey = None,
    text_key: _TextKey = None,
    missing: _Missing = "refuse",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how well image and text features agree, with intervals and permutation nulls."""
    from fusiontheory.alignment import measure_alignment
    from fusiontheory.data import Reading, read_features

    reading = Reading(image_key, text_key, missing)  # type: ignore[arg-type]
    loaded = read_features(features, reading)
    rows = loaded.rows() if split is None else loaded.rows(split)
    table = measure_alignment(
        loaded.image[rows],
        loaded.text[rows],
        permutations=permutations,
        bootstrap=bootstrap,
        seed=seed,
        metrics=metric or None,
    )
    if as_json:
        # JSON has no NaN: what was not asked for is null.
        records = table.astype(object).where(table.notna(), None).to_dict("records")
        _print_json({"images": len(rows), "metrics": records})
    else:
        typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:.4f}"))


def _check_figure(path: Path | None) -> None:
    """Refuse a format that cannot be written, before any work."""
    if path is not None and path.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"--figure must end in .png, .svg or .pdf, got {path.name!r}")


def _save(drawn: Figure, path: Path) -> None:
    from fusiontheory.plotting import save_figure

    save_figure(drawn, path.with_suffix(""), [path.suffix[1:]])


def _parse_numbers(name: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"{name} must be numbers separated by commas, got {text!r}") from error
