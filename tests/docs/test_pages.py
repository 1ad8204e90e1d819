"""The pages: links lead somewhere, examples run, and each page of the site is in its contents."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fusiontheory.cli import app

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs" / "site"
sys.path.insert(0, str(SITE))

import docstrings
import stage

PAGES = sorted(
    {path for pattern in ("README.md", *stage.PAGES) for path in ROOT.glob(pattern)}
    | set(SITE.glob("*.md"))
)
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = {"docs/extraction.md", "docs/gpu.md"}  # they need images, weights or a GPU


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    """Return a page without its code."""
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page: Path) -> None:
    home = ROOT if page.parent == SITE else page.parent
    for link, _ in LINK.findall(read(page)):
        if re.match(r"[a-z]+:", link) or not re.search(r"[./]", link):
            continue  # an address, or a formula such as f(x)[a](b)
        assert (home / link).exists() or (home / f"{link}.md").exists(), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_are_there(page: Path) -> None:
    place = r"`((?:tests|experiments|validation|fusiontheory)/[\w./-]+)`"
    named = re.findall(place, page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_tests_that_a_page_names_are_there() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w*)`", (ROOT / "docs" / "reliability.md").read_text())
    assert len(named) >= 14
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / "tests" / file).read_text(), (file, test)


def test_the_page_of_the_package_has_no_link_into_a_folder() -> None:
    page = runpy.run_path(str(ROOT / "setup.py"))["page"]
    readme = (ROOT / "README.md").read_text()
    without = page(readme, "")
    assert LINK.findall(without) == []
    assert "*Predicted and measured accuracy" in without
    whole = page(readme, "https://host/owner/name")
    assert "](https://host/owner/name/raw/main/docs/figures/comparison.png)" in whole
    for link, _ in LINK.findall(whole):
        tail = re.fullmatch(r"https://host/owner/name/(?:raw|blob)/main/(.+)", link)
        assert tail, link
        assert (ROOT / tail[1]).exists(), link


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that examples name."""
    folder = tmp_path_factory.mktemp("examples")
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((160, 6))
    image, text = (shared + rng.standard_normal((160, 6)) for _ in range(2))
    kind = np.where(shared[:, 0] * shared[:, 1] > 0, "cat", "dog")
    np.save(folder / "image.npy", image)
    np.save(folder / "text.npy", text)
    np.savez(folder / "features.npz", image=image, text=text)
    np.save(folder / "labels.npy", kind)
    for name in ("items.csv", "y.csv"):
        (folder / name).write_text("\n".join(["kind", *kind]))
    (folder / "runs.csv").write_text("head,n,accuracy,seed\nbilinear,128,0.7,0\n")
    (folder / "experiments").mkdir()
    grid = (ROOT / "experiments" / "simulate_example.toml").read_text()
    (folder / "experiments" / "simulate_example.toml").write_text(grid.replace("= 5", "= 1", 1))
    return folder


def examples() -> list[tuple[str, str, str]]:
    """Return page, language and content of each example."""
    found = []
    for page in PAGES:
        if name_of(page) not in NOT_RUN:
            found += [(name_of(page), *block) for block in BLOCK.findall(page.read_text())]
    return found


@pytest.mark.parametrize("page", sorted({page for page, _, _ in examples()}))
def test_examples_run(page: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, as a reader would: Python in one namespace, commands as they stand."""
    monkeypatch.chdir(scratch)
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((2, 160, 6))
    held = {"image": image, "text": text, "v": image, "t": text}
    held |= {"y": image[:, 0] > 0, "patient": np.arange(160) // 2, "np": np}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one, language, content in examples():
            if one != page:
                continue
            if language == "python":
                exec(compile(content, page, "exec"), held)
            else:
                for line in joined(content):
                    run(line)


Kind = tuple[str, int, bool]
"""Of a command: its name, how many files it is given, and whether labels are among the options."""


def kind_and_options(line: str) -> tuple[Kind, set[str]] | None:
    """Return what a line of an example runs of the library; None for anything else."""
    words = shlex.split(line, comments=True)
    if words[:1] != ["fusiontheory"]:
        return None
    options = {word for word in words if word.startswith("--")}
    files = next((k for k, word in enumerate(words[2:]) if word in options), len(words) - 2)
    return (words[1], files, "--labels" in options), options


def is_run_elsewhere(line: str) -> bool:
    """Return whether a command with the same files has all its options in a longer example."""
    shown = kind_and_options(line)
    lines = [one for _, language, text in examples() if language == "sh" for one in joined(text)]
    others = [known for one in lines if (known := kind_and_options(one)) is not None]
    assert shown is not None
    return any(kind == shown[0] and shown[1] < options for kind, options in others)


def joined(content: str) -> list[str]:
    return content.replace("\\\n", " ").splitlines()


def run(line: str) -> None:
    """Run a command of the library; of others, that is of what takes long, nothing."""
    known = kind_and_options(line)
    if known is None:
        return
    words = shlex.split(line, comments=True)
    if is_run_elsewhere(line):
        assert all(Path(word).exists() for word in words[2 : 2 + known[0][1]]), line
        return
    result = CliRunner().invoke(app, words[1:])
    assert result.exit_code == 0, f"{line}\n{result.output}"


@pytest.mark.parametrize(
    "script", sorted((SITE / "gallery").glob("plot_*.py")), ids=lambda p: p.stem
)
def test_notebooks_run(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held = runpy.run_path(str(script))
    assert held["__doc__"].strip().splitlines()[1].startswith("===")
    assert not list(tmp_path.iterdir())


def test_the_contents_have_every_page() -> None:
    named = "\n".join(path.read_text() for path in SITE.glob("*.md"))
    for page in ROOT.glob("docs/*.md"):
        assert f"docs/{page.stem}\n" in named, f"name docs/{page.stem} in a list of {SITE}/*.md"
    for study in stage.studies():
        assert f"experiments/{study}" in named or "experiments/*/README" in named


def test_a_study_has_its_figure_tables_and_seals() -> None:
    page = stage.study_page("rank")
    assert "(figure.svg)" in page
    assert "| `results.csv` |" in page
    assert "Predictions were sealed on 2026-" in page


def test_every_public_name_is_on_a_page_of_the_reference() -> None:
    pages = stage.api_pages()
    import fusiontheory as ft

    for name in ft.__all__:
        assert f".{name}`" in pages["fusiontheory"], name


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Return |x|."], [r"Return \|x\|."]),
        (["The bars of ``|x|`` stay."], ["The bars of ``|x|`` stay."]),
        ([">>> a | b"], [">>> a | b"]),
        (
            ["So", "", "    y = |x|", "", "holds."],
            ["So", "", "", ".. code-block:: text", "", "    y = |x|", "", "", "holds."],
        ),
        (["Args:", "    x: |x|.", "", "    more"], ["Args:", r"    x: \|x\|.", "", "    more"]),
    ],
)
def test_docstrings_are_set_as_they_are_meant(lines: list[str], expected: list[str]) -> None:
    docstrings.mend(None, "function", "f", None, None, lines)
    assert lines == expected
