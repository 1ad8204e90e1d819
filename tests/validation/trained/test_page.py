"""The page of the trained study says what its tables say, and names what is not there."""

from __future__ import annotations

import html.parser
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusiontheory.checks import InputError
from fusiontheory.store import Cell, RecordStore
from validation.claims import CLAIMS
from validation.trained.report import (
    ablation_grid,
    accuracy_grid,
    gap_grid,
    record_facts,
    write_page,
)

SVG = b'<svg viewBox="0 0 1 1"><g id="a"/></svg>'
FACTS: dict[str, Any] = {"device": ["cpu, 1 threads"], "versions": ["torch 9.8"], "own": 7}


def runs() -> pd.DataFrame:
    """Return runs of three heads at two n and one noise level, the lead 0.1 and growing."""
    rows = [
        (setting, condition, head, n, seed, sigma, side, start + n / 1e5 + seed / 1e3)
        for setting in ("fixed", "tuned")
        for condition in ("aligned", "strength-0.5")
        for head, start in (("concat-mlp", 0.7), ("cross-attention", 0.6), ("bilinear", 0.8123))
        for n, sigma, side in ((2048, 0.0, "both"), (4096, 0.0, "both"), (2048, 0.05, "text"))
        for seed in (0, 1)
    ]
    columns = ["setting", "condition", "head", "n", "seed", "sigma", "side", "accuracy"]
    return pd.DataFrame(rows, columns=columns).assign(seconds=90.0, diverged=False)


def frames() -> dict[str, pd.DataFrame]:
    """Return every table of the study."""
    place = ["setting", "condition", "head", "n", "sigma", "side"]
    grouped = runs().groupby(place, sort=False)["accuracy"]
    accuracy = pd.DataFrame({"accuracy": grouped.mean(), "se": grouped.sem()}).reset_index()
    accuracy["predicted"] = 0.7777
    wide = accuracy.pivot_table(index=[p for p in place if p != "head"], columns="head")["accuracy"]
    parts = [
        (wide["concat-mlp"] - wide[head]).rename("gap").reset_index().assign(second=head)
        for head in ("cross-attention", "bilinear")
    ]
    gaps = pd.concat(parts, ignore_index=True)
    gaps["crossed_low"], gaps["crossed_high"] = gaps["gap"] - 0.0123, gaps["gap"] + 0.0145
    gaps["crossed_p_holm"] = np.where(gaps["second"] == "bilinear", 0.0431, 1e-9)
    mine = {"condition": ["aligned"], "second": ["bilinear"]}
    scaling = {"exponent": -0.37, "low": -np.inf, "high": np.nan, "p_of_-1": 0.0213, "p_of_0": 0.44}
    trend = {"side": "text", "n": 2048, "slope": -2.67, "low": -3.11, "high": -1.19}
    claims = [(c.name, "refuted", "undecided", f"why of {c.name}", np.nan) for c in CLAIMS]
    evidence = {"claim": CLAIMS[0].name, "features": "made up", "setting": "fixed: x", "n": 2048.0}
    evidence |= {"condition": "aligned", "sigma": 0.0, "quantity": "lead", "estimate": 0.3141}
    evidence |= {"low": 0.2718, "high": 0.3333, "predicted": np.nan, "outcome": "fails"}
    ablations = [
        ("optimiser", level, "aligned", 2048, "bilinear", seed, value + seed / 100)
        for level, value in (("adam", 0.61), ("sgd", 0.52))
        for seed in (0, 1)
    ]
    columns = ["ablation", "level", "condition", "n", "head", "seed", "accuracy"]
    return {
        "runs": runs(),
        "accuracy": accuracy,
        "gaps": gaps,
        "scaling": pd.DataFrame(mine | scaling),
        "trends": pd.DataFrame(mine | trend | {"p_value": 0.02, "permutation_p": 0.03}),
        "power": pd.DataFrame(mine | {"n": 2048, "sd": 0.00456, "seeds": 17, "low": 9, "high": 41}),
        "predicted": pd.DataFrame(mine),
        "claims": pd.DataFrame(
            claims, columns=["claim", "verdict", "expected", "reason", "missing"]
        ),
        "evidence": pd.DataFrame([evidence]),
        "ablations": pd.DataFrame(ablations, columns=columns),
        "predictor_errors": pd.DataFrame(
            {
                "predictor": ["orders"],
                "cells": [23],
                "sign_right": [13],
                "sign_clear": [19],
                "mean_abs_points": [6.54],
                "coverage": [0.625],
            }
        ),
        "choices": pd.DataFrame(
            {
                "condition": ["aligned"],
                "head": ["bilinear"],
                "n": [2048],
                "learning_rate": [0.003],
                "weight_decay": [1e-4],
                "dev_accuracy": [0.8765],
            }
        ),
    }


class Page(html.parser.HTMLParser):
    """Text and balance of the tags of a page."""

    void = frozenset({"meta", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.stack, self.tags = "", [], []
        self.feed(text)
        self.close()
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.void:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "svg", "title"} & set(self.stack):
            self.words += data + " "


def page(
    out: Path,
    tables: dict[str, pd.DataFrame],
    missing: tuple[str, ...] = (),
    facts: dict[str, Any] = FACTS,
) -> Page:
    (out / "figure.svg").write_bytes(SVG)  # drawing has tests of its own
    path = write_page(tables, missing, facts, out)
    return Page(path.read_text(encoding="utf-8"))


def test_every_table_is_on_the_page(tmp_path: Path) -> None:
    found = page(tmp_path, frames())
    assert found.stack == []
    assert not {"script", "img", "iframe"} & set(found.tags)
    for said in (
        "72.1 ± 0.1 77.8 predicted",  # mean of 0.72048 and 0.72148
        "+10.0 +8.8 to +11.4 p < 0.001",
        "−11.2 −12.5 to −9.8 p = 0.043",
        "bilinear −0.37 −∞ –",  # an exponent with an open and an unknown end
        "bilinear −2.7 −3.1 −1.2 p = 0.02 p = 0.03",
        "bilinear 2048 0.46 17 9 41",
        "lead aligned, n = 2048 +31.4 +27.2 to +33.3 – fails",
        "orders 23 13 19 6.5 62.5",
        "adam 61.5 ± 0.5 se",
        "bilinear 2048 0.003 0.0001 87.6",
        "mean over at most 2 seeds",
        "1.8 h of training",  # 72 runs of 90 seconds
        "setting tuned, strength-0.5",
        "noise on text, n = 2048",
        "torch 9.8",
        "Every cell of the study was run with every seed.",
    ):
        assert said in found.words, said
    assert f"Of {len(CLAIMS)} published claims: {len(CLAIMS)} refuted." in found.words
    for claim in CLAIMS:
        assert claim.statement in found.words
        assert f"why of {claim.name}" in found.words
        assert claim.theory in found.words
    assert "nan" not in found.words.lower().split()


def test_leads_of_the_first_screen_are_those_of_the_fixed_setting(tmp_path: Path) -> None:
    tables = frames()
    tables["gaps"].loc[tables["gaps"]["setting"] == "tuned", "gap"] = 0.4321
    answer = page(tmp_path, tables).words.partition(" published claims: ")[0]
    assert "aligned features concat-mlp less bilinear is −11.2 points at n = 2048" in answer
    assert "43.2" not in answer
    assert "On unaligned features concat-mlp against bilinear was not run." in answer


def test_what_is_missing_is_named_and_not_filled_in(tmp_path: Path) -> None:
    tables = frames()
    accuracy = tables["accuracy"]
    gone = (accuracy["head"] == "bilinear") & (accuracy["n"] == 4096)
    tables["accuracy"] = accuracy[~gone]
    before = page(tmp_path, frames()).words.count("not run")
    named = "aligned, bilinear, n = 4096 (0 of 2 seeds)"
    found = page(tmp_path, tables, (named,)).words
    assert found.count("not run") == before + gone.sum() == before + 4
    assert named in found
    assert "1 cells not run, or not with every seed" in found


def test_page_of_own_features_has_no_claims_and_names_its_conditions(tmp_path: Path) -> None:
    tables = {
        name: table.assign(condition="mine") if "condition" in table else table
        for name, table in frames().items()
        if name not in ("claims", "evidence")
    }
    found = page(tmp_path, tables).words
    assert "On the features mine concat-mlp less bilinear is" in found
    for absent in ("claim", "Zhou", "was not run", "On aligned features"):
        assert absent not in found


def test_no_more_than_the_runs(tmp_path: Path) -> None:
    tables = {name: frames()[name] for name in ("runs", "accuracy")}
    tables["gaps"] = pd.DataFrame()  # as a study with one head has it
    found = page(tmp_path, tables, facts={}).words
    assert "No lead and no claim can be judged" in found
    assert "No claim was judged." in found
    assert "No ablation was run." in found
    absent = re.search(r"Tables that are not there or have no row: ([^.]*)\.", found)
    assert absent is not None
    assert set(absent[1].split(", ")) == set(frames()) - {"runs", "accuracy"}


def test_older_tables_without_a_setting_are_read(tmp_path: Path) -> None:
    tables = {}
    for name, table in frames().items():
        if name != "evidence" and "setting" in table:
            table = table[table["setting"] == "fixed"].drop(columns="setting")
        tables[name] = table
    found = page(tmp_path, tables).words
    assert "+10.0 +8.8 to +11.4" in found
    assert "setting tuned" not in found


def test_text_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    tables = frames()
    for name in ("accuracy", "gaps", "ablations"):
        tables[name]["condition"] = tables[name]["condition"].replace("aligned", evil)
    found = page(tmp_path, tables, (evil,), {evil: evil})
    assert "script" not in found.tags
    assert found.words.count(evil) > 5


def test_same_input_same_bytes_and_the_figure_is_drawn(tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        pages.append(write_page(frames(), (), FACTS, tmp_path / name).read_bytes())
        assert (tmp_path / name / "figure.svg").stat().st_size > 10_000
    assert pages[0] == pages[1]
    assert pages[0].count(b"<svg ") == 1


def test_refused_with_what_to_run(tmp_path: Path) -> None:
    tables = frames()
    with pytest.raises(InputError, match="must have rows of runs, got none; run python -m val"):
        write_page({**tables, "runs": runs()[:0]}, (), {}, tmp_path / "out")
    with pytest.raises(InputError, match="accuracy must have the columns se; run"):
        write_page(
            {**tables, "accuracy": tables["accuracy"].drop(columns="se")}, (), {}, tmp_path / "out"
        )
    assert not list((tmp_path / "out").iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="out: cannot write to"):
        write_page(tables, (), {}, tmp_path / "file" / "out")


def test_grids_keep_settings_sides_and_conditions_apart() -> None:
    tables = frames()
    names = [name for name, _ in accuracy_grid(tables["accuracy"], "n").groups]
    assert len(names) == len(set(names)) == 4
    swept = accuracy_grid(tables["accuracy"], "sigma")
    assert swept.columns == ["head", "sigma = 0", "sigma = 0.05"]
    # The clean start is that of the same n.
    name, rows = swept.groups[0]
    assert name == "setting fixed, aligned, noise on text, n = 2048"
    assert dict(rows)["bilinear"][0][0] == "83.3"
    assert all(text != "not run" for _, cells in rows for text, _ in cells)
    assert len(gap_grid(tables["gaps"], "n").groups) == 4
    one = tables["ablations"].assign(n=[2048, 4096, 2048, 4096])
    assert [name for name, _ in ablation_grid(one).groups] == [
        "optimiser, aligned, n = 2048",
        "optimiser, aligned, n = 4096",
    ]


def test_facts_are_those_of_the_records(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    cells = [Cell("trained", {"n": n}, features="f", code="v1") for n in (1, 2)]
    for cell, torch in zip(cells, ("2.1", "2.2"), strict=True):
        environment = {"torch": torch, "device": "cpu", "threads": 3}
        store.write(cell, [{"seconds": 4.25}, {"seconds": 1.0}], environment)
    facts = record_facts(store.read("trained"), store)
    assert {"torch 2.1", "torch 2.2"} < set(facts["versions"])
    assert "cpu, 3 threads" in facts["device"]
    assert facts["seconds"] == {"training, over all runs": 10}
    assert facts["code"] == ["v1"]
    with pytest.raises(InputError, match="runs must be on record in"):
        record_facts(store.read("trained"), RecordStore(tmp_path / "other"))


def test_predictors_are_shown_over_all_and_over_common_cells() -> None:
    from validation.trained.report.page import predictor_lines

    def row(scope: str, predictor: str, points: float) -> dict[str, object]:
        counts = {"cells": 8, "sign_right": 5, "sign_clear": 6, "coverage": float("nan")}
        told = {"setting": "fixed", "scope": scope, "predictor": predictor, "of": ""}
        return {**told, **counts, "mean_abs_points": points}

    rows = [row("all", "sharp", 1.25), row("common", "sharp", 0.75), row("head", "sharp", 9.0)]
    grid = predictor_lines(pd.DataFrame([*rows, row("all", "orders", float("nan"))]))
    text = str(grid)
    assert "0.8" in text or "0.75" in text
    assert "9.0" not in text
    assert "nan" not in text.lower()
