"""Files that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from fusiontheory.checks import InputError

__all__ = ["check_writable", "write_atomically"]


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


def write_atomically(path: Path, data: bytes) -> Path:
    """Give ``data`` the name ``path`` in one step, in a folder made if need be; return the path.

    Raises:
        InputError: if the folder cannot be made or written to.
    """
    temporary = path.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _refused("path", path, error) from error
    finally:
        _discard(temporary)
    return path


def _discard(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:  # its folder is no folder: there is nothing to remove
        return


def _refused(name: str, path: Path, error: OSError) -> InputError:
    what = f"{name}: cannot write to {path}: {error.strerror}"
    return InputError(f"{what}; choose a folder that is writable and has space")
