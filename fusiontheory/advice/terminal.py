"""The advice for a terminal: sentences, a table and a small plot of letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fusiontheory.advice.figures import shown_heads
from fusiontheory.advice.words import count, in_metric, points
from fusiontheory.constraints import checked

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from fusiontheory.advice.answer import Advice

__all__ = ["letter_plot", "print_summary", "summary_text"]

_WIDE, _HIGH = 56, 12


def summary_text(advice: Advice) -> str:
    """Return the summary as plain text."""
    from rich.console import Console

    console = Console(width=100, color_system=None, force_terminal=False, record=True, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        print_summary(advice, console)
    return captured.get()


@checked
def print_summary(advice: Advice, console: Console) -> None:
    """Print the summary; the first line says what the task is."""
    from rich.text import Text

    console.print(Text(advice.headline))
    console.print(Text("v and t are the two modalities, in the order in which they were given."))
    console.print()
    console.print(Text(advice.recommendation, style="bold"))
    console.print(
        Text(f"Verdict: {advice.verdict}; confidence {advice.confidence:.2f}. {advice.settle}")
    )
    for sentence in advice.changes:
        console.print(Text(f"- {sentence}"))
    console.print()
    console.print(Text(f"At n = {count(advice.target)}:"))
    console.print(_choice(advice))
    console.print(Text(letter_plot(advice)))
    if "assurance" in advice.tables:
        own = advice.tables["assurance"].set_index("head").loc[advice.recommended]
        console.print(Text(f"Assurance: {own['sentence']}."))
    for row in _missing(advice):
        console.print(Text(row))
    if "verification" in advice.tables:
        console.print(Text(verified(advice)))
    console.print()
    for note in advice.notes:
        console.print(Text(f"* {note}", style="dim"))


def verified(advice: Advice) -> str:
    """Return how many measured points lie inside their intervals."""
    table = advice.tables["verification"]
    off = float((table["predicted"] - table["measured"]).mean())
    way = "too high" if off > 0 else "too low"
    return (
        f"Verified on held-out items: {int(table['inside'].sum())} of {len(table)} measured points"
        f" lie inside their 90 % intervals; predictions are {points(abs(off), advice.metric)}"
        f" {way} on average."
    )


def _choice(advice: Advice) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="")
    # Two lines of a heading leave room for whole numbers in 80 columns.
    titles = [advice.metric_name.replace(" ", "\n"), "90 % interval"]
    for name in ("fusion", *titles, "P(best)", "regret", "weights", "fit s"):
        table.add_column(name, justify="left" if name == "fusion" else "right", no_wrap=True)
    cost = advice.tables["cost"].set_index("head")
    for row in advice.tables["choice"].to_dict("records"):
        head = str(row["head"])
        ends = [in_metric(float(row[end]), advice.metric) for end in ("low", "high")]
        cells = [
            head,
            in_metric(float(row["expected"]), advice.metric),
            f"{ends[0]} – {ends[1]}",
            f"{row['p_best']:.2f}",
            in_metric(float(row["expected_regret"]), advice.metric, 2),
            count(float(cost["parameters"][head])),
            f"{cost['fit_seconds'][head]:.2f}",
        ]
        bold = "bold" if head == advice.recommended else ""
        table.add_row(*(Text(cell, style=bold) for cell in cells))
    return table


def _missing(advice: Advice) -> list[str]:
    if "missing" not in advice.tables:
        return []
    said = []
    table = advice.tables["missing"]
    for name in dict.fromkeys(table["missing"]):
        rows = table[table["missing"] == name].set_index("share")
        metric = "r2" if advice.metric == "r2" else "accuracy"
        values = [in_metric(float(rows[c][s]), metric) for c, s in _PRICES]
        said.append(
            f"Without {name} in a quarter of the items: {values[0]} becomes {values[1]} with its"
            f" mean filled in, {values[2]} with the other modality's head there."
        )
    return said


_PRICES = (("imputed", 0.0), ("imputed", 0.25), ("fallback", 0.25))


def letter_plot(advice: Advice) -> str:
    """Return the curves of at most five heads as letters, n on a logarithmic axis."""
    table, shown = advice.tables["curves"], shown_heads(advice)
    sizes = np.geomspace(float(table["n"].min()), float(table["n"].max()), _WIDE)
    lines = {}
    for head in shown:
        rows = table[table["head"] == head]
        lines[head] = np.interp(np.log(sizes), np.log(rows["n"]), rows["value"])
    low, high = (float(end(np.stack(list(lines.values())))) for end in (np.min, np.max))
    grid = [[" "] * _WIDE for _ in range(_HIGH)]
    span = max(high - low, 1e-9)
    target = int(np.argmin(abs(np.log(sizes / advice.target))))
    for row in grid:
        row[target] = "|"
    for k, head in reversed(list(enumerate(shown))):
        for x, value in enumerate(lines[head]):
            grid[_HIGH - 1 - int((value - low) / span * (_HIGH - 1) + 0.5)][x] = "abcde"[k]
    ends = {0: in_metric(high, advice.metric), _HIGH - 1: in_metric(low, advice.metric)}
    text = [f"{ends.get(k, ''):>8} {''.join(row)}" for k, row in enumerate(grid)]
    first, last = f"n = {count(sizes[0])}", count(sizes[-1])
    text.append(f"{'':9}{first}{last:>{_WIDE - len(first)}}")
    key = ", ".join(f"{letter} {head}" for letter, head in zip("abcde", shown, strict=False))
    return "\n".join([*text, f"{key}; | target"])
