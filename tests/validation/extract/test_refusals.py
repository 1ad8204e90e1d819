"""What cannot be used ends the command with status 2 and one sentence; shards stay as they are."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
small_networks = pytest.importorskip("small_networks", reason="open_clip or torchvision")

from fusiontheory.data import FeatureSet
from validation.__main__ import app
from validation.backbones import libraries, read_state
from validation.extract import stream

IMAGES = 6


@pytest.fixture
def done(tmp_path: Path) -> list[str]:
    """Options of an extraction that has been done, without its features file and weights."""
    small_networks.small_clip(tmp_path)
    listed = small_networks.pictures(tmp_path / "images", IMAGES)
    rows = [f"{name},a picture" for name, _ in listed]
    (tmp_path / "captions.csv").write_text("\n".join(["image,caption", *rows]))
    options = [
        *(str(tmp_path / "captions.csv"), "--images", str(tmp_path / "images")),
        *("--cache", str(tmp_path / "cache"), "--shard-images", "3", "--workers", "0"),
        *("--out", str(tmp_path / "f.safetensors")),
    ]
    status, said = extract(options, *weights(tmp_path))
    assert status == 0, said
    (tmp_path / "f.safetensors").unlink()
    return options


def weights(folder: Path) -> tuple[str, ...]:
    return "--backbone", "clip:small", "--checkpoint", str(folder / "clip.safetensors")


def extract(options: list[str], *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["extract", *options, *more])
    return result.exit_code, result.stderr


def refused(options: list[str], *more: str) -> str:
    """The one sentence of a command that is refused and leaves the shards alone."""
    cache = Path(options[options.index("--cache") + 1])
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*.safetensors")}
    assert len(before) == 4  # two of images and two of captions
    status, said = extract(options, *more)
    assert status == 2, said
    assert said.startswith("error: ")
    assert said.count("\n") == 1, said
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.safetensors")} == before
    assert not Path(options[options.index("--out") + 1]).exists()
    return said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("clip:smal", "nearest: small"),
        ("clip:ViT-B-32-quickgelu:opena", "nearest: openai"),
        ("resnet81", "nearest: resnet18"),
    ],
)
def test_unknown_backbones_and_tags(done: list[str], name: str, words: str) -> None:
    assert words in refused(done, "--backbone", name)


def test_checkpoints_of_other_networks(done: list[str], tmp_path: Path) -> None:
    resnet = small_networks.small_resnet(tmp_path)
    other = ["--checkpoint", str(tmp_path / "clip.safetensors")]
    assert "must be one of ResNet18" in refused(done, "--backbone", "resnet18", *other)
    state = read_state(resnet)
    del state["layer2.0.conv1.weight"]
    torch.save(state, tmp_path / "less.pt")
    less = ["--backbone", "resnet18", "--checkpoint", str(tmp_path / "less.pt")]
    assert "without layer2.0.conv1.weight; name" in refused(done, *less)


@pytest.mark.parametrize("name", ["resnet18", "clip-vit-b-32"])
def test_no_network(done: list[str], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def closed(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", closed)
    models = libraries.library("torchvision.models")
    monkeypatch.setattr(type(models.ResNet18_Weights.IMAGENET1K_V1), "get_state_dict", closed)
    monkeypatch.setattr(libraries.library("open_clip").pretrained, "download_pretrained", closed)
    said = refused(done, "--backbone", name)
    assert "cannot be downloaded (OSError: Name or service not known)" in said
    assert "give its path as the checkpoint" in said


def test_a_full_disk_under_the_features_file(
    done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(stream.os, "fsync", full)
        # The list of the part is written by the same system call, which is let through.
        patch.setattr("validation.extract.run.write_part", lambda path, _: path)
        said = refused(done, *weights(tmp_path))
    assert "No space left on device; choose a folder that is writable and has space" in said
    assert not list(tmp_path.glob(".*.tmp"))
    assert extract(done, *weights(tmp_path))[0] == 0
    assert len(FeatureSet.load(tmp_path / "f.safetensors")) == IMAGES


def test_images_and_captions_without_each_other(done: list[str], tmp_path: Path) -> None:
    table = tmp_path / "captions.csv"
    whole = table.read_text()
    table.write_text(whole.rpartition("\n")[0])
    assert "005.png" in refused(done, *weights(tmp_path))
    table.write_text(f"{whole}\nnone.png,a picture")
    assert "none.png" in refused(done, *weights(tmp_path))


def test_an_image_in_two_splits(done: list[str], tmp_path: Path) -> None:
    rows = [f"{i:03d}.png,a picture,train" for i in range(IMAGES)]
    table = "\n".join(["image,caption,split", *rows, "000.png,the same,test"])
    (tmp_path / "captions.csv").write_text(table)
    said = refused(done, *weights(tmp_path))
    assert "one split, got 000.png in train" in said
