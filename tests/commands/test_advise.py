"""The command advise: every argument of the function, and nothing written for bad input."""

import inspect
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fusiontheory import advise
from fusiontheory.cli import app
from fusiontheory.commands.advise import advise as command


def run(*arguments):
    return CliRunner().invoke(app, ["advise", *map(str, arguments)])


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((2, 120, 3))
    kind = np.where((v * t).sum(1) > 0, "cat", "dog")
    np.save(tmp_path / "image.npy", v)
    np.save(tmp_path / "text.npy", t)
    np.savez(tmp_path / "both.npz", image=v, text=t, kind=kind, half=np.arange(120) // 2)
    lines = ["name,kind", *(f"{k},{label}" for k, label in enumerate(kind))]
    (tmp_path / "items.csv").write_text("\n".join(lines))
    return tmp_path


HEADS = ("--head", "concat-linear", "--head", "interaction")


def test_it_has_every_argument_of_the_function():
    named = {"v": "features", "t": "features", "y": "labels", "heads": "head"}
    wanted = {named.get(name, name) for name in inspect.signature(advise).parameters}
    assert wanted <= set(inspect.signature(command).parameters)


@pytest.mark.parametrize("labels", ["items.csv:kind", "kind"], ids=["table", "array beside"])
def test_labels_of_a_column(files, labels):
    given = files / labels if "csv" in labels else labels
    result = run(files / "both.npz", "--labels", given, *HEADS, "--json", "--groups", "half")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["task"] == "classification"
    assert found["recommended"] == "interaction"
    assert {"what": "groups"}.items() <= dict(
        zip(
            found["tables"]["features"]["columns"],
            next(r for r in found["tables"]["features"]["rows"] if r[0] == "groups"),
            strict=True,
        )
    ).items()


def test_two_files_a_page_and_figures(files):
    page, figures = files / "page.html", files / "figures"
    arguments = [files / "image.npy", files / "text.npy", "--labels", f"{files / 'both.npz'}:kind"]
    result = run(*arguments, *HEADS, "--page", page, "--figures", figures)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Task: classification of your labels (2 classes)")
    assert page.read_text().startswith("<!doctype html>")
    assert len(list(figures.iterdir())) == 6


def test_without_labels_the_task_is_matching(files):
    result = run(files / "image.npy", files / "text.npy")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Task: image-text matching")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--labels", "nothing"], "--labels must be a file"),
        (["--labels", "items.csv"], "must name a column"),
        (["--labels", "items.csv:size"], "it has"),
        (["--labels", "kind", "--task", "regression"], "numbers for a regression"),
        (["--labels", "kind", "--target-accuracy", "95"], "0.9 for 90 %"),
        (["--labels", "kind", "--figures", "items.csv"], "must be a folder"),
    ],
    ids=str,
)
def test_bad_input_takes_a_line_and_writes_nothing(files, arguments, message, capsys):
    placed = [str(files / a) if a.startswith("items") else a for a in arguments]
    before = sorted(files.iterdir())
    page = files / "page.html"
    with pytest.raises(SystemExit) as stop:
        app(["advise", str(files / "both.npz"), *placed, "--page", str(page)])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert sorted(files.iterdir()) == before


UNUSABLE = {
    "one class": (lambda v, t, y: (v, t, np.full(120, "cat")), "one class (cat)"),
    "rare class": (lambda v, t, y: (v, t, np.where(np.arange(120) < 3, "dog", "cat")), "(dog)"),
    "few items": (lambda v, t, y: (v[:49], t[:49], y[:49]), "49 labelled items are too few"),
    "rows": (lambda v, t, y: (v, t, y[:100]), "one label for each of 120 rows, got 100"),
    "nan": (lambda v, t, y: (v, t, np.where(np.arange(120) == 7, np.nan, 1.5)), "(rows 7,"),
    "constant": (lambda v, t, y: (v, np.ones_like(t), y), "text is constant"),
    "sides": (lambda v, t, y: (v, t[:119], y), "120"),
}


@pytest.mark.parametrize("case", UNUSABLE)
@pytest.mark.parametrize("form", ["--page", "--json"])
def test_data_that_cannot_be_used_take_a_line_and_write_nothing(tmp_path, case, form, capsys):
    change, message = UNUSABLE[case]
    v, t = np.random.default_rng(0).standard_normal((2, 120, 3))
    v, t, y = change(v, t, np.where(v[:, 0] > 0, "cat", "dog"))
    for name, array in {"v": v, "t": t, "y": y}.items():
        np.save(tmp_path / f"{name}.npy", array)
    before = sorted(tmp_path.iterdir())
    files = [str(tmp_path / f"{name}.npy") for name in "vty"]
    written = ["--page", str(tmp_path / "page.html"), "--figures", str(tmp_path / "figures")]
    with pytest.raises(SystemExit) as stop:
        app(["advise", *files[:2], "--labels", files[2], *(written if "p" in form else [form])])
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert sorted(tmp_path.iterdir()) == before


def test_what_labels_and_splits_may_hide_is_said(files):
    held = dict(np.load(files / "both.npz"))
    split = np.array(["train"] * 100 + ["test"] * 20)
    np.savez(files / "hidden.npz", **held, split=split)
    result = run(files / "hidden.npz", "--labels", "kind", "--head", "none")
    said = result.stderr + "".join(str(one) for one in (result.exception,))
    assert "20 of them of test" in said


def test_labels_of_a_table_in_another_order_are_joined_by_name(files, monkeypatch):
    held = dict(np.load(files / "both.npz"))
    np.savez(files / "named.npz", **held, ids=[f"item {k}" for k in range(120)])
    lines = [f"item {k},{held['kind'][k]}" for k in range(119, -1, -1)]
    (files / "turned.csv").write_text("\n".join(["name,kind", *lines]))
    asked = []
    monkeypatch.setattr("fusiontheory.advice.advise", lambda *_, y, **__: asked.append(y))
    run(files / "named.npz", "--labels", f"{files / 'turned.csv'}:kind")
    assert asked[0].tolist() == held["kind"].tolist()
