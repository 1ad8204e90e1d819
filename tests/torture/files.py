"""Files of features in every format, and what can be wrong with them."""

from __future__ import annotations

import functools
import io
import json
import os
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

_ROWS = 24
_COMMANDS = (
    ["predict", "--head", "bilinear", "--n", "8"],
    ["alignment", "--metric", "cosine", "--permutations", "2", "--bootstrap", "2"],
    ["compare"],
    ["forecast"],
    ["store", "status"],
    ["store", "import"],
)


def line_with_file(drawn: random.Random, folder: Path) -> list[str]:
    """Return a command line that reads a file with something wrong in it."""
    suffix = drawn.choice(sorted(intact()))
    path = folder / f"features{suffix}"
    path.unlink(missing_ok=True)
    drawn.choice(_HARMS)(drawn, path, intact()[suffix])
    line = [*drawn.choice(_COMMANDS[:2] if drawn.random() < 0.8 else _COMMANDS), str(path)]
    return [*line, str(folder / "store")] if line[:2] == ["store", "import"] else line


@functools.cache
def intact() -> dict[str, bytes]:
    """Return the bytes of a file of each format, by ending."""
    rng = np.random.default_rng(0)
    arrays = {"image": rng.standard_normal((_ROWS, 5)), "text": rng.standard_normal((_ROWS, 4))}
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    table = pd.DataFrame(
        {f"{k}_{j}": a[:, j] for k, a in arrays.items() for j in range(a.shape[1])}
    )
    lists = [{k: a[i].tolist() for k, a in arrays.items()} for i in range(_ROWS)]
    found = {
        ".npz": _written(lambda file: np.savez_compressed(file, **arrays)),
        ".npy": _written(lambda file: np.save(file, arrays["image"])),
        ".csv": table.to_csv(index=False).encode(),
        ".jsonl": "\n".join(map(json.dumps, lists)).encode(),
        ".parquet": _written(lambda file: pd.DataFrame(lists).to_parquet(file)),
        ".feather": _written(lambda file: table.to_feather(file)),
        ".toml": b'heads = ["additive"]\nn = [8]\nseeds = 1\nridge = [0.1]\n',
    }
    try:
        import safetensors.numpy
        import torch
    except ImportError:
        return found
    found[".safetensors"] = safetensors.numpy.save(arrays)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    found[".pt"] = _written(lambda file: torch.save(tensors, file))
    return found


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _cut(drawn: random.Random, path: Path, data: bytes) -> None:
    path.write_bytes(data[: drawn.randrange(len(data))])


def _flipped(drawn: random.Random, path: Path, data: bytes) -> None:
    changed = bytearray(data)
    early = drawn.random() < 0.5  # headers are at the beginning, or at the end
    for _ in range(drawn.choice((1, 4, 64))):
        place = drawn.randrange(min(len(data), 200)) if early else drawn.randrange(len(data))
        changed[place] ^= 1 << drawn.randrange(8)
    path.write_bytes(changed)


def _overwritten(drawn: random.Random, path: Path, data: bytes) -> None:
    start = drawn.randrange(len(data))
    size = drawn.choice((8, 64, 1000))
    filler = drawn.choice((b"\0" * size, b"\xff" * size, b"9" * size, drawn.randbytes(size)))
    path.write_bytes(data[:start] + filler + data[start + size :])


def _doubled(drawn: random.Random, path: Path, data: bytes) -> None:
    path.write_bytes(data * drawn.choice((2, 3)))


def _of_another(drawn: random.Random, path: Path, data: bytes) -> None:
    path.write_bytes(drawn.choice(sorted(intact().values())))


def _small(drawn: random.Random, path: Path, data: bytes) -> None:
    choices = (
        b"",
        b"\0",
        b"\n" * 10,
        b"{}",
        b"[]",
        b"image\n1\n",
        b"\xff\xfe" * 20,
        b"nan,inf\n" * 9,
    )
    path.write_bytes(drawn.choice(choices))


def _strange(drawn: random.Random, path: Path, data: bytes) -> None:
    """Put what is no regular file in its place."""
    kind = drawn.choice(("pipe", "device", "loop", "folder", "missing", "deep"))
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "folder":
        path.symlink_to(path.parent)
    elif kind == "deep":
        path.write_text("[" * 10**5)


def _declared(drawn: random.Random, path: Path, data: bytes) -> None:
    """Write headers that declare more, or other, than there is."""
    shape = drawn.choice(("(10**15,)", "(-1, 4)", "(4,)", "(24, 10**9)", "(24, 5, 5)", "()", "x"))
    shape = shape.replace("10**15", str(10**15)).replace("10**9", str(10**9))
    descr = drawn.choice(("'<f4'", "'|O'", "'<f8'", "'<M8[D]'", "'|S5'", "[('a', '<f4')]", "3"))
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(480)
    path.write_bytes(array)
    if path.suffix == ".npz" or drawn.random() < 0.3:
        path.unlink()
        with zipfile.ZipFile(path, "w", drawn.choice((zipfile.ZIP_STORED, 8))) as archive:
            archive.writestr("image.npy", array)
            archive.writestr(drawn.choice(("text.npy", "../text.npy", "image.npy")), array)


def _bomb(drawn: random.Random, path: Path, data: bytes) -> None:
    """Write an archive whose members declare a terabyte, and hold a little of it as zeros."""
    text = (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (24, 10000000000), }".ljust(117) + "\n"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("image.npy", "text.npy"):
            array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
            archive.writestr(name, array + bytes(10**6))


_HARMS = (_cut, _cut, _flipped, _flipped, _overwritten, _overwritten, _doubled, _of_another, _small,
          _strange, _declared, _declared, _bomb)  # fmt: skip
