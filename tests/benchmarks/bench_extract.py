"""Extraction against the bare forward, a plain open_clip loop, and itself on ten times the images.

Run with: pytest -o addopts="" tests/benchmarks/bench_extract.py -s

ViT-B/32 with random weights; ways are timed in turns, since others may use the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # where small_networks is

torch = pytest.importorskip("torch")
small_networks = pytest.importorskip("small_networks", reason="open_clip or torchvision")

from rich.progress import Progress

from validation.backbones import library, load_backbone
from validation.extract import Settings, extract_images

MODEL, IMAGES, TEXTS, ROUNDS = "ViT-B-32-quickgelu", 128, 256, 2
MOST_MEMORY = 200 * 2**20
"""Bytes that ten times the images may add."""


@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    """Weights in a file, and photographs of 224 x 224 in another folder."""
    folder = tmp_path_factory.mktemp("bench")
    torch.manual_seed(0)
    model = library("open_clip").create_model(MODEL, load_weights=False).eval()
    torch.save(model.state_dict(), folder / "clip.pt")
    listed = []
    for i in range(IMAGES):
        path = folder / f"{i:04d}.jpg"
        small_networks.picture(i, (224, 224)).save(path)
        listed.append((path.name, path))
    return folder, listed, model


def test_images(setup, tmp_path):
    """Images a second of extraction, of the network on tensors in memory, and of a DataLoader."""
    folder, listed, model = setup
    backbone = load_backbone(f"clip:{MODEL}", folder / "clip.pt")
    transform = library("open_clip").image_transform(224, is_train=False)
    from PIL import Image

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return len(listed)

        def __getitem__(self, i):
            return transform(Image.open(listed[i][1]))

    ready = torch.stack([Pictures()[i] for i in range(IMAGES)])

    def bare(_):
        with torch.inference_mode():
            return [model.encode_image(x) for x in ready.split(64)]

    def plain(_):
        loader = torch.utils.data.DataLoader(Pictures(), 64, num_workers=2)
        with torch.inference_mode():
            return [model.encode_image(x) for x in loader]

    def ours(turn):
        with Progress(disable=True) as progress:
            extract_images(listed, backbone, tmp_path / f"{turn}", Settings(workers=2), progress)

    ways = {"bare": bare, "DataLoader": plain, "extract": ours}
    times = {name: [] for name in ways}
    for turn in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            way(turn)
            times[name].append(time.perf_counter() - start)
    rate = {name: IMAGES / min(found) for name, found in times.items()}
    print("\nimages/s", {name: round(value, 1) for name, value in rate.items()})
    print("of bare", round(rate["extract"] / rate["bare"], 2))
    print("of DataLoader", round(rate["extract"] / rate["DataLoader"], 2))
    assert rate["extract"] > 0.5 * rate["bare"]


def test_texts(setup):
    """Captions a second with the context cut to a bucket's longest, and in full."""
    folder, _, model = setup
    backbone = load_backbone(f"clip:{MODEL}", folder / "clip.pt")
    words = [
        "a",
        "dog",
        "runs",
        "over",
        "the",
        "green",
        "grass",
        "and",
        "catches",
        "a",
        "red",
        "ball",
        "near",
        "two",
        "children",
    ]
    texts = [" ".join(words[: 3 + i % 12]) for i in range(TEXTS)]
    tokens = library("open_clip").get_tokenizer(MODEL)(texts)

    def full():
        with torch.inference_mode():
            found = [model.encode_text(x, normalize=True) for x in tokens.split(64)]
        return torch.cat(found).numpy()

    ways = {"full": full, "cut": lambda: backbone.encode_texts(texts, 64)}
    times, found = {name: [] for name in ways}, {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            found[name] = way()
            times[name].append(time.perf_counter() - start)
    gain = min(times["full"]) / min(times["cut"])
    print("\ntext, cut over full context:", round(gain, 2))
    np.testing.assert_allclose(found["cut"], found["full"], atol=1e-4)
    assert gain > 1.5


_MEMORY = """
import sys
sys.path.insert(0, "tests")
from pathlib import Path
import small_networks
from rich.progress import Progress
from validation.backbones.names import load_backbone
from validation.extract.images import extract_images
from validation.extract.settings import Settings
folder, count = Path(sys.argv[1]), int(sys.argv[2])
listed = []
for i in range(count):
    path = folder / f"{i:05d}.png"
    if not path.exists():
        small_networks.picture(i).save(path)
    listed.append((path.name, path))
backbone = load_backbone("clip:small", small_networks.small_clip(folder))
with Progress(disable=True) as progress:
    extract_images(listed, backbone, folder / f"cache{count}", Settings(workers=0), progress)
# Not ru_maxrss, which a child inherits.
[peak] = [x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x]
print(1024 * int(peak.split()[1]))
"""


def test_memory_does_not_grow_with_the_images(tmp_path):
    """Peak of the process on 10,000 images, less that on 1000."""

    def peak(count: int) -> int:
        root = Path(__file__).parents[2]
        command = [sys.executable, "-c", _MEMORY, str(tmp_path), str(count)]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=True
        )
        return int(done.stdout.split()[-1])

    few, many = peak(1000), peak(10_000)
    print(f"\nMiB: 1000 images {few / 2**20:.0f}, 10,000 images {many / 2**20:.0f}")
    assert many - few < MOST_MEMORY
