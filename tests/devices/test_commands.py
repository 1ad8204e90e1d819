"""``--device`` of the commands: what reaches records, what is refused, and several devices."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rich.progress import Progress

from fusiontheory.checks import InputError
from fusiontheory.cli import app as library
from fusiontheory.data import FeatureSet
from fusiontheory.simulate import SimulationGrid, simulate
from fusiontheory.store import RecordStore
from fusiontheory.training import (
    Architecture,
    IndexedPairs,
    Member,
    MemberGroup,
    PairDataset,
    TrainingSettings,
    group_cell,
    placed_groups,
    rows_that_fit,
    train_recorded,
)
from validation.__main__ import app
from validation.kernel import Run, Session, Study, measured_cells
from validation.trained import TrainedSession, TrainedStudy


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    """Images and two captions each that share a latent."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((260, 6))
    image = latent @ rng.standard_normal((6, 8)) + 0.5 * rng.standard_normal((260, 8))
    text = (latent @ rng.standard_normal((6, 8)))[:, None] + rng.standard_normal((260, 2, 8))
    split = np.repeat(["align", "train", "dev", "test"], [80, 100, 20, 60])
    arrays = image.astype(np.float32), text.astype(np.float32)
    return FeatureSet(*arrays, split=rng.permutation(split), name="made up")


def dataset() -> PairDataset:
    x = np.random.default_rng(0).standard_normal((60, 4)).astype(np.float32)
    rows = np.arange(60)
    parts = [IndexedPairs(own, own, np.sign(x[own, 0])) for own in np.split(rows, [30, 45])]
    return PairDataset("made up", x, x, rows, *parts)


GROUP = MemberGroup(
    Architecture("bilinear"),
    tuple(Member(dataset(), seed) for seed in range(4)),
    TrainingSettings(batch_size=10, epochs=2),
    "stacked",
)


@pytest.mark.parametrize("command", ["run", "trained", "trained-predict", "study"])
def test_an_absent_device_is_refused_before_any_work(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], features: FeatureSet
) -> None:
    file = features.save(tmp_path / "made.safetensors") or tmp_path / "made.safetensors"
    given = f"made={file}" if command == "study" else str(file)
    arguments = [command, "--features", given, "--store", str(tmp_path / "s")]
    with pytest.raises(SystemExit, match="2"):
        app([*arguments, "--device", "cuda:7"])
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "device must be one of cpu, auto" in said
    assert "'cuda:7'" in said
    assert not (tmp_path / "s").exists()


def test_simulate_refuses_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "grid.toml"
    config.write_text(
        'heads = ["additive"]\nn = [8]\nseeds = 1\nridge = [0.1]\n[pairs]\nd_v = 2\nd_t = 2\n'
    )
    with pytest.raises(SystemExit, match="2"):
        library(["simulate", str(config), "--out", str(tmp_path / "o"), "--device", "cuda:7"])
    assert "'cuda:7'" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_kernel_heads_on_a_device_have_records_of_their_own(
    features: FeatureSet, tmp_path: Path
) -> None:
    run = Run(sizes=(16, 32), seeds=1, ridge=0.1, test_pairs=40)
    tables = {}
    for precision in (None, "float64", "mixed"):
        asked = replace(run, precision=precision)
        session = Session.open(asked, tmp_path, features, ("cpu",) if precision else ())
        with Progress(disable=True) as progress:
            session.run(1, progress)
        known = {name: one.fingerprint for name, one in session.conditions.items()}
        cells = measured_cells(session.study, known)
        tables[precision] = session.store.read("matching", cells)
        told = session.store.metadata(cells[0])["environment"]["device"]
        assert told.endswith("PyTorch" if precision else "1 thread")
        assert ("precision" in cells[0].config) is (precision is not None)
    assert len({tuple(table["cell"]) for table in tables.values()}) == 3
    for table in tables.values():
        # NumPy has products of float32 features in float32; a device has them in float64.
        np.testing.assert_allclose(table["risk"], tables[None]["risk"], rtol=1e-3)
    np.testing.assert_allclose(tables["mixed"]["risk"], tables["float64"]["risk"], rtol=1e-8)
    with pytest.raises(InputError, match="precision must be one of float64, mixed"):
        Study(precision="half")


def test_a_report_of_another_precision_is_refused(features: FeatureSet, tmp_path: Path) -> None:
    study = TrainedStudy(
        strengths={"aligned": 1.0},
        sizes=(32,),
        heads=("bilinear",),
        main_heads=("bilinear",),
        seeds=2,
        small=32,
        dev_pairs=20,
        test_pairs=40,
        training=TrainingSettings(batch_size=16, epochs=1, dtype="float32"),
    )
    TrainedSession(study, features, tmp_path).run("grid")
    half = replace(study, training=replace(study.training, dtype="bfloat16"))
    for session in (
        TrainedSession(half, features, tmp_path),
        TrainedSession(study, features, tmp_path, ("cuda",)),
    ):
        with pytest.raises(InputError, match="ask for them with --dtype float32 --device cpu"):
            session.report(tmp_path / "out")


def test_the_gpus_of_a_machine_share_records() -> None:
    keys = {group_cell(replace(GROUP, device=name), "x").key for name in ("cuda:0", "cuda:1")}
    assert len(keys) == 1
    assert group_cell(GROUP, "x").key not in keys
    # Found without a device; on the processor they are what they were.
    settings = GROUP.settings
    [there] = placed_groups(GROUP.architecture, GROUP.members, settings, "cuda")
    assert (there.device, there.method, len(there.members)) == ("cuda", "stacked", 4)
    [here] = placed_groups(GROUP.architecture, GROUP.members, settings, "cpu")
    assert here.device == "cpu"


def test_a_group_too_large_for_the_memory_is_halved_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = GROUP.table().drop(columns="seconds")
    train = MemberGroup.table

    def small(group: MemberGroup) -> object:
        if len(group.members) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return train(group)

    monkeypatch.setattr(MemberGroup, "table", small)
    other = replace(GROUP, settings=replace(GROUP.settings, epochs=1))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        rows = train_recorded([GROUP, other], RecordStore(tmp_path), "x", devices=["cpu"])
    assert sum("too little memory for whole groups" in str(one.message) for one in said) == 1
    told = RecordStore(tmp_path).metadata(group_cell(GROUP, "x"))["environment"]
    assert told["members_at_once"] == 1
    mine = rows[rows["cell"] == group_cell(GROUP, "x").key]
    np.testing.assert_allclose(mine["test_loss"], whole["test_loss"], rtol=1e-4)

    def never(_: MemberGroup) -> object:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(MemberGroup, "table", never)
    with pytest.raises(InputError, match="memory for one bilinear network of 17 parameters"):
        rows_that_fit(GROUP, "cpu")


def test_simulation_on_a_device_agrees(tmp_path: Path) -> None:
    grid = SimulationGrid.of(
        {"pairs.d_v": 4, "pairs.d_t": 4, "target.noise": 0.1},
        {"target.interaction": [0.5]},
        heads=["bilinear", "concat-mlp"],
        n=[12, 40],
        seeds=1,
        ridges=[0.1],
        predict="none",
    )
    plain = simulate(grid, tmp_path / "plain")
    for precision in ("float64", "mixed"):
        there = simulate(grid, tmp_path / precision, device="cpu", precision=precision)
        np.testing.assert_allclose(there["test"], plain["test"], rtol=1e-6)
    with pytest.raises(InputError, match="beside a scheduler"):
        simulate(grid, tmp_path / "plain", scheduler="tcp://x:1", device="cpu")
