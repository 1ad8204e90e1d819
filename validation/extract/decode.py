"""Image files to batches of pixels, in worker processes, with the ones that cannot be read."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch.utils.data import DataLoader, Dataset

from fusiontheory.checks import InputError
from fusiontheory.parallel import TIMES_ALONE
from validation.backbones import (
    Preprocessing,
    UnusableImageError,
    is_transparent,
    may_be_transparent,
)

__all__ = ["Batch", "ImageFile", "decoded", "image_files"]

_UNREADABLE = "unreadable"
_KINDS = {
    b"version https://git-lfs": "a pointer that Git LFS left in its place; run git lfs pull",
    b"<!doctype html": "a page of the web in its place; fetch it again",
    b"<html": "a page of the web in its place; fetch it again",
}
_FTYP = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif", b"ftypavis")


@dataclass(frozen=True)
class ImageFile:
    """An image file and what was in it.

    Attributes:
        name: id of the image.
        path: of the file.
        digest: SHA-256 of its bytes, or why they cannot be read.
        alpha: whether its header says that pixels may be transparent.
    """

    name: str
    path: Path
    digest: str
    alpha: bool = False

    @property
    def problem(self) -> str | None:
        """Why its bytes cannot be read; None if they can."""
        return self.digest if self.digest.startswith(_UNREADABLE) else None


@dataclass(frozen=True)
class Batch:
    """Decoded images of one shard.

    Attributes:
        shard: the number given with the files.
        pixels: (n, size, size, 3) bytes of the images that could be read.
        names: their ids.
        skipped: pairs of id and reason of the others.
        transparent: ids of those with pixels that are not opaque, which are on white.
    """

    shard: int
    pixels: torch.Tensor
    names: list[str]
    skipped: list[tuple[str, str]]
    transparent: list[str]


def image_files(images: Sequence[tuple[str, Path]], threads: int) -> list[ImageFile]:
    """Return images with the SHA-256 of their files; a file that is not there gets the reason."""
    with ThreadPoolExecutor(max(1, threads)) as pool:  # hashing leaves the interpreter free
        files = list(pool.map(_digested, images))
    with warnings.catch_warnings():  # not in the threads, which share its state
        warnings.simplefilter("ignore")
        return [replace(file, alpha=True) if _may_be_transparent(file) else file for file in files]


def decoded(
    batches: Sequence[tuple[int, Sequence[ImageFile]]],
    preprocessing: Preprocessing,
    workers: int,
) -> Iterator[Batch]:
    """Yield batches in the given order; a worker that is killed is replaced.

    Args:
        batches: shard number and files of each.
        preprocessing: what makes the pixels.
        workers: processes; 0: here.

    Raises:
        InputError: if a worker process was killed three times at one batch.
    """
    done = deaths = 0
    while done < len(batches):
        try:
            for batch in _started(_loader(batches[done:], preprocessing, workers)):
                done, deaths = done + 1, 0
                yield batch
        except (RuntimeError, ConnectionError, EOFError) as error:
            # A worker that dies while it hands over a batch leaves a connection without an end.
            if type(error) is RuntimeError and "DataLoader worker" not in str(error):
                raise
            deaths += 1
            if deaths == TIMES_ALONE:
                raise InputError(
                    f"workers must have enough memory to decode, got one that was killed {deaths}"
                    f" times near image {batches[done][1][0].name}; run again with fewer workers"
                    " or smaller batches, what is done is kept"
                ) from error


def _loader(
    batches: Sequence[tuple[int, Sequence[ImageFile]]],
    preprocessing: Preprocessing,
    workers: int,
) -> DataLoader[Batch]:
    return DataLoader(
        _Batches(batches, preprocessing),
        batch_size=None,
        num_workers=min(workers, len(batches)),
        collate_fn=_unchanged,
        worker_init_fn=_without_words,
    )


def _started(loader: DataLoader[Batch]) -> Iterator[Batch]:
    """Start the workers, and take away the handler by which PyTorch raises when one dies.

    It would raise wherever this process is then, in a network or as a file is written. Without it
    the next batch raises, within a few seconds.
    """
    here = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGCHLD")
    before = signal.getsignal(signal.SIGCHLD) if here else None
    batches = iter(loader)
    if here:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL if before is None else before)
    return batches


def _without_words(worker: int) -> None:
    """Let a worker write nothing: what it raises is sent, and what is left comes as it ends."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)


class _Batches(Dataset[Batch]):
    def __init__(
        self, batches: Sequence[tuple[int, Sequence[ImageFile]]], preprocessing: Preprocessing
    ) -> None:
        self.batches = batches
        self.preprocessing = preprocessing

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Batch:
        shard, files = self.batches[index]
        pixels, names, skipped, transparent = [], [], [], []
        for file in files:
            try:
                shown, on_white = _pixels(file, self.preprocessing)
                pixels.append(shown)
                names.append(file.name)
                transparent += [file.name] if on_white else []
            except _Unreadable as error:
                skipped.append((file.name, str(error)))
        size = self.preprocessing.size
        stacked = np.stack(pixels) if pixels else np.empty((0, size, size, 3), dtype=np.uint8)
        return Batch(shard, torch.from_numpy(stacked), names, skipped, transparent)


class _Unreadable(Exception):
    """An image that cannot be used; its message is the reason."""


def _pixels(file: ImageFile, preprocessing: Preprocessing) -> tuple[NDArray[np.uint8], bool]:
    """Return the pixels of an image, and whether it was transparent."""
    if file.problem:
        raise _Unreadable(file.problem)
    try:
        data = file.path.read_bytes()
    except OSError as error:
        raise _Unreadable(f"{_UNREADABLE}: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != file.digest:
        raise _Unreadable("changed while it was extracted; run again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, which no pixel depends on
            with Image.open(io.BytesIO(data)) as image:
                return preprocessing.pixels(image), is_transparent(image)
    except UnusableImageError as error:
        raise _Unreadable(str(error)) from error
    except Image.DecompressionBombError as error:
        raise _Unreadable("more pixels than are opened safely; save a smaller copy") from error
    except UnidentifiedImageError as error:
        raise _Unreadable(_kind(data)) from error
    except Exception as error:  # damaged bytes make the decoders raise almost anything
        detail = " ".join(str(error).split()) or type(error).__name__
        raise _Unreadable(f"damaged: {shorten(detail, 200, placeholder=' ...')}") from error


def _kind(data: bytes) -> str:
    """Return what is wrong with a file that Pillow does not know, whose bytes may be intact."""
    start = data[:400].lstrip()
    for mark, what in _KINDS.items():
        if start.lower().startswith(mark):
            return f"not an image but {what}"
    if data[4:12] in _FTYP:
        return "in the format HEIC or AVIF, which is not read here; save it as JPEG or PNG"
    if b"<svg" in start.lower():
        return "a drawing (SVG), which has no pixels; save it as PNG"
    return "not an image" if data else "an empty file"


def _digested(image: tuple[str, Path]) -> ImageFile:
    name, path = image
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        digest = f"{_UNREADABLE}: {error.strerror}"
    return ImageFile(name, path, digest)


def _may_be_transparent(file: ImageFile) -> bool:
    """Return whether the header of a file has an alpha channel or a transparent colour."""
    if file.problem:
        return False
    try:
        with Image.open(file.path) as image:
            return may_be_transparent(image)
    except Exception:  # as above; decoding says what is wrong
        return False


def _unchanged(batch: Any) -> Any:
    return batch
