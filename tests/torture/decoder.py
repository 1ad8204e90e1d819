"""Decode images in two workers, one of which is killed; a script of its own for `rounds`."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from validation.backbones import Preprocessing
from validation.extract.decode import decoded, image_files


def main(seed: int, folder: Path) -> None:
    """Fail unless every image comes, in order."""
    drawn = random.Random(seed)
    pixels = np.random.default_rng(seed).integers(0, 255, (600, 600, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "image.png")
    images = [(f"{k:03d}", folder / "image.png") for k in range(120)]
    files = image_files(images, 2)
    batches = [(0, files[k : k + 4]) for k in range(0, len(files), 4)]
    preprocessing = Preprocessing(size=64)

    def kill() -> None:
        time.sleep(drawn.uniform(0.5, 2.5))
        for worker in multiprocessing.active_children()[:1]:
            os.kill(worker.pid or 0, signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    names = [name for batch in decoded(batches, preprocessing, 2) for name in batch.names]
    if names != [name for name, _ in images]:
        raise SystemExit(f"{len(names)} of {len(images)} images came, or in another order")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
