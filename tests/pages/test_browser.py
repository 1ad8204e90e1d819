"""HTML pages in a real browser, narrow and wide, light and dark: nothing wrong, cut or too faint.

Skipped where there is no Chromium or no Playwright; the skip says which.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusiontheory.advice import advise
from validation.kernel import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe")

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
SITE = ROOT / "build" / "site" / "html"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")

NAMES = ["report", "trained", "labelled advice", "matching advice"]
NAMES += ["site", "site, tables", "site, notebooks", "site, a notebook"]
RULES = {
    scheme: {"runOnly": names, "resultTypes": ["violations"], "preload": False}
    for scheme, names in (("light", ["wcag2a", "wcag2aa"]), ("dark", ["color-contrast"]))
}
"""Accessibility by WCAG 2 A and AA; of all its rules the contrast of text alone knows colours."""

EMPTY = "() => document.querySelectorAll('svg').forEach(one => one.replaceChildren())"
"""Figures have thousands of parts, whose contrast axe does not look at."""

ALIKE = """() => document.querySelectorAll("tbody").forEach(body => {
  const seen = {};
  for (const row of [...body.rows]) {
    const kind = row.outerHTML.replace(/>[^<]*</g, "><");
    seen[kind] = (seen[kind] || 0) + 1;
    if (seen[kind] > 2) row.remove();
  }
})"""
"""Rows that differ in words alone have the same colours, or two of them where they alternate."""

CUT = """() => {
  const cut = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width + 1)
    cut.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const one of document.body.querySelectorAll("*:not(svg *)")) {
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    if (!box.width || box.height < 2 || style.visibility === "hidden") continue;
    const clips = ["hidden", "clip"].includes(style.overflowX);
    if (clips && one.scrollWidth > one.clientWidth + 1)
      cut.push(`${one.tagName}.${one.className} hides ${one.scrollWidth - one.clientWidth} px`);
  }
  return cut;
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of the stored tables, two pages of advice, and what else is there."""
    out = tmp_path_factory.mktemp("pages")
    names = ("comparison", "curves", "gaps", "crossovers")
    tables = [pd.read_csv(RESULTS / f"{name}.csv") for name in names]
    terms = pd.read_csv(RESULTS / "terms.csv")
    write_report(*tables, {"terms": terms, "seeds": 10, "date": "2026-11-30"}, out / "report")
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((2, 120, 4))
    label = np.where((v * t).sum(1) > 0, "together", "apart")
    advise(v, t, label, heads=["concat-linear", "interaction"]).write_page(out / "labelled.html")
    advise(v, v + t, heads=["bilinear", "concat-mlp"]).write_page(out / "matching.html")
    return {
        "report": out / "report" / "index.html",
        "trained": RESULTS / "trained" / "index.html",
        "labelled advice": out / "labelled.html",
        "matching advice": out / "matching.html",
        "site": SITE / "index.html",
        "site, tables": SITE / "docs" / "choose_fusion.html",
        "site, notebooks": SITE / "notebooks" / "index.html",
        "site, a notebook": SITE / "notebooks" / "plot_own_data.html",
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = driver.chromium.launch(executable_path=BROWSER, args=args)
        yield found
        found.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_as_people_see_it(browser: Any, pages: dict[str, Path], name: str) -> None:
    if not pages[name].is_file():
        pytest.skip("needs the site, which make docs builds")
    page = browser.new_page(color_scheme="light", viewport={"width": 1400, "height": 900})
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(pages[name].as_uri())
    assert page.evaluate(CUT) == []
    page.set_viewport_size({"width": 400, "height": 800})
    if name.startswith("site"):
        page.reload()  # its scripts look at the width once
    assert page.evaluate(CUT) == []
    page.evaluate(EMPTY)
    for scheme, options in RULES.items():
        page.emulate_media(color_scheme=scheme)
        found = axe.Axe().run(page, options=options)
        page.evaluate(ALIKE)
        assert violations(found.response) == [], scheme
    assert said == []
    page.close()


def violations(response: dict[str, Any]) -> list[str]:
    return [
        f"{one['id']}: {node['target']} {node['any'][0]['message'] if node['any'] else ''}"
        for one in response["violations"]
        for node in one["nodes"][:3]
    ]


def test_the_checks_find_what_they_are_for(browser: Any) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 400})
    page.set_content("""<html lang="en"><title>x</title><body style="background:#fff"><main>
      <p style="color:#bbb">Too faint to be read.</p><p style="width:900px">Too wide.</p>
      <p style="overflow:hidden;width:80px;white-space:nowrap">A line that is cut.</p></main>""")
    cut = page.evaluate(CUT)
    assert len(cut) == 2
    assert any("color-contrast" in one for one in violations(axe.Axe().run(page).response))
    page.close()
