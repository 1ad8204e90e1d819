"""The command ``fusiontheory orders``."""

from __future__ import annotations

from typing import Annotated

import typer

from fusiontheory.checks import InputError
from fusiontheory.commands.options import Json, print_json

__all__ = ["orders"]


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
    as_json: Json = False,
    as_latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX (amsmath).")] = False,
) -> None:
    """Print the orders claimed in arXiv:2606.01207. Risks, ratio of dimensions, crossover.

    \b
    Examples:
        fusiontheory orders --d-v 512 --d-t 512
        fusiontheory orders --eps-concat 0.2 --eps-attention 0.1 --latex
    """
    from fusiontheory.symbolic import Orders

    if as_json and as_latex:
        raise InputError("--json and --latex exclude each other, got both; leave one out")
    claimed = Orders(d_v, d_t, constant, eps_concat, eps_attention, rank, rate)
    if as_json:
        print_json(claimed.to_dict())
    else:
        typer.echo(claimed.to_latex() if as_latex else claimed.to_text())
