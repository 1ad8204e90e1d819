"""A mirror of a corpus on this machine: archives, weights that say what they are, a manifest."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from validation.pipeline import split_by_image

NOTE = "random weights, seed 0"


def save_random(network: torch.nn.Module, path: Path) -> Path:
    """Write the weights of a network, and that they are random, in half precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        name: (value.half() if value.is_floating_point() else value).clone().contiguous()
        for name, value in network.state_dict().items()
    }
    save_file(state, path, {"note": NOTE})
    return path


def make_archives(
    folder: Path, images: Sequence[Path], captions: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Write both archives, split by image, and return what a manifest says of them."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [path.name for path in images]
    split = dict(zip(names, split_by_image(names), strict=True))
    with zipfile.ZipFile(folder / "Flickr8k_Dataset.zip", "w") as archive:
        for path in images:
            archive.write(path, f"Flicker8k_Dataset/{path.name}")
    lines = [f"{name}#{k}\t{text}" for name in names for k, text in enumerate(captions[name])]
    lists = {part: [n for n in names if split[n] == part] for part in ("train", "dev", "test")}
    texts = {"Flickr8k.token.txt": lines}
    texts |= {f"Flickr_8k.{part}Images.txt": listed for part, listed in lists.items()}
    with zipfile.ZipFile(folder / "Flickr8k_text.zip", "w") as archive:
        for name, rows in texts.items():
            archive.writestr(name, "".join(f"{row}\n" for row in rows))
    return {
        **{
            kind: {"name": name, "sha256": digest(folder / name)}
            for kind, name in (("images", "Flickr8k_Dataset.zip"), ("texts", "Flickr8k_text.zip"))
        },
        "image_files": len(names),
        "caption_lines": len(lines),
        "split_images": {part: len(listed) for part, listed in lists.items()},
    }


def write_manifest(folder: Path, about: Mapping[str, Any], weights: Sequence[Path]) -> Path:
    """Write what the mirror has, with hashes, beside it."""
    listed = {path.relative_to(folder).as_posix(): digest(path) for path in weights}
    path = folder.with_suffix(".json")
    path.write_text(json.dumps({**about, "weights": listed}, indent=1))
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback address, and yield its address."""
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=partial(server.serve_forever, 0.01))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
