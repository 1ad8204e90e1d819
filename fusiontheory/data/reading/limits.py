"""What may be read at all: regular files, and arrays that their headers say fit the memory."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path

from fusiontheory.checks import InputError

__all__ = ["check_fits", "check_regular"]

_COPIES = 3  # the array as stored, in float64 for the checks, and in float32
_UNKNOWN = 8 * 2**30  # bytes of memory where the system does not say


def check_regular(path: Path) -> int:
    """Return the size in bytes of a file; a pipe or a device would be read without end.

    Raises:
        InputError: if it is not there, or not a regular file.

    >>> check_regular(Path("/dev/zero"))
    Traceback (most recent call last):
    fusiontheory.checks.InputError: path must be a regular file, got /dev/zero, which is a device; \
save what it gives to a file first
    """
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"path must be a file to read, got {path}: {error.strerror}") from error
    if stat.S_ISREG(state.st_mode):
        return state.st_size
    if stat.S_ISDIR(state.st_mode):
        raise InputError(f"path must be a file, got {path}, which is a folder; name a file in it")
    what = "pipe" if stat.S_ISFIFO(state.st_mode) else "device"
    raise InputError(
        f"path must be a regular file, got {path}, which is a {what}; save what it gives to a file"
        " first"
    )


def check_fits(path: Path, name: str, shape: tuple[int, ...], itemsize: int) -> None:
    """Refuse an array that is larger than the free memory, by the shape that its header declares.

    A few megabytes of compressed zeros can declare terabytes.

    Raises:
        InputError: if three copies, in up to eight bytes a value, do not fit.

    >>> check_fits(Path("a.npz"), "image", (8, 4), 4)
    """
    values = math.prod(shape)
    free = _free_memory()
    if _COPIES * values * max(itemsize, 4) > free:
        size = values * itemsize / 1e9
        raise InputError(
            f"{name} must fit the memory, got shape {shape} in {path}, {size:.1f} GB, where"
            f" {free / 1e9:.1f} GB are free; keep fewer rows, or run on a larger machine"
        )


def _free_memory() -> int:
    """Return how many bytes can be had without swapping."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN
