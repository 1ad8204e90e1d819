"""Draw the rooms from the imports and bring docs/architecture.md up to date.

Run from the repository: ``python docs/architecture.py``. Floors are those of the contracts in
pyproject.toml; arrows are what the modules import, type checkers' imports left out.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import grimp
import tomllib  # of Python 3.11
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from walk import walks

from fusiontheory.plotting import save_figure, style

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # where validation is, which is not installed
PAGE, PICTURE = ROOT / "docs" / "architecture.md", ROOT / "docs" / "figures" / "architecture"
CONTRACTS = {
    "validation": "Rooms of validation",
    "fusiontheory": "Floors of the library, neighbours apart",
}
GROUND = ("checks", "constraints", "typing")
"""Every room stands on them: their arrows are not drawn."""

Floors = list[list[str]]
Arrows = set[tuple[str, str]]

# Greys and colours that stand out from a white page and from a dark one.
_LINE, _WORD, _INK = "#8b8f96", "#808690", "#16181c"
_FILL = {"validation": "#e8c07d", "fusiontheory": "#9cc4e4"}
_WIDE, _HIGH, _STEP = 1.06, 0.34, 0.86


def floors(package: str) -> Floors:
    """Return the rooms of a package floor by floor from the top, as its contract has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["name"] == CONTRACTS[package])
    there = {p.stem for p in (ROOT / package).iterdir() if p.suffix == ".py" or p.is_dir()}
    named = [[name.strip(" ()") for name in re.split(r"[|:]", layer)] for layer in layers]
    return [kept for row in named if (kept := [name for name in row if name in there])]


def arrows(package: str, rows: Floors) -> Arrows:
    """Return (importing room, imported room) of a package."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=True, cache_dir=None)
    rooms = {name for row in rows for name in row}
    drawn = set()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            ends = tuple(name.split(".")[1] for name in (module, imported) if "." in name)
            if len(ends) == 2 and ends[0] != ends[1] and rooms.issuperset(ends):
                drawn.add(ends)
    return drawn


def implied(direct: Arrows) -> Arrows:
    """Return the arrows that a way of two or more others says already.

    >>> sorted(implied({("a", "b"), ("b", "c"), ("a", "c")}))
    [('a', 'c')]
    """
    below: dict[str, set[str]] = {}

    def reach(name: str) -> set[str]:
        if name not in below:
            nexts = {end for start, end in direct if start == name}
            below[name] = nexts.union(*map(reach, nexts))
        return below[name]

    return {
        (start, end)
        for start, end in direct
        if any(end in reach(via) for first, via in direct if first == start and via != end)
    }


def arranged(rows: Floors, direct: Arrows) -> dict[str, float]:
    """Return the place of each room on its floor, near the rooms it knows."""
    place = {name: float(k - (len(row) - 1) / 2) for row in rows for k, name in enumerate(row)}
    for sweep in range(12):
        for row in rows if sweep % 2 else reversed(rows):
            pull = {
                name: [place[b] for a, b in direct if a == name]
                + [place[a] for a, b in direct if b == name]
                for name in row
            }
            order = sorted(row, key=lambda n: sum(pull[n]) / len(pull[n]) if pull[n] else place[n])
            for k, name in enumerate(order):
                place[name] = float(k - (len(row) - 1) / 2)
    return place


def draw() -> Figure:
    """Return the picture: boxes on floors, arrows from who imports to who is imported."""
    parts = {package: floors(package) for package in CONTRACTS}
    widest = max(len(row) for rows in parts.values() for row in rows)
    lines = sum(len(rows) for rows in parts.values())
    with style():
        figure = Figure(figsize=(10.5, 0.74 * (lines + 1.9)))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(-widest * 0.62 - 0.55, widest * 0.62 + 0.55)
        axes.set_ylim(-0.15, (lines + 1.3) * _STEP)
        top = (lines + 1) * _STEP
        said = "experiments, paper_figures: over everything below"
        axes.text(0, top, said, color=_WORD, ha="center", va="center")
        for package, rows in parts.items():
            top = _draw_part(axes, package, rows, top - _STEP, widest)
        figure.patch.set_alpha(0)
    return figure


def _draw_part(axes: Any, package: str, rows: Floors, top: float, widest: int) -> float:
    direct = arrows(package, rows)
    place, faint = arranged(rows, direct), implied(direct)
    centre = {
        name: (min(1.24 * widest / len(row), 2.1) * place[name], top - _STEP * k)
        for k, row in enumerate(rows)
        for name in row
    }
    left = -widest * 0.62 - 0.45
    axes.text(left, top + 0.42, f"{package}/", color=_WORD, weight="bold", va="center")
    for start, end in sorted(direct):
        if end in GROUND:
            continue
        (x, y), (x2, y2) = centre[start], centre[end]
        far = (start, end) in faint
        arrow = FancyArrowPatch(
            (x, y - _HIGH / 2),
            (x2, y2 + _HIGH / 2),
            arrowstyle="-|>",
            mutation_scale=7,
            shrinkA=0,
            shrinkB=0,
            color=_LINE,
            linewidth=0.5 if far else 1.1,
            linestyle=(0, (2, 3)) if far else "-",
            zorder=1,
        )
        axes.add_patch(arrow)
    for name, (x, y) in centre.items():
        box = FancyBboxPatch(
            (x - _WIDE / 2, y - _HIGH / 2),
            _WIDE,
            _HIGH,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=_FILL[package],
            edgecolor=_LINE,
            linewidth=0.8,
            zorder=2,
        )
        axes.add_patch(box)
        axes.text(x, y, name, color=_INK, ha="center", va="center", zorder=3)
    return top - _STEP * (len(rows) - 0.3)


def inserted(page: str, name: str, text: str) -> str:
    """Return a page whose block ``name`` holds ``text`` as it stands.

    >>> inserted("<!-- walk -->old<!-- end walk -->", "walk", "new")
    '<!-- walk -->\\n```text\\nnew\\n```\\n<!-- end walk -->'
    """
    start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    before, _, rest = page.partition(start)
    after = rest.partition(end)[2]
    return f"{before}{start}\n```text\n{text}\n```\n{end}{after}"


def counted() -> str:
    """Return how many rooms, floors and arrows each package has."""
    lines = []
    for package in CONTRACTS:
        rows = floors(package)
        direct = arrows(package, rows)
        level = {name: k for k, row in enumerate(rows) for name in row}
        up = [pair for pair in direct if level[pair[0]] >= level[pair[1]]]
        ground = sum(end in GROUND for _, end in direct)
        lines.append(
            f"{package}: {len(level)} rooms on {len(rows)} floors, {len(direct)} arrows"
            + (f" ({ground} of them to {' and '.join(GROUND)}, not drawn)" if ground else "")
            + f", {len(up)} to the same floor or a higher one"
        )
    return "\n".join(lines)


def holdings() -> str:
    """Return a line for each room, from the top floor: what the first line of its code says."""
    lines = []
    for package in CONTRACTS:
        lines.append(f"{package}/")
        for name in (room for row in floors(package) for room in row):
            room = ROOT / package / name
            code = (room / "__init__.py" if room.is_dir() else room.with_suffix(".py")).read_text()
            said = (ast.get_docstring(ast.parse(code)) or "").partition("\n")[0].replace("`", "")
            lines.append(f"  {name:13} {said}")
    return "\n".join(lines)


if __name__ == "__main__":
    save_figure(draw(), PICTURE, ["svg"])
    text = PAGE.read_text(encoding="utf-8")
    text = inserted(text, "rooms", counted())
    text = inserted(text, "holdings", holdings())
    for name, block in zip(("walk", "joined", "apart"), walks(), strict=True):
        text = inserted(text, name, block)
    PAGE.write_text(text, encoding="utf-8")
