"""Files out of a zip archive into one folder, each whole or not there."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from fusiontheory.checks import InputError

__all__ = ["unpack"]

_CHUNK = 1 << 20


def unpack(
    archive: Path,
    wanted: Callable[[str], bool],
    folder: Path,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write the wanted files of an archive to ``folder`` and return how many there are.

    Folders inside the archive are not kept, so that no name in it can lead outside. Files that
    are there with the right checksum are left as they are; an interrupted call can be repeated.

    Args:
        archive: a zip file.
        wanted: whether to take a file, by its name without folders.
        folder: where to; made if need be.
        report: told how many files are done and how many there are.

    Raises:
        InputError: if the archive is damaged or has none of the files or two of one name, or the
            folder cannot be written to or has no space.

    >>> import tempfile
    >>> home = Path(tempfile.mkdtemp())
    >>> with zipfile.ZipFile(home / "a.zip", "w") as made:
    ...     made.writestr("../../x.txt", "x")
    >>> unpack(home / "a.zip", lambda name: name.endswith(".txt"), home / "out")
    1
    >>> (home / "out" / "x.txt").read_text()
    'x'
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = _members(content, archive, wanted)
            _check_space(members, folder)
            folder.mkdir(parents=True, exist_ok=True)
            for done, (name, member) in enumerate(members.items(), start=1):
                if not _is_there(folder / name, member):
                    _write(content, member, folder, name)
                report(done, len(members))
            return len(members)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise InputError(
            f"archive must be an intact zip file, got {archive}: {error}; delete it and fetch again"
        ) from error
    except OSError as error:
        where = error.filename or archive
        raise InputError(f"cannot unpack {archive}: {error.strerror} ({where})") from error


def _members(
    content: zipfile.ZipFile, archive: Path, wanted: Callable[[str], bool]
) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for member in content.infolist():
        name = PurePosixPath(member.filename.replace("\\", "/")).name
        # macOS adds files of its own to archives, ._name for each file, in a folder __MACOSX.
        if member.is_dir() or name.startswith(".") or not wanted(name):
            continue
        if name in members:
            raise InputError(f"archive must have one file of a name, got two {name} in {archive}")
        members[name] = member
    if not members:
        raise InputError(f"archive must have the files of the corpus, got none in {archive}")
    return members


def _check_space(members: dict[str, zipfile.ZipInfo], folder: Path) -> None:
    there = next(
        parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists()
    )
    missing = [m.file_size for name, m in members.items() if not (folder / name).exists()]
    if shutil.disk_usage(there).free < sum(missing):
        raise InputError(
            f"disk of {folder} must have {sum(missing) / 2**20:.0f} MiB free to unpack the archive;"
            " free some space or choose another folder"
        )


def _is_there(path: Path, member: zipfile.ZipInfo) -> bool:
    if not path.is_file() or path.stat().st_size != member.file_size:
        return False
    return zlib.crc32(path.read_bytes()) == member.CRC


def _write(content: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, name: str) -> None:
    temporary = folder / f".{name}.part"
    try:
        with content.open(member) as source, temporary.open("wb") as file:
            shutil.copyfileobj(source, file, _CHUNK)  # reading to the end compares the checksum
        temporary.replace(folder / name)
    finally:
        temporary.unlink(missing_ok=True)
