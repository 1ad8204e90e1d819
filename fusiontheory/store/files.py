"""Files that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked

__all__ = ["check_writable", "write_atomically", "write_temporary"]


@checked
def check_writable(name: str, folder: Path) -> None:
    """Make ``folder`` and write to it; call it before work that takes long.

    Raises:
        InputError: if it cannot be made or written to.

    >>> check_writable("out", Path(__file__) / "below-a-file")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fusiontheory.checks.InputError: out: cannot write to ...
    """
    probe = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise _refused(name, folder, error) from error


@checked
def write_atomically(path: Path, data: bytes) -> Path:
    """Give ``data`` the name ``path`` in one step, in a folder made if need be; return the path.

    Raises:
        InputError: if the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = write_temporary(path.parent, data)
        try:
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise _refused("path", path, error) from error
    return path


def write_temporary(folder: Path, data: bytes) -> Path:
    """Write ``data`` through to the disk under a name of its own that no reader looks at.

    Nothing is left where it fails.

    Raises:
        OSError: if the folder cannot be written to.
    """
    temporary = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):  # its folder may be no folder
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def _refused(name: str, path: Path, error: OSError) -> InputError:
    what = f"{name}: cannot write to {path}: {error.strerror}"
    return InputError(f"{what}; choose a folder that is writable and has space")
