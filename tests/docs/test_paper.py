"""Every sentence of the paper that could be false leads to a test or a stored table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "paper" / "paper.md"
TEXT = PAPER.read_text()
SECTIONS = dict(re.findall(r"^# (.+?)\n(.*?)(?=^# |\Z)", TEXT, re.MULTILINE | re.DOTALL))
EVIDENCE = re.compile(r"\[(tested|table)\]\(([^)#]+)(?:#(\w+))?\)")
CLAIMING = ("What it computes", "How well it predicts", "Software design")


def sentences(section: str) -> list[str]:
    plain = " ".join(SECTIONS[section].split())
    return [one for one in re.split(r"(?<=[.!?]) (?=[A-Z])", plain) if one]


@pytest.mark.parametrize("section", CLAIMING)
def test_each_sentence_leads_to_its_evidence(section: str) -> None:
    for sentence in sentences(section):
        assert EVIDENCE.search(sentence), sentence


@pytest.mark.parametrize(("kind", "link", "name"), EVIDENCE.findall(TEXT))
def test_the_evidence_is_there(kind: str, link: str, name: str) -> None:
    path = (PAPER.parent / link).resolve()
    assert path.is_file()
    if kind == "tested":
        assert re.search(rf"^def {name}\(", path.read_text(), re.MULTILINE), name
    else:
        assert path.suffix == ".csv"
        assert len(path.read_text().splitlines()) > 1


def test_there_is_no_number_elsewhere() -> None:
    """Numbers stand where evidence does; years and the word CLIP's are none."""
    for section in SECTIONS.keys() - {*CLAIMING, "References"}:
        text = re.sub(r"@\w+|Flickr8k", "", SECTIONS[section])
        assert not re.search(r"\d", text), section


def test_what_is_cited_is_in_the_list() -> None:
    cited = set(
        re.findall(r"@(\w+)", SECTIONS["Statement of need"] + SECTIONS["State of the field"])
    )
    listed = set(
        re.findall(r"^@misc\{(\w+),", (ROOT / "paper" / "paper.bib").read_text(), re.MULTILINE)
    )
    assert cited == listed
