"""The command study looks at its options before any work."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from validation.__main__ import app
from validation.commands.study import Conditions, Numbers, Work


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "captions must be given, or features"),
        (["--features", "f"], "features must be NAME=FILE"),
        (["--features", "a=nowhere.safetensors"], "nowhere.safetensors"),
        (["--captions", "nowhere.csv"], "got nowhere.csv, which is none"),
        (["--captions", "a", "--only", "all"], "only must be one of extract, train, report"),
        (["--captions", "a", "--shard", "1/2"], "shard must be given with --only"),
        (["--captions", "a", "--checkpoint", "x=y"], "checkpoint must be NAME=PATH with NAME of"),
        (["--captions", "a", "--heads", "transformer"], "heads must be among"),
        (["--captions", "a", "--sizes", "15"], "sizes must be even"),
    ],
)
def test_study_refuses_before_any_work(tmp_path: Path, options: list[str], words: str) -> None:
    status, said = invoke("study", *options, "--store", tmp_path / "s", "--out", tmp_path / "r")
    assert (status, said.count("\n")) == (2, 1), said
    assert words in said
    assert not (tmp_path / "s").exists()


def test_numbers_are_of_both_studies() -> None:
    numbers = Numbers(seeds=3, sizes="16,32", heads="gated, bilinear", test_pairs=40)
    kernel, trained = numbers.kernel(), numbers.trained()
    assert trained is not None
    assert (kernel.seeds, trained.seeds, trained.test_pairs) == (3, 3, 40)
    assert kernel.sizes == trained.sizes == (16, 32)
    assert trained.heads == ("gated", "bilinear")
    assert {*trained.main_heads} <= {*trained.heads}
    assert Numbers(parts="none").trained() is None
    standard = Numbers().trained()
    assert standard is not None
    assert (Numbers().kernel().seeds, standard.seeds) == (10, 5)


def test_a_part_is_of_the_trained_runs_only_where_these_are_asked_for() -> None:
    plan = Work(only="train", shard="2/3", jobs=1).plan(Numbers(), Conditions())
    assert (plan.part.index, plan.part.of, plan.only) == (2, 3, "train")
    work = Work(only="extract", shard="2/3", aligned="clip")
    extract = work.plan(Numbers(parts="grid,noise"), Conditions())
    assert (extract.part.of, extract.aligned, extract.parts) == (1, "clip", ("grid", "noise"))


def test_files_by_condition() -> None:
    named = Conditions(features=["a=f.safetensors", "b=x=y"])
    assert named.files() == {"a": Path("f.safetensors"), "b": Path("x=y")}
    assert Conditions(captions="c.csv").files() == {}
