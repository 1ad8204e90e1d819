"""The one command from images and captions to the report, and the same as jobs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
small_networks = pytest.importorskip("small_networks", reason="open_clip or torchvision")

from fusiontheory.checks import InputError
from validation.__main__ import app
from validation.pipeline import Resources, launch_study, run_command

pytestmark = pytest.mark.usefixtures("undrawn")

IMAGES = 48


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options of the command: a CLIP and a ResNet18 of random weights, texts by the CLIP."""
    folder = tmp_path_factory.mktemp("raw")
    clip, resnet = small_networks.small_clip(folder), small_networks.small_resnet(folder)
    listed = small_networks.pictures(folder / "images", IMAGES)
    rows = [
        f"{name},picture {i} {'of red' * k}" for i, (name, _) in enumerate(listed) for k in (0, 1)
    ]
    (folder / "captions.csv").write_text("\n".join(["image,caption", *rows]))
    return [
        *("--captions", str(folder / "captions.csv"), "--images", str(folder / "images")),
        *("--backbone", "clip:small", "--backbone", "resnet18", "--text-backbone", "clip:small"),
        *("--checkpoint", f"clip:small={clip}", "--checkpoint", f"resnet18={resnet}"),
        *("--sizes", "16", "--seeds", "1", "--heads", "concat-mlp,bilinear"),
        *("--workers", "0", "--jobs", "1", "--shard-images", "16"),
    ]


def invoke(options: list[str], *more: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["study", *options, *map(str, more)])
    return result.exit_code, result.output


def shards_of(folder: Path) -> dict[Path, int]:
    return {p: p.stat().st_mtime_ns for p in (folder / "store").rglob("*-*/*.safetensors")}


@pytest.fixture(scope="module")
def finished(
    options: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[Path, int], str]:
    """Return the folder of a whole run, its shards before their merge, and what it said."""
    folder = tmp_path_factory.mktemp("finished")
    places = ["--store", folder / "store", "--out", folder / "report"]
    # In two parts first, as two machines would, and then the rest.
    for part in ("1/2", "2/2"):
        status, said = invoke(options, *places, "--only", "extract", "--shard", part)
        assert status == 0, said
    shards = shards_of(folder)
    status, said = invoke(options, *places)
    assert status == 0, said
    return folder, shards, said


def test_one_command_from_images_to_the_report(
    finished: tuple[Path, dict[Path, int], str],
) -> None:
    folder, shards, said = finished
    assert len(shards) == 3 * 3  # of images twice, and of captions once for both
    assert "resnet18: split by image with seed 0: 36 train, 6 dev, 6 test" in said
    assert "left out on resnet18: image and text vectors have 512 and 16 dimensions" in said
    assert shards_of(folder) == shards
    table = pd.read_csv(folder / "report" / "comparison.csv")
    assert {*table["condition"]} == {"clip:small", "resnet18"}
    runs = pd.read_csv(folder / "report" / "trained" / "runs.csv")
    assert len(runs) == 2 * 2
    assert {*runs["n"]} == {16}
    page = (folder / "report" / "index.html").read_text()
    assert "512 + 16 dimensions, as given" in page
    assert "Small corpus" in page


def test_a_damaged_image_is_left_out_of_all_conditions(options: list[str], tmp_path: Path) -> None:
    images = Path(options[3])
    copy = tmp_path / "images"
    copy.mkdir()
    for path in images.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "003.png").write_text("no image")
    changed = [str(copy) if option == str(images) else option for option in options]
    places = ["--store", tmp_path / "store", "--out", tmp_path / "report", "--parts", "none"]
    status, said = invoke(changed, *places, "--json")
    assert status == 0, said
    for name in ("clip:small", "resnet18"):
        assert f"{name}: left out 003.png: not an image" in said
    status, said = invoke(changed, *places, "--strict")
    assert status == 2
    assert "003.png" in said


def test_names_are_looked_at_before_images(options: list[str], tmp_path: Path) -> None:
    wrong = ["resnet-18" if option == "resnet18" else option for option in options]
    at = next(k for k, option in enumerate(wrong) if option.startswith("resnet18="))
    del wrong[at - 1 : at + 1]
    status, said = invoke(wrong, "--store", tmp_path / "store", "--out", tmp_path / "report")
    assert status == 2
    assert "nearest: resnet18" in said
    assert not (tmp_path / "store" / "features").exists()


# Jobs


def command_here(command: Sequence[str]) -> str:
    """Run what a job would, in this process."""
    assert command[1:4] == ["-m", "validation", "study"]
    status, said = invoke(list(command[4:]))
    assert status == 0, said
    return said.strip().splitlines()[-1]


def test_jobs_of_a_local_launch_end_in_the_same_report(
    options: list[str],
    finished: tuple[Path, dict[Path, int], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submitit = pytest.importorskip(
        "submitit", reason="submitit is not installed (pip extra: slurm)"
    )
    resources = Resources("local", tmp_path / "logs", timeout_min=5, cpus=1, memory_gb=1)
    places = ["--store", str(tmp_path / "store"), "--out", str(tmp_path / "report")]
    arrays = _features(finished)
    given = ["--features", f"clip={arrays}", *options[14:18], "--heads", "concat-mlp,bilinear"]
    # Processes of their own, as on other machines, end in an error that names the job.
    with pytest.raises(InputError, match=r"job .* failed: .*ridge must be above 0 to measure"):
        launch_study([*given, *places, "--parts", "none", "--ridge", "0"], 1, resources)
    # The jobs of all stages, in this process.
    monkeypatch.setattr(
        "submitit.AutoExecutor", lambda folder, cluster: submitit.DebugExecutor(folder)
    )
    monkeypatch.setattr("validation.pipeline.slurm.run_command", command_here)
    said = launch_study([*given, *places, "--jobs", "1"], 2, resources)
    assert said.startswith("report: ")
    runs = pd.read_csv(tmp_path / "report" / "trained" / "runs.csv")
    assert len(runs) == 2
    assert {*runs["n"]} == {16}
    plain = ["--store", tmp_path / "alone", "--out", tmp_path / "once"]
    assert invoke(given, *plain, "--jobs", 1)[0] == 0
    for name in ("comparison.csv", "gaps.csv", "curves.csv"):
        assert (tmp_path / "report" / name).read_bytes() == (tmp_path / "once" / name).read_bytes()


def _features(finished: tuple[Path, dict[Path, int], str]) -> Path:
    [found] = (finished[0] / "store").rglob("clip-small.safetensors")
    return found


def test_a_launch_without_submitit_or_with_wrong_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from validation.pipeline import slurm

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(slurm.importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"fusiontheory\[slurm\]"):
        launch_study(["--captions", "a"], 2, Resources(logs=tmp_path))
    with pytest.raises(InputError, match="leave --shard to the launcher"):
        launch_study(["--shard", "1/2"], 2, Resources(logs=tmp_path))
    with pytest.raises(InputError, match="cluster must be slurm or local"):
        Resources("cloud")
    with pytest.raises(RuntimeError, match="must be given"):
        run_command([sys.executable, "-c", "import sys; sys.exit('features must be given')"])


def test_a_launch_without_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("submitit", reason="submitit is not installed (pip extra: slurm)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"cluster must be .* got 'slurm': .*srun"):
        launch_study(["--captions", "a"], 2, Resources(logs=tmp_path))


def test_sidecar_and_json(
    options: list[str], finished: tuple[Path, dict[Path, int], str], tmp_path: Path
) -> None:
    places = ["--store", finished[0] / "store", "--out", tmp_path / "r"]
    status, said = invoke(options, *places, "--parts", "none", "--json")
    assert status == 0, said
    found = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    assert found["page"].endswith("index.html")
    assert found["missing"] == []
