"""The run of ``make clip`` in small: killed and resumed, stopped by its proof, refused."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")
small_networks = pytest.importorskip("small_networks", reason="open_clip or torchvision")

import corpus_mirror as mirror

from fusiontheory.checks import InputError
from fusiontheory.store import RecordStore
from validation.backbones import library
from validation.clip import Plan, run_stages, stages
from validation.clip.__main__ import app
from validation.corpus import read_manifest
from validation.extract import PUBLISHED, Published

IMAGES = 48
SHARD = 16
TABLES = ("comparison", "gaps", "curves", "trained/accuracy", "trained/gaps", "trained/runs")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, undrawn: None) -> Iterator[Plan]:
    """Return a plan for a mirror with made-up pictures and small networks of random weights."""
    folder = tmp_path_factory.mktemp("clip")
    small_networks.small_clip(folder)
    images = [folder / f"{k:03d}.jpg" for k in range(IMAGES)]
    for k, path in enumerate(images):
        small_networks.picture(k).save(path)
    captions = {path.name: [f"picture {k}", f"{k} of red"] for k, path in enumerate(images)}
    served = folder / "mirror"
    clip = library("open_clip").create_model("small", load_weights=False)
    weights = [
        mirror.save_random(clip, served / "clip-small.safetensors"),
        mirror.save_random(
            library("torchvision.models").resnet18(), served / "resnet18.safetensors"
        ),
    ]
    about = mirror.make_archives(served, images, captions)
    manifest = mirror.write_manifest(served, about, weights)
    with mirror.served(served) as address, pytest.MonkeyPatch.context() as patch:
        figures = Published({"text_to_image@5": 0.8054}, "nobody", "gelu")
        patch.setitem(PUBLISHED, ("clip:small", "local"), figures)
        yield Plan(
            folder=folder / "unset",
            out=folder / "unset",
            device="cpu",
            first="cpu",
            mirror=address,
            manifest=manifest,
            weights=tuple(one.name for one in read_manifest(manifest).weights),
            backbone="clip:small",
            text_backbone="clip:small",
            sizes="32",
            seeds=2,
            heads="concat-mlp,cross-attention",
            parts="grid",
            shard=SHARD,
            jobs=1,
            accept_terms=True,
        )


def placed(plan: Plan, folder: Path) -> Plan:
    return replace(plan, folder=folder, out=folder / "out")


SAID: list[str] = []


def in_this_process(module: str, arguments: Sequence[str]) -> int:
    """Run a module as a program does, where the small networks are known."""
    name = f"{module}.__main__" if module == "validation" else module
    result = CliRunner().invoke(import_module(name).app, list(arguments))
    SAID.append(result.output)
    return result.exit_code


def until_figures(plan: Plan, names: Sequence[str] = ("figure 1",)) -> None:
    """Run all stages but those of a picture of 300 images, and of most figures."""
    listed = stages(plan)
    cut = [one for one in listed if not one.name.startswith(("figure", "embedding"))]
    cut += [one for one in listed if one.name in names]
    run_stages(cut, unproved=True, run=in_this_process)


def killed(plan: Plan, when: Callable[[], bool]) -> None:
    """Run in a process that is killed as soon as something is so."""
    process = multiprocessing.get_context("fork").Process(target=until_figures, args=(plan,))
    process.start()
    while process.is_alive() and not when():
        time.sleep(0.02)
    assert process.is_alive(), "it ended before it was killed"
    process.kill()
    process.join()


def test_killed_twice_it_ends_with_the_same_tables(plan: Plan, tmp_path: Path) -> None:
    whole, broken = placed(plan, tmp_path / "whole"), placed(plan, tmp_path / "broken")
    until_figures(whole, ())
    killed(broken, lambda: len(list((broken.folder / "features").rglob("*-*/*.safetensors"))) > 1)
    assert not broken.features("unaligned").exists()
    store = RecordStore(broken.folder / "store" / "records")
    killed(
        broken,
        lambda: store.database.is_file() and sum(one.cells for one in store.status()) >= 2,
    )
    assert not (broken.results / "index.html").exists()
    until_figures(broken)
    for name in TABLES:
        first, second = (one.results / f"{name}.csv" for one in (whole, broken))
        if name == "trained/runs":  # with measured seconds
            tables = [pd.read_csv(path).drop(columns="seconds") for path in (first, second)]
            pd.testing.assert_frame_equal(*tables, check_exact=True)
        else:
            assert first.read_bytes() == second.read_bytes(), name
    for page in ("index.html", "trained/index.html"):
        head = (broken.results / page).read_text(encoding="utf-8").partition("</header>")[0]
        assert f"resnet18: {mirror.NOTE}" in head
        assert f"clip:small: {mirror.NOTE}" in head
    assert (broken.out / "docs" / "figures" / "figure1.png").is_file()
    counts = pd.read_csv(broken.results / "parameter_counts.csv")
    assert {*counts["d_v"], *counts["d_t"]} == {16}
    claims = pd.read_csv(broken.results / "trained" / "claims.csv")
    assert len(claims) == 8


def test_the_proof_stops_it_in_one_sentence(plan: Plan, tmp_path: Path) -> None:
    here = placed(plan, tmp_path)
    SAID.clear()
    with pytest.raises(InputError, match="must have the published recall to go on"):
        run_stages(stages(here), run=in_this_process)
    [sentence] = SAID[-1].strip().splitlines()
    assert "text_to_image@5" in sentence
    assert "published 0.8054" in sentence
    assert mirror.NOTE in sentence
    assert not (tmp_path / "store").exists()
    assert not here.features("unaligned").exists()


def test_a_wrong_file_and_another_architecture_are_refused(plan: Plan, tmp_path: Path) -> None:
    assert plan.manifest is not None
    told = json.loads(plan.manifest.read_text())
    for key, value, words in (
        # What the mirror serves is not what the manifest names.
        ("clip-small.safetensors", "0" * 64, "must have the SHA-256 000"),
        ("texts", {**told["texts"], "sha256": "0" * 64}, "must have the SHA-256 000"),
        # A network's own file, under the name of another.
        ("resnet18.safetensors", None, "checkpoint must be one of ResNet18, got "),
    ):
        changed = {**told, "weights": dict(told["weights"])}
        address, folder = plan.mirror, tmp_path / key
        if key == "texts":
            changed["texts"] = value
        elif value is not None:
            changed["weights"][key] = value
        else:
            folder.mkdir()
            place = folder / "flickr8k" / "weights" / key
            place.parent.mkdir(parents=True)
            other = plan.manifest.with_suffix("") / "clip-small.safetensors"
            place.write_bytes(other.read_bytes())
            changed["weights"][key] = mirror.digest(other)
        manifest = tmp_path / f"{key}.json"
        manifest.write_text(json.dumps(changed))
        SAID.clear()
        here = replace(placed(plan, folder), manifest=manifest, mirror=address)
        with pytest.raises(InputError, match="must end with status 0, got 2"):
            run_stages(stages(here), unproved=True, run=in_this_process)
        [error] = [line for line in SAID[-1].splitlines() if line.startswith("error: ")]
        assert words in error


def test_a_stage_that_fails_ends_the_run(plan: Plan, tmp_path: Path) -> None:
    done: list[str] = []

    def run(module: str, arguments: Sequence[str]) -> int:
        done.append(arguments[0])
        return -9 if arguments[0] == "study" else 0

    with pytest.raises(InputError, match="stage study must end with status 0, got -9"):
        run_stages(stages(placed(plan, tmp_path)), run=run)
    assert done == ["fetch", "extract", "prove", "extract", "study"]


def test_without_a_gpu_and_with_a_wrong_manifest_nothing_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.chdir(tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_text("{}")
    for options, words in (
        ([], "device must be one of cpu, auto on this machine, got 'cuda'"),
        (["--device", "cpu", "--manifest", str(manifest)], "manifest must have images, texts"),
    ):
        result = CliRunner().invoke(app, options)
        assert result.exit_code == 2
        assert words in result.output
    assert list(tmp_path.iterdir()) == [manifest]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": {"../a": "0" * 64}}, "must name files below its address"),
        ({"weights": {"a": "1"}}, "must have the SHA-256 of a in hex"),
        ({"image_files": 0}, "image_files of the manifest"),
        ({"split_images": {"train": 1}}, "split_images of train, dev, test"),
        ({"texts": "x"}, "must have name and sha256"),
    ],
)
def test_a_manifest_is_checked(change: dict[str, object], words: str, tmp_path: Path) -> None:
    archive = {"name": "a.zip", "sha256": "0" * 64}
    told = {
        **{"images": archive, "texts": archive, "image_files": 3, "caption_lines": 3},
        "split_images": {"test": 1, "train": 1, "dev": 1},
    }
    path = tmp_path / "m.json"
    path.write_text(json.dumps(told))
    assert list(read_manifest(path).split_images) == ["train", "dev", "test"]
    path.write_text(json.dumps({**told, **change}))
    with pytest.raises(InputError, match=words):
        read_manifest(path)
    path.write_text("no JSON")
    with pytest.raises(InputError, match="manifest must be JSON"):
        read_manifest(path)
