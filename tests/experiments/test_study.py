"""The harness of the studies: words, the frozen prediction, and records that resume."""

import importlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from experiments.__main__ import origins
from experiments.again import again, confirmed, moved
from experiments.study import AFTER, BEFORE, Records, Study
from fusiontheory.checks import InputError
from fusiontheory.store import Cell

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.parent.name for path in ROOT.glob("experiments/*/__main__.py"))

# A study of three cells; `risk.py` holds the code that a cell's version follows.
TOY = {
    "risk.py": """
        def risk(n):
            return 1 / n
    """,
    "measure.py": """
        import os
        from pathlib import Path
        from fusiontheory.store import Cell, code_version
        from toy.risk import risk

        def point(cell):
            with Path("log.txt").open("a") as log:
                log.write(f"{cell.config['n']}\\n")
            if Path("kill").exists() and cell.config["n"] == 4:
                os._exit(9)
            return [{"risk": risk(cell.config["n"])}]

        def measure(config, predicted, records):
            code = code_version(point)
            cells = [Cell(records.name, {"n": n}, features="none", code=code) for n in config]
            found = records.computed(cells, point)[["n", "risk"]]
            return {"results.csv": predicted["predictions.csv"].merge(found, on="n")}
    """,
    "__main__.py": """
        from pathlib import Path
        import pandas as pd
        from experiments.study import Study
        from toy.measure import measure

        def predict(config, records):
            return {"predictions.csv": pd.DataFrame({"n": config, "told": [0.5] * len(config)})}

        def summary(tables):
            return "; ".join(tables)

        study = Study("toy", (2, 3, 4), predict, measure, summary, None, Path(), Path("records"))
        study.main()
    """,
}


@pytest.fixture
def toy(tmp_path):
    """A function that runs the study in a process of its own, and its folder."""
    package = tmp_path / "toy"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, text in TOY.items():
        lines = text.strip("\n").splitlines()
        (package / name).write_text("\n".join(line[8:] for line in lines) + "\n")

    def run(*words):
        # A module that is edited within a second, to the same size, is not seen to be another one.
        command = [sys.executable, "-B", "-c", _RUN.format(root=str(ROOT)), *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    run.folder = tmp_path
    return run


_RUN = """
import runpy, sys
sys.path[:0] = [{root!r}, "."]
runpy.run_module("toy", run_name="__main__", alter_sys=True)
"""


def measured_cells(folder):
    log = folder / "log.txt"
    cells = [int(n) for n in log.read_text().split()] if log.exists() else []
    log.unlink(missing_ok=True)
    return cells


def test_a_killed_study_resumes_and_other_code_makes_its_cells_anew(toy):
    assert toy("predict").returncode == 0
    (toy.folder / "kill").touch()
    assert toy("measure").returncode == 9
    assert measured_cells(toy.folder) == [2, 3, 4]
    assert not (toy.folder / "results.csv").exists()
    (toy.folder / "kill").unlink()
    assert toy("measure").returncode == 0
    assert measured_cells(toy.folder) == [4]
    assert pd.read_csv(toy.folder / "results.csv")["risk"].round(3).tolist() == [0.5, 0.333, 0.25]
    assert toy("measure").returncode == 0
    assert measured_cells(toy.folder) == []
    first = json.loads((toy.folder / "results.json").read_text())
    path = toy.folder / "toy" / "risk.py"
    path.write_text(path.read_text() + "\n\n# A comment makes no other version.\n")
    assert toy("measure").returncode == 0
    assert measured_cells(toy.folder) == []
    path.write_text(path.read_text().replace("1 / n", "2 / n"))
    assert toy("measure").returncode == 0
    assert measured_cells(toy.folder) == [2, 3, 4]
    assert pd.read_csv(toy.folder / "results.csv")["risk"].round(3).tolist() == [1, 0.667, 0.5]
    second = json.loads((toy.folder / "results.json").read_text())
    assert first["code"] != second["code"]
    assert first["prediction"] == second["prediction"]


def predict(config, records):
    return {"predictions.csv": pd.DataFrame({"n": config, "told": [0.5] * len(config)})}


def point(cell):
    return [{"risk": 1 / cell.config["n"]}]


def measure(config, predicted, records):
    cells = [Cell(records.name, {"n": n}, features="none", code="v1") for n in config]
    found = records.computed(cells, point)[["n", "risk"]]
    return {"results.csv": predicted["predictions.csv"].merge(found, on="n")}


def draw(tables, out):
    out.with_suffix(".svg").write_text(str(len(tables["results.csv"])))


@pytest.fixture
def study(tmp_path):
    config = (2, 3)
    folder = tmp_path / "tables"
    return Study("demo", config, predict, measure, "; ".join, draw, folder, tmp_path / "records")


def seal(study, name="predictions.json"):
    return json.loads((study.folder / name).read_text())


@pytest.mark.parametrize(
    "words", [[], ["mesure"], ["run"], ["summary", "--anew"], ["predict", "x"]]
)
def test_unknown_words_end_with_status_2_and_say_what_can_be_said(study, words, capsys):
    with pytest.raises(SystemExit) as end:
        study.main(words)
    assert end.value.code == 2
    assert "predict | measure | summary | figure" in capsys.readouterr().err
    assert not study.folder.exists()


def test_an_unknown_step_is_refused(study):
    with pytest.raises(InputError, match="word must be one of predict, measure"):
        study.do("mesure")


@pytest.mark.parametrize("word", ["measure", "summary", "figure"])
def test_nothing_goes_before_the_prediction(study, word, capsys):
    with pytest.raises(InputError, match=r"demo has no stored .*; run python -m experiments.demo"):
        study.do(word)
    with pytest.raises(SystemExit) as end:
        study.main([word])
    assert end.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not study.records.exists()


def test_all_steps_in_order(study):
    assert "predictions.csv" in study.do("predict")
    assert seal(study)["order"] == BEFORE
    with pytest.raises(InputError, match="no stored results"):
        study.do("figure")
    text = study.do("measure")
    assert BEFORE in text
    assert text.endswith("predictions.csv; results.csv")
    assert study.do("summary") == text
    assert "figure.svg" in study.do("figure")
    assert (study.folder / "figure.svg").read_text() == "2"


def test_the_list_of_studies_says_which_tables_are_of_other_code(study, monkeypatch):
    study.do("predict")
    study.do("measure")
    path = study.folder / "results.json"
    path.write_text(path.read_text().replace(seal(study, "results.json")["code"], "before"))
    monkeypatch.setattr("experiments.__main__.studies", lambda: [study])
    table = origins()
    assert table["seal"].tolist() == ["predictions", "results"]
    assert table["state"].tolist() == ["current", "old"]
    assert table["code"].tolist()[1] == "before"


def test_a_stored_table_that_a_study_reads_is_in_the_version_of_its_seal(study, tmp_path):
    table = tmp_path / "other.csv"
    table.write_text("n\n1\n")
    reader = replace(study, reads={"results": (table,)})
    reader.do("predict")
    reader.do("measure")

    def states():
        return [facts["code"] == now for _, facts, now in reader.seals()]

    assert states() == [True, True]
    table.write_text("n\n2\n")
    assert states() == [True, False]


def modules_of(name, word):
    """Return the texts of a study's own modules that its predict or measure imports, itself too."""
    waiting, seen = [word], {}
    while waiting:
        module = waiting.pop()
        path = ROOT / "experiments" / name / f"{module}.py"
        if module not in seen and path.exists():
            seen[module] = path.read_text(encoding="utf-8")
            waiting += re.findall(rf"from experiments\.{name}\.(\w+) import", seen[module])
    return seen.values()


@pytest.mark.parametrize(("seal", "word"), [("predictions", "predict"), ("results", "measure")])
def test_studies_say_which_stored_tables_they_are_made_from(seal, word):
    readers = [
        name for name in NAMES if any("read_csv(" in text for text in modules_of(name, word))
    ]
    assert readers
    for name in readers:
        known = importlib.import_module(f"experiments.{name}.__main__").STUDY.reads
        assert known.get(seal), f"{name} reads a stored table and does not say which"
        assert all(path.is_file() for path in known[seal])


def test_what_moved_is_said_of_answers_too():
    before = pd.DataFrame({"n": [1, 2], "trusted": [True, False]})
    assert moved(before, before) == "the same"
    assert moved(before, before.assign(trusted=True)) == "trusted differs in 1 rows"


def test_a_study_that_is_run_again_says_what_moved(study, monkeypatch, tmp_path):
    study.do("predict")
    study.do("measure")
    for name in ("predictions", "results"):
        path = study.folder / f"{name}.json"
        path.write_text(path.read_text().replace(seal(study, path.name)["code"], "before"))
    notes = tmp_path / "confirmed.json"
    monkeypatch.setattr("experiments.__main__.studies", lambda: [study])
    monkeypatch.setattr("experiments.__main__.confirmed", partial(confirmed, notes=notes))
    assert origins()["state"].tolist() == ["sealed first", "old"]
    path = study.folder / "predictions.json"
    first = path.read_text()
    path.write_text(first.replace(BEFORE, AFTER))
    assert origins()["state"].tolist() == ["old", "old"]
    path.write_text(first)
    before = {path: path.read_bytes() for path in study.folder.iterdir() if path.is_file()}

    def other(config, predicted, records):
        table = study.measure(config, predicted, records)["results.csv"]
        return {"results.csv": table.assign(risk=table["risk"] + 0.25)}

    said = list(again(replace(study, measure=other), notes))
    assert said == [
        "demo/predictions.csv: the same",
        "demo/results.csv: risk moved by up to 0.25",
    ]
    assert origins()["state"].tolist() == ["the same", "old"]
    alone = list(again(replace(study, measure=other), notes, "predictions"))
    assert alone == ["demo/predictions.csv: the same"]

    def never(config, records):
        raise AssertionError("the stored prediction is taken")

    measured = list(again(replace(study, predict=never, measure=other), notes, "results"))
    assert measured == ["demo/results.csv: risk moved by up to 0.25"]
    assert list(again(study, notes))[1] == "demo/results.csv: the same"
    assert origins()["state"].tolist() == ["the same", "the same"]
    assert before == {path: path.read_bytes() for path in before}


@pytest.mark.parametrize("damage", ["altered", "removed"])
def test_an_altered_prediction_is_refused(study, damage):
    study.do("predict")
    path = study.folder / "predictions.csv"
    if damage == "removed":
        path.unlink()
    else:
        path.write_text(path.read_text().replace("0.5", "0.4"))
    for word in ("measure", "summary"):
        with pytest.raises(InputError, match=r"not the table that predictions.json seals"):
            study.do(word)
    assert not study.records.exists()


def test_line_ends_of_another_system_are_no_alteration(study):
    study.do("predict")
    path = study.folder / "predictions.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    study.do("measure")
    assert (study.folder / "results.csv").is_file()


def test_a_measured_prediction_is_frozen_and_kept_when_made_anew(study):
    study.do("predict")
    study.do("measure")
    before = (study.folder / "predictions.csv").read_bytes()
    with pytest.raises(InputError, match="demo is measured and its prediction is frozen"):
        study.do("predict")
    object.__setattr__(study, "config", (2, 3, 4))
    study.do("predict", anew=True)
    assert seal(study)["order"] == AFTER
    assert len(pd.read_csv(study.folder / "predictions.csv")) == 3
    [kept] = study.folder.glob("predictions-until-*.csv")
    assert kept.read_bytes() == before
    [old] = study.folder.glob("predictions-until-*.json")
    assert json.loads(old.read_text())["order"] == BEFORE


def test_the_same_prediction_made_anew_keeps_its_seal(study):
    study.do("predict")
    study.do("measure")
    before = (study.folder / "predictions.json").read_bytes()
    study.do("predict", anew=True)
    assert (study.folder / "predictions.json").read_bytes() == before
    assert not list(study.folder.glob("*-until-*"))


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_what_is_no_seal_is_refused(study, text):
    study.do("predict")
    (study.folder / "predictions.json").write_text(text)
    with pytest.raises(InputError, match="is no seal"):
        study.do("measure")


def test_records_without_a_table_freeze_the_prediction_too(study):
    study.do("predict")
    Records(study.records, "demo").computed([Cell("demo", {"n": 2}, "none", "v0")], point)
    with pytest.raises(InputError, match="frozen"):
        study.do("predict")


def test_a_prediction_that_was_not_measured_can_be_mended(study):
    study.do("predict")
    study.do("predict")
    assert not list(study.folder.glob("*-until-*"))
    object.__setattr__(study, "config", (5,))
    study.do("predict")
    assert seal(study)["order"] == BEFORE
    assert len(list(study.folder.glob("*-until-*"))) == 2


@pytest.mark.parametrize("name", NAMES)
def test_stored_tables_are_the_sealed_ones_and_are_summed_up(name):
    study = importlib.import_module(f"experiments.{name}.__main__").STUDY
    assert study.name == name
    assert study.stored("results.json")
    text = study.do("summary")
    assert "results: of 20" in text
    assert len(text) > 200


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_drawn_from_the_stored_tables(name, tmp_path):
    study = importlib.import_module(f"experiments.{name}.__main__").STUDY
    study.figure(study.tables(), tmp_path / "figure")
    assert (tmp_path / "figure.svg").stat().st_size > 5000
