"""Lay the pages of the site side by side, as they lie in the repository, and make those of the API.

The folder that is made mirrors the repository, so that links between pages are right on the site as
they are in a checkout. Added are one page for each room of the library, and, on the page of
a study, its figure and what is stored of it.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

PAGES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/*.md",
    "docs/results/**/*.md",
    "experiments/README.md",
    "experiments/*/README.md",
    "paper/*.md",
    "validation/data/README.md",
    "fusiontheory/advice/data/README.md",
)
"""Pages of the site, as they stand in the repository."""

FILES = (
    "CITATION.cff",
    "LICENSE",
    "docs/figures/*",
    "docs/results/**/*.csv",
    "docs/results/**/*.svg",
    "experiments/*/*.svg",
    "experiments/*/*.csv",
    "tests/**/test_*.py",
    "paper/paper.bib",
    "experiments/simulate_example.toml",
)
"""What pages show or link to."""

NOT_A_ROOM = {"__init__", "__main__", "torch_needed", "cli", "plugins"}


def stage(folder: Path) -> Path:
    """Fill an empty folder with the sources of the site and return it."""
    shutil.rmtree(folder, ignore_errors=True)
    for pattern in (*PAGES, *FILES):
        for source in sorted(ROOT.glob(pattern)):
            target = folder / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    paper = folder / "paper" / "paper.md"
    paper.write_text(_paper(paper.read_text(encoding="utf-8")), encoding="utf-8")
    for page in (folder / "docs").glob("*.md"):
        page.write_text(_linked(page.read_text(encoding="utf-8")), encoding="utf-8")
    for study in studies():
        page = folder / "experiments" / study / "README.md"
        page.write_text(study_page(study), encoding="utf-8")
    for name in ("index.md", "studies.md", "theory.md", "guides.md", "project.md"):
        shutil.copyfile(HERE / name, folder / name)
    shutil.copytree(HERE / "gallery", folder / "gallery")
    (folder / "api").mkdir()
    for name, text in api_pages().items():
        (folder / "api" / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def _linked(text: str) -> str:
    """Return a page whose links to scripts of the gallery lead to the pages made of them."""
    return re.sub(r"\(site/gallery/(\w+)\.py\)", r"(../notebooks/\1.rst)", text)


def _paper(text: str) -> str:
    """Return the paper without what only the journal reads, with its citations and references."""
    head, body = re.match(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    title = re.search(r"^title: '(.*)'$", head, re.MULTILINE)
    assert title is not None
    cited = re.sub(
        r"\[(@[^\]]+)\]", lambda m: "(" + re.sub(r"@(\w+?)(\d+)", _named, m[1]) + ")", body
    )
    linked = re.sub(r"(\(\.\./tests/[^)#]+)#\w+\)", r"\1)", cited)
    listed = "```{literalinclude} paper.bib\n:language: bibtex\n```\n"
    return f"# {title[1]}\n\n" + re.sub(r"^# ", "## ", linked, flags=re.MULTILINE) + f"\n{listed}"


def _named(match: re.Match[str]) -> str:
    return f"{match[1].capitalize()} {match[2]}"


def studies() -> list[str]:
    """Return the names of the studies."""
    return sorted(path.parent.name for path in ROOT.glob("experiments/*/README.md"))


def study_page(name: str) -> str:
    """Return the page of a study: its own words, its figure, and what its folder stores."""
    folder = ROOT / "experiments" / name
    text = (folder / "README.md").read_text(encoding="utf-8")
    if (folder / "figure.svg").is_file() and "(figure.svg)" not in text:
        text += "\n## Figure\n\n![Figure of this study](figure.svg)\n"
    lines = [f"| `{table.name}` | {_rows(table)} |" for table in sorted(folder.glob("*.csv"))]
    if lines:
        text += "\n## Stored tables\n\n| table | rows |\n|---|---|\n" + "\n".join(lines) + "\n"
    for seal in ("predictions.json", "results.json"):
        if (folder / seal).is_file():
            text += f"\n{_sealed(folder / seal)}\n"
    return text


def _rows(table: Path) -> int:
    with table.open("rb") as file:
        return sum(1 for _ in file) - 1


def _sealed(seal: Path) -> str:
    held = json.loads(seal.read_text(encoding="utf-8"))
    what = "Predictions" if seal.stem == "predictions" else "Results"
    order = f", {held['order']}" if held.get("order") else ""
    return (
        f"{what} were sealed on {held['written'][:10]}{order}; version of the code: {held['code']}."
    )


def rooms() -> list[str]:
    """Return the rooms of the library, each of which has a page."""
    inside = (ROOT / "fusiontheory").iterdir()
    found = {
        path.stem for path in inside if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    return sorted(found - NOT_A_ROOM)


def api_pages() -> dict[str, str]:
    """Return a page for the library's face, one for each room, and their index."""
    names = rooms()
    listed = "\n".join(names)
    index = (
        "# API reference\n\n"
        "`import fusiontheory as ft` gives the names of {doc}`fusiontheory`, which most people"
        " need. The others are in the rooms of the library, such as `fusiontheory.risk`.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\nfusiontheory\n{listed}\n```\n"
    )
    pages = {"index": index, "fusiontheory": _face()}
    for name in names:
        pages[name] = f"# `fusiontheory.{name}`\n\n{_automodule(f'fusiontheory.{name}')}"
    return pages


def _face() -> str:
    """Return the index of public names: what each does is on the page of its room."""
    stub = (ROOT / "fusiontheory" / "__init__.pyi").read_text(encoding="utf-8")
    blocks = re.findall(r"from \.(\w+) import (\([^)]*\)|[^\n]+)", stub)
    lines = ["# Public names", "", "| name | what it is in |", "|---|---|"]
    for room, names in blocks:
        for name in re.findall(r"\w+", names):
            lines.append(f"| {{py:obj}}`~fusiontheory.{room}.{name}` | {{doc}}`{room}` |")
    return "\n".join(lines) + "\n"


def _automodule(name: str) -> str:
    room = importlib.import_module(name)
    public = [one for one in getattr(room, "__all__", []) if _is_own(name, getattr(room, one))]
    options = f":members: {', '.join(public)}\n:imported-members:\n:show-inheritance:"
    return (
        f"```{{eval-rst}}\n.. automodule:: {name}\n"
        + "".join(f"   {line}\n" for line in options.splitlines())
        + "```\n"
    )


def _is_own(room: str, thing: object) -> bool:
    """Return whether a name of a room's face is not one of another room, said there already."""
    module = getattr(thing, "__module__", None) or ""
    return not module.startswith("fusiontheory.") or f"{module}.".startswith(f"{room}.")
