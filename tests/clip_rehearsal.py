"""``make clip`` rehearsed whole, without a network: ``python tests/clip_rehearsal.py``.

150 photographs and their captions become archives, and networks of the right architectures get
random weights; a mirror on the loopback address serves them. The command runs twice: once without
interruption, and once killed twice, in the extraction and in the training, and started again.
The tables of both must be the same. Before that the proof must stop the run, in one line.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from corpus_mirror import make_archives, save_random, served, write_manifest

from fusiontheory.store import RecordStore
from validation.backbones import library
from validation.corpus import read_lines

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = ("--device", "cpu", "--sizes", "128,256", "--embedded", "18", "--shard-images", "32")
NAMES = ("plain", "killed")
MEASURED = ("seconds",)
"""Columns of tables that hold measured times."""


def minilm(folder: Path, captions: Sequence[str]) -> list[Path]:
    """Write a sentence encoder of MiniLM's size with random weights and words of the captions."""
    library("torchvision")
    transformers, sentences = library("transformers"), library("sentence_transformers")
    words = sorted({word for text in captions for word in text.lower().split()})
    base = folder.parent / "bert"
    base.mkdir(parents=True, exist_ok=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (base / "vocab.txt").write_text("\n".join([*special, *words]))
    transformers.BertTokenizerFast(str(base / "vocab.txt")).save_pretrained(base)
    config = transformers.BertConfig(
        vocab_size=len(words) + len(special),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
    )
    transformers.BertModel(config).save_pretrained(base)
    # The mean of the token vectors, as the library makes of a plain network.
    model = sentences.SentenceTransformer(str(base))
    model.save(str(folder))
    save_random(model[0].auto_model, folder / "model.safetensors")
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"]


def make_mirror(folder: Path, data: Path, count: int) -> Path:
    """Make everything that the mirror serves, once; return the manifest."""
    manifest = folder.with_suffix(".json")
    if manifest.is_file():
        return manifest
    images = sorted((data / "images").glob("*.jpg"))[:count]
    captions: dict[str, list[str]] = {path.name: [] for path in images}
    for _, line in read_lines(data / "captions" / "Flickr8k.token.txt"):
        name, _, text = line.partition("\t")
        name = name.partition("#")[0]
        if name in captions:
            captions[name].append(text)
    torch.manual_seed(0)
    open_clip = library("open_clip")
    clip = open_clip.create_model("ViT-B-32-quickgelu", load_weights=False)
    resnet = library("torchvision.models").resnet18()
    weights = [
        save_random(clip, folder / "clip-vit-b-32.safetensors"),
        save_random(resnet, folder / "resnet18.safetensors"),
        *minilm(folder / "minilm", [text for texts in captions.values() for text in texts]),
    ]
    return write_manifest(folder, make_archives(folder, images, captions), weights)


def command(work: Path, name: str, address: str, manifest: Path, seeds: int) -> list[str]:
    """Return the command as a user would give it, but for --unproved."""
    return [
        *(sys.executable, "-m", "validation.clip", *OPTIONS, "--seeds", str(seeds)),
        *("--mirror", address, "--manifest", str(manifest), "--accept-terms"),
        *("--folder", str(work / name), "--out", str(work / name / "out")),
    ]


def killed(given: list[str], when: Callable[[], bool]) -> None:
    """Start a command and kill it, with all its processes, as soon as something is so."""
    with subprocess.Popen(given, cwd=ROOT, start_new_session=True) as process:
        while process.poll() is None and not when():
            time.sleep(0.05)
        if process.poll() is not None:
            raise SystemExit("the command ended before it was killed: nothing was rehearsed")
        os.killpg(process.pid, signal.SIGKILL)


def shards(folder: Path) -> int:
    return sum(1 for _ in (folder / "features").rglob("*-*/*.safetensors"))


def records(folder: Path) -> int:
    store = RecordStore(folder / "store" / "records")
    return sum(one.cells for one in store.status()) if store.database.is_file() else 0


def compared(folder: Path) -> list[Path]:
    """Return the tables and figures of a run."""
    kinds = (".csv", ".json", ".png", ".svg", ".pdf")
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.suffix in kinds)


def differences(one: Path, other: Path) -> list[str]:
    """Return what differs between the results of two runs, but for measured times."""
    found = []
    files = compared(one)
    for name in files:
        if not (other / name).is_file():
            found.append(f"{name}: only one has it")
        elif name.name == "runs.csv":
            first, second = (pd.read_csv(root / name, dtype=str) for root in (one, other))
            drop = [column for column in MEASURED if column in first]
            if not first.drop(columns=drop).equals(second.drop(columns=drop)):
                found.append(f"{name}: other values")
        elif not filecmp.cmp(one / name, other / name, shallow=False):
            found.append(f"{name}: other bytes")
    return [*found, *([] if files else ["no files"])]


def used() -> float:
    """Return the processor seconds of children that have ended."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, help="folder of images/ and captions/")
    options.add_argument("--work", type=Path, default=Path(".cache/clip-rehearsal"))
    options.add_argument("--images", type=int, default=150)
    options.add_argument("--seeds", type=int, default=2)
    options.add_argument("--only", choices=("plain", "killed", "compare"))
    asked = options.parse_args()
    shared = os.environ.get("FUSIONTHEORY_SHARED")
    data = asked.data or (Path(shared) / "data" / "flickr8k" if shared else None)
    if data is None:
        raise SystemExit("name the folder of images/ and captions/: --data")
    work = asked.work.resolve()
    manifest = make_mirror(work / "mirror", data, asked.images)
    with served(work / "mirror") as address:
        for name in NAMES:
            if asked.only not in (None, name):
                continue
            given = command(work, name, address, manifest, asked.seeds)
            start, before = time.perf_counter(), used()
            told: dict[str, Any] = {"images": asked.images, "seeds": asked.seeds}
            if name == "plain":
                stopped = subprocess.run(given, cwd=ROOT, stderr=subprocess.PIPE, text=True)
                told["stopped"] = stopped.stderr.splitlines()[-1], stopped.returncode
                assert stopped.returncode == 2, stopped.stderr
            else:
                folder = work / name
                killed(given, lambda folder=folder: shards(folder) >= 3)
                told["shards at the first kill"] = shards(folder)
                killed([*given, "--unproved"], lambda folder=folder: records(folder) >= 40)
                told["records at the second kill"] = records(folder)
            subprocess.run([*given, "--unproved"], cwd=ROOT, check=True)
            told["seconds"] = round(time.perf_counter() - start, 1)
            told["processor seconds"] = round(used() - before, 1)
            (work / f"{name}.told.json").write_text(json.dumps(told, indent=1))
    if asked.only in (None, "compare"):
        both = [work / name / "out" / "docs" for name in NAMES]
        found = differences(*both)
        page = (both[0] / "results" / "index.html").read_text(encoding="utf-8")
        assert "random weights, seed 0" in page.partition("</header>")[0]
        told = {name: json.loads((work / f"{name}.told.json").read_text()) for name in NAMES}
        names = [path.suffix for path in compared(both[0])]
        told["tables"], told["files"] = names.count(".csv"), len(names)
        told["different"] = found
        (work / "rehearsal.json").write_text(json.dumps(told, indent=1) + "\n")
        print((work / "rehearsal.json").read_text())
        if found:
            raise SystemExit("\n".join(found))
        print("the results of both are the same, but for measured times")


if __name__ == "__main__":
    main()
