"""``make gpu`` in small, on the processor: every part, resumed, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from fusiontheory.checks import InputError
from fusiontheory.training import TrainingSettings
from validation.gpu import SMALL, break_even, compiled_rates, gpu_run
from validation.gpu import run as run_module
from validation.gpu.__main__ import app


def test_small_does_every_part_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "ridge_rates", killed)
        with pytest.raises(KeyboardInterrupt):
            gpu_run("cpu", SMALL, tmp_path / "store", tmp_path / "out")
    # What was done is not done again.
    monkeypatch.setattr(run_module, "agreement", killed)
    monkeypatch.setattr(run_module, "update_rates", killed)
    page = gpu_run("cpu", SMALL, tmp_path / "store", tmp_path / "out")
    told = json.loads(page.read_text())
    assert told["device"] == "cpu"
    assert told["small"]
    assert max(told["agreement"]["result"]["ridge"]["bilinear"].values()) < 1e-8
    assert max(told["agreement"]["result"]["tangent"].values()) < 1e-5
    for both in told["agreement"]["result"]["training"].values():
        assert abs(both["difference"]) <= 2 * both["standard_error"] + 1e-12
    assert told["grid"]["result"]["missing"] == []
    assert told["grid"]["result"]["runs"] == 16
    assert set(told["updates"]["result"]["bilinear"]) >= {"stacked", "loop", "ratio", "limit"}
    assert list(told["ridge"]["result"]) == ["256", "512"]
    assert {"model", "decode", "both"} == set(told["extraction"]["result"])
    assert len((tmp_path / "out" / "accuracy.csv").read_text().splitlines()) == 9


def test_compilation_pays_by_a_rule_and_its_failure_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.compile", lambda function, **_: function)
    found = compiled_rates("cpu", ["bilinear"], members=2, d=8, updates=2)["bilinear"]
    assert isinstance(found, dict)
    assert found["difference"] < 1e-6
    longest = TrainingSettings().updates_of(16384)
    even = break_even(found["stacked"], found["compiled"], found["first"])
    assert found["break_even"] == even
    # The longest group of the declared grid.
    assert found["pays"] == (even is not None and even < longest)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr("torch.compile", fails)
    told = compiled_rates("cpu", ["bilinear"], members=2, d=8, updates=2)["bilinear"]
    assert told == "not measured: RuntimeError: no compiler"


def test_without_a_gpu_it_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        app([])
    assert capsys.readouterr().err.startswith("error: device must be one of cpu, auto")
    with pytest.raises(InputError, match="device must be"):
        gpu_run("cuda:3", SMALL, tmp_path / "store", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("options", "folder"), [(["--small"], "report"), ([], "docs/results")])
def test_a_trial_in_small_lies_apart(
    options: list[str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("validation.gpu.gpu_run", lambda *given: given[-1])
    result = CliRunner().invoke(app, ["--device", "cpu", *options])
    assert result.output == f"results: {Path(folder, 'gpu')}\n"
