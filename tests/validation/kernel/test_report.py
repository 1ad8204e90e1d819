"""The page says what its tables say, whatever they say, and nothing else."""

from __future__ import annotations

import html.parser
import re
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from paper_figures.comparison import app
from validation.kernel import write_report
from validation.pages import inline_svg

HEADS = ("concat-linear", "concat-mlp", "bilinear", "dot-product")
SIZES = (256, 2048, 8192)
NAN = float("nan")
FACTS: dict[str, Any] = {
    "features": "made up",
    "fingerprint": "abcdef",
    "d_v": 24,
    "d_t": 40,
    "images": {"train": 6000, "test": 777},
    "recall": {"aligned": {"R@1": 0.551}},
    "ridge": 0.003,
    "seeds": 5,
    "test_pairs": 1998,
    "seconds": {"measurement": 611.5},
    "versions": {"numpy": "2.9.1"},
    "device": "CPU",
    "date": "2026-05-04",
    "code": "v7",
    "own_fact": [17, "x"],
}
# Said by the words of the page and no result: chance of the error bars, the orders of the paper.
SPOKEN = {"95", "4.1", "5.1", "2048", "16384", "8", "1", "2606.01207"}


class Page(html.parser.HTMLParser):
    """Text, ids, links and balance of the tags of a page."""

    void = frozenset({"meta", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.ids, self.stack, self.tags = "", [], [], []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.void:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "svg", "title"} & set(self.stack):
            self.text += data + " "


def frames(
    conditions: tuple[str, ...] = ("unaligned", "aligned"),
    heads: tuple[str, ...] = HEADS,
    error: float = 0.0,
    crossing: tuple[float, float, float, float] = (3011.0, 2822.0, 3233.0, 3144.0),
) -> list[pd.DataFrame]:
    """Tables of made-up results: concatenation overtakes, predictions are ``error`` too low."""
    start = {"concat-linear": 0.5, "concat-mlp": 0.55, "bilinear": 0.76, "dot-product": 0.87}
    slope = {"concat-linear": 0.0, "concat-mlp": 0.31, "bilinear": 0.08, "dot-product": 0.0}
    comparison = pd.DataFrame(
        [
            (c, h, n, 5, start[h] + slope[h] * np.log2(n / 256) / 5 + 0.011 * j, 0.0017)
            for j, c in enumerate(conditions)
            for h in heads
            for n in SIZES
        ],
        columns=["condition", "head", "n", "seeds", "measured", "measured_se"],
    )
    predicted = comparison["measured"] - error
    comparison = comparison.assign(
        predicted=predicted, predicted_low=predicted - 0.006, predicted_high=predicted + 0.006
    )
    curves = comparison[["condition", "head", "n"]].assign(
        risk=0.5,
        accuracy=predicted,
        accuracy_low=predicted - 0.006,
        accuracy_high=predicted + 0.006,
    )
    wide = comparison.pivot_table(index=["condition", "n"], columns="head", sort=False)
    gaps = pd.DataFrame(
        {
            f"{kind}_gap": wide[kind]["concat-mlp"] - wide[kind]["bilinear"]
            for kind in ("measured", "predicted")
        }
    ).reset_index()
    gaps = gaps.assign(seeds=5, measured_gap_se=0.0023)
    crossovers = pd.DataFrame(
        [(c, *crossing) for c in conditions],
        columns=["condition", "measured", "measured_low", "measured_high", "predicted"],
    )
    return [comparison, curves, gaps, crossovers]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing, where a test reads only the words: figures are most of the time."""
    monkeypatch.setattr("validation.kernel.report._draw", lambda *_: Figure(figsize=(1, 1)))


def page(out: Path, tables: list[pd.DataFrame], facts: dict[str, Any] = FACTS) -> Page:
    write_report(*tables, facts, out)
    return Page((out / "index.html").read_text(encoding="utf-8"))


def terms() -> pd.DataFrame:
    rows = [("aligned", h, t, e) for h in HEADS[1:3] for t, e in (("plain", 0.0312), ("law", NAN))]
    return pd.DataFrame(rows, columns=["condition", "head", "term", "mean_absolute_error"])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whole report, figures and all."""
    out = tmp_path_factory.mktemp("whole") / "report"
    write_report(*frames(), FACTS | {"terms": terms()}, out)
    return out


def words(found: Page) -> str:
    return " ".join(found.text.split())


def test_all_files_are_written_and_hold_the_tables(written: Path) -> None:
    names = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    figures = {
        f"figures/{name}.{ending}"
        for name in ("comparison", "gap", "calibration")
        for ending in ("png", "svg")
    }
    assert names == figures | {
        *("comparison.csv", "gaps.csv", "curves.csv", "crossovers.csv", "terms.csv"),
        "index.html",
    }
    for name, table in zip(("comparison", "curves", "gaps"), frames(), strict=False):
        pd.testing.assert_frame_equal(pd.read_csv(written / f"{name}.csv"), table)


def test_page_is_whole_and_asks_for_nothing(written: Path) -> None:
    text = (written / "index.html").read_text(encoding="utf-8")
    found = Page(text)
    assert found.stack == []
    assert len(found.ids) == len(set(found.ids)) > 100
    assert not {"script", "img", "iframe", "object", "image"} & set(found.tags)
    targets = {(t, n): v for t, n, v in found.attributes if n in ("href", "src", "xlink:href")}
    assert all(not v.startswith("http") for (tag, _), v in targets.items() if tag != "a")
    assert len(re.findall(r"https?:", text)) == text.count('href="https://arxiv.org/abs/') == 1
    used = set(re.findall(r"url\(#([^)]*)\)", text)) | {
        v[1:] for _, n, v in found.attributes if n == "href" and v.startswith("#")
    }
    assert used <= set(found.ids)
    assert "@import" not in text
    assert "nan" not in words(found).lower().split()


@pytest.mark.usefixtures("quick")
def test_every_number_stands_in_the_tables(tmp_path: Path) -> None:
    tables = frames(error=0.0137)
    comparison, _, gaps, crossovers = tables
    text = words(page(tmp_path, tables))
    difference = comparison["predicted"] - comparison["measured"]
    by_head = difference.groupby(comparison["head"])
    in_points = [
        *chain(*(comparison[c] for c in ("measured", "predicted", "predicted_low"))),
        *chain(comparison["predicted_high"], 1.96 * comparison["measured_se"], difference),
        *chain(gaps["measured_gap"], gaps["predicted_gap"], 1.96 * gaps["measured_gap_se"]),
        *chain(by_head.mean(), by_head.apply(lambda d: d.abs().mean()), [0.006]),
    ]
    counted = [*range(len(comparison) + 1), *SIZES, *crossovers.drop(columns="condition").iloc[0]]
    first = gaps[gaps["condition"] == "aligned"]["measured_gap"].iloc[0]
    ratio, dims = 24 * 40 / 64, (24 + 40, 24 * 40)
    allowed = {f"{abs(100 * value):.1f}" for value in in_points}
    allowed |= {f"{value:.0f}" for value in (*counted, *dims, ratio, 8192 / 256)}
    allowed |= {f"{value:.3g}" for value in crossovers["predicted"] / crossovers["measured"]}
    allowed |= set(re.findall(r"[\d.]*\d", repr(FACTS))) | SPOKEN
    assert first < 0
    said = set(re.findall(r"\d[\d.]*\d|\d", text))
    assert said <= allowed, said - allowed
    assert {f"{100 * value:.1f}" for value in comparison["measured"]} <= said


@pytest.mark.usefixtures("quick")
def test_all_agree(tmp_path: Path) -> None:
    text = words(page(tmp_path, frames()))
    assert "12 of 12 of these accuracies agree" in text
    assert "The theory names the leader in all 6 cases where the data show one." in text
    assert "predicted 3144, which agrees" in text
    assert not re.search(r"off by \d.\d(?! points)|wrong sign", text)


@pytest.mark.usefixtures("quick")
def test_all_wrong_is_said_as_loudly(tmp_path: Path) -> None:
    tables = frames(error=0.05, crossing=(3011.0, 2822.0, 3233.0, 6022.0))
    tables[2]["predicted_gap"] *= -1
    text = words(page(tmp_path, tables))
    assert "0 of 12 of these accuracies agree" in text
    assert "in 0 of the 6 cases where the data show one clearly, and the wrong one in 6" in text
    assert "too late by a factor of 2." in text
    assert text.count("off by 5.0") == 24 + 1  # each cell, and the sentence
    assert text.count("wrong sign") == 6


@pytest.mark.parametrize(
    ("crossing", "said"),
    [
        ((NAN, NAN, NAN, NAN), "neither predicted nor measured to change"),
        ((NAN, NAN, NAN, 3000.0), "a change of lead at 3000 pairs is predicted, none is measured"),
        (
            (3000.0, 2900.0, 3100.0, NAN),
            "changes at 3000 pairs (interval 2900 to 3100), which is not",
        ),
    ],
)
@pytest.mark.usefixtures("quick")
def test_no_crossover(tmp_path: Path, crossing: tuple, said: str) -> None:
    assert said in words(page(tmp_path, frames(crossing=crossing)))


@pytest.mark.usefixtures("quick")
def test_page_of_own_features_speaks_of_them_alone(tmp_path: Path) -> None:
    tables = frames(("mine",))
    found = words(page(tmp_path, tables, FACTS | {"own": True}))
    assert "On the features mine the bilinear head leads by 21.0 points at 256 pairs" in found
    for absent in ("published", "Zhou", "aligned features", "On the shipped features"):
        assert absent not in found
    assert "Zhou" in words(page(tmp_path, tables, FACTS))


@pytest.mark.usefixtures("quick")
def test_one_seed_is_no_lead_that_is_too_close(tmp_path: Path) -> None:
    tables = frames(("mine",))
    tables[2]["measured_gap_se"] = NAN
    found = words(page(tmp_path, tables, FACTS | {"own": True}))
    assert "with one seed, which has no standard error" in found
    assert "neither leads clearly" not in found
    assert "0 of 0 leaders" not in found


@pytest.mark.parametrize("condition", ["aligned", "unaligned"])
def test_less_than_usual(tmp_path: Path, condition: str) -> None:
    tables = frames((condition,), HEADS[1:3])
    tables[3] = tables[3][:0]
    found = page(tmp_path, tables, {})
    assert "dot-product" not in words(found)
    assert "No crossover was looked for." in words(found)
    assert ("nothing was measured here in that range" in words(found)) == (condition != "aligned")


def test_extreme_values(tmp_path: Path) -> None:
    tables = frames()
    tables[0].loc[0, ["measured", "measured_se"]] = [1.0, NAN]
    tables[0].loc[1, ["predicted", "predicted_low", "predicted_high"]] = NAN
    tables[0].loc[2, "n"] = 10**9
    tables[2].loc[0, "measured_gap_se"] = NAN
    text = words(page(tmp_path, tables))
    assert "1000000000" in text
    assert text.count("not tested") == 3
    assert "nan" not in text.lower().split()


@pytest.mark.usefixtures("quick")
def test_one_size(tmp_path: Path) -> None:
    one = frames(("aligned",))
    one[0], one[2] = one[0][one[0]["n"] == 256], one[2][:1]
    text = words(page(tmp_path, one))
    assert "On aligned features the bilinear head leads by 21.0 points at 256 pairs." in text


def test_text_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&"
    tables = frames()
    for table in tables:
        table["condition"] = table["condition"].replace("unaligned", evil)
    tables[0]["head"] = tables[0]["head"].replace("dot-product", evil)
    facts = FACTS | {
        "features": evil,
        evil: {evil: [evil]},
        "terms": terms().assign(term=evil)[::2],
    }
    found = page(tmp_path, tables, facts)
    assert "script" not in found.tags
    assert words(found).count("<script>alert(1)") > 10


def test_same_input_same_bytes(written: Path, tmp_path: Path) -> None:
    write_report(*frames(), FACTS | {"terms": terms()}, tmp_path)
    files = sorted(path for path in written.rglob("*") if path.is_file())
    assert len(files) == 12
    for path in files:
        assert path.read_bytes() == (tmp_path / path.relative_to(written)).read_bytes()


def test_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "report"
    with pytest.raises(InputError, match=f"out: cannot write to {re.escape(str(out))}") as caught:
        # Tables that would fail at once, were they looked at.
        write_report(*[pd.DataFrame()] * 4, {}, out)
    assert "\n" not in str(caught.value)
    comparison, *others = frames()
    with pytest.raises(InputError, match="comparison must have the columns predicted"):
        write_report(comparison.drop(columns="predicted"), *others, {}, tmp_path / "out")
    with pytest.raises(InputError, match="comparison must have at least one row"):
        write_report(comparison[:0], *others, {}, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_inlined_figures_keep_their_references() -> None:
    svg = b'<?xml?>\n<!-- a --><svg xmlns="http://x" viewBox="0 0 1 1" width="9pt">'
    svg += b'<defs><style>*{}</style><g id="m"/></defs>'
    svg += b'<use xlink:href="#m" clip-path="url(#m)"/></svg>'
    inline = inline_svg(svg, "p", "A & B")
    assert inline == (
        '<svg viewBox="0 0 1 1" role="img" aria-label="A &amp; B"><defs><g id="p-m"/></defs>'
        '<use href="#p-m" clip-path="url(#p-m)"/></svg>'
    )


@pytest.mark.usefixtures("quick")
def test_figure_for_print_comes_from_the_tables(tmp_path: Path) -> None:
    write_report(*frames(), FACTS, tmp_path / "report")
    arguments = ["--report", str(tmp_path / "report"), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"comparison.{ending}" for ending in ("pdf", "png", "svg", "txt")]
    caption = (tmp_path / "out" / "comparison.txt").read_text(encoding="utf-8")
    assert "n = 256 to 8192" in caption
    assert "comparison.csv (SHA-256 " in caption
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    CliRunner().invoke(app, arguments)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_figure_for_print_names_what_is_missing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--report", str(tmp_path / "no"), "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "report: cannot read" in result.stderr


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("level", "said"),
    [
        (0.95, "is ahead of every trained fusion at every size measured, with 95.0 %"),
        (0.8, "is ahead of every trained fusion at 2 of 3 sizes, with 80.0 %"),
        (0.5, None),
    ],
)
def test_where_the_dot_product_beats_trained_fusions(
    tmp_path: Path, level: float, said: str | None
) -> None:
    tables = frames(("aligned",))
    comparison = tables[0]
    comparison.loc[comparison["head"] == "dot-product", "measured"] = level
    comparison.loc[comparison["head"] == "bilinear", "measured"] = [0.7, 0.75, 0.85]
    comparison.loc[comparison["head"] == "concat-mlp", "measured"] = [0.6, 0.7, 0.84]
    text = words(page(tmp_path, tables))
    assert ("is ahead of every trained fusion" in text) == (said is not None)
    assert said is None or said in text


@pytest.mark.usefixtures("quick")
def test_marks_what_is_not_to_be_trusted(tmp_path):
    comparison, curves, *others = frames()
    write_report(comparison.assign(trusted=True), curves, *others, FACTS, tmp_path / "all")
    page = (tmp_path / "all" / "index.html").read_text(encoding="utf-8")
    assert "Not to be trusted" not in page
    assert "not trusted" not in page
    doubted = comparison["head"] != "bilinear"
    comparison = comparison.assign(trusted=doubted)
    curves = curves.assign(trusted=curves["head"] != "bilinear")
    write_report(comparison, curves, *others, FACTS, tmp_path / "some")
    page = (tmp_path / "some" / "index.html").read_text(encoding="utf-8")
    assert "Not to be trusted are predictions of features beyond the range" in page
    assert page.count("not trusted</small>") == (~doubted).sum()
