"""Everything in turn, each part kept as soon as it is done, and one JSON of all of it."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fusiontheory.data import FeatureSet
from fusiontheory.solvers import device_name, devices
from fusiontheory.store import RecordStore, check_writable, sha256, write_atomically
from fusiontheory.training import kind_of
from validation.conditions import condition_features
from validation.data import shipped_features
from validation.gpu.agreement import agreement
from validation.gpu.compiled import compiled_rates
from validation.gpu.rates import extraction_rates, ridge_rates, update_rates
from validation.trained import TrainedStudy, train_cells
from validation.trained.runs import recorded_runs

__all__ = ["FULL", "SMALL", "Size", "gpu_run"]


@dataclass(frozen=True)
class Size:
    """How large every part is.

    Attributes:
        pairs, dimension, seeds: of the agreement.
        study: the grid.
        shipped: whether the grid is of the shipped features, else of made-up ones.
        heads, members, updates, product: of the rates of updates.
        compiled: networks of which a compiled update is measured.
        ridge: numbers of pairs of kernel ridge.
        images, batch: of the extraction.
    """

    pairs: int
    dimension: int
    seeds: int
    study: TrainedStudy
    shipped: bool
    heads: tuple[str, ...]
    members: int
    updates: int
    product: int
    compiled: tuple[str, ...]
    ridge: tuple[int, ...]
    images: int
    batch: int


FULL = Size(
    pairs=4096,
    dimension=512,
    seeds=10,
    study=TrainedStudy(seeds=10),
    shipped=True,
    heads=("concat-mlp", "cross-attention", "token-attention", "bilinear"),
    members=256,
    updates=200,
    product=8192,
    compiled=("concat-mlp", "cross-attention", "token-attention", "bilinear"),
    ridge=(16384, 32768),
    images=2048,
    batch=256,
)
"""What a GPU does: the whole declared grid with 10 seeds."""

SMALL = Size(
    pairs=128,
    dimension=16,
    seeds=3,
    study=TrainedStudy(
        strengths={"unaligned": 0.0, "aligned": 1.0},
        sizes=(32, 64),
        heads=("concat-mlp", "bilinear"),
        seeds=2,
        small=32,
        dev_pairs=20,
        test_pairs=40,
        training=replace(TrainedStudy().training, batch_size=16, epochs=2),
    ),
    shipped=False,
    heads=("concat-mlp", "bilinear"),
    members=4,
    updates=3,
    product=256,
    # A compiler is not everywhere, and takes longer than everything else here.
    compiled=(),
    ridge=(256, 512),
    images=4,
    batch=2,
)
"""The same in under a minute on a processor, to try every line of it."""


def gpu_run(device: str, size: Size, store: Path, out: Path) -> Path:
    """Do what is not done yet, and write ``gpu.json`` and ``accuracy.csv``; return the former.

    Args:
        device: as `fusiontheory.solvers.devices` takes it.
        size: of every part.
        store: gets a file for each part, and the records of the grid.
        out: folder of the results.

    Raises:
        InputError: for a device that is not there, or a folder that cannot be written to.
    """
    places = tuple(devices(device))
    for name, folder in (("store", store), ("out", out)):
        check_writable(name, folder)
    first = places[0]
    # What another PyTorch or another GPU measured is not what this one measures.
    here = {"device": kind_of(first), "name": device_name(first), "torch": str(torch.__version__)}
    known = sha256({**asdict(size), **here})[:12]
    work: Mapping[str, Callable[[], object]] = {
        "agreement": lambda: agreement(first, size.pairs, size.dimension, size.seeds),
        "grid": lambda: _grid(places, size, store, out),
        "updates": lambda: update_rates(
            first, size.heads, size.members, size.dimension, size.updates, size.product
        ),
        "ridge": lambda: ridge_rates(first, size.ridge, size.dimension),
        "extraction": lambda: extraction_rates(first, size.images, size.batch),
        "compiled": lambda: compiled_rates(
            first, size.compiled, size.members, size.dimension, size.updates
        ),
    }
    results: dict[str, Any] = {}
    for name, make in work.items():
        path = store / "parts" / known / f"{name}.json"
        if not path.is_file():
            start = time.perf_counter()
            told = {"result": make(), "seconds": round(time.perf_counter() - start, 3)}
            write_atomically(path, json.dumps(told, indent=1).encode())
        results[name] = json.loads(path.read_text(encoding="utf-8"))
    about = {
        "device": device_name(first),
        "devices": len(places),
        "machine": platform.machine(),
        "versions": _versions(),
        "seeds": size.study.seeds,
        "small": not size.shipped,
    }
    page = out / "gpu.json"
    write_atomically(page, (json.dumps({**about, **results}, indent=1) + "\n").encode())
    return page


def _grid(places: tuple[str, ...], size: Size, store: Path, out: Path) -> dict[str, Any]:
    """(b) Train the grid; its accuracies go to ``accuracy.csv``."""
    features = shipped_features() if size.shipped else _made_up()
    size.study.check_features(features)
    conditions = condition_features(features, size.study.strengths, store / "heads")
    known = size.study, conditions, RecordStore(store / "records")
    cells = size.study.cells("grid")
    gpus = places if kind_of(places[0]) != "cpu" else ()
    start = time.perf_counter()
    train_cells(*known, cells, devices=gpus)
    seconds = time.perf_counter() - start
    runs, missing = recorded_runs(*known, cells, kind_of(places[0]))
    table = runs.groupby(["condition", "head", "n"])["accuracy"].agg(["mean", "sem", "count"])
    text = table.reset_index().to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_atomically(out / "accuracy.csv", text.encode())
    updates = int(runs["updates"].sum())
    return {
        "runs": len(runs),
        "missing": missing,
        "updates": updates,
        "training_seconds": round(seconds, 3),
    }


def _made_up() -> FeatureSet:
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((260, 6))
    image = latent @ rng.standard_normal((6, 16)) + 0.5 * rng.standard_normal((260, 16))
    text = (latent @ rng.standard_normal((6, 16)))[:, None] + rng.standard_normal((260, 2, 16))
    split = np.repeat(["align", "train", "dev", "test"], [80, 100, 20, 60])
    return FeatureSet(
        image.astype(np.float32),
        text.astype(np.float32),
        split=rng.permutation(split),
        name="made up",
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "torch": str(torch.__version__)}
    for name in ("numpy", "scipy", "fusiontheory", "open_clip_torch"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    versions["cuda"] = str(torch.version.cuda)
    return versions
