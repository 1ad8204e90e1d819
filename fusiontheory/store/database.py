"""The database of a record store: SQLite in WAL mode, opened, made and its errors named.

WAL (a write-ahead log) lets readers and one writer work at once; writers wait for each other. It
needs memory that all processes share, hence **one machine**: on a network file system let each
machine write a store of its own on a local disk and join them with ``store import``.

Nothing but SQLite may open the file in a process that uses it: when a second handle is closed,
POSIX drops the locks of the first, and two writers would destroy each other's work.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

from fusiontheory.checks import InputError
from fusiontheory.store.sealed import CorruptRecord

__all__ = ["COLUMNS", "check_folder", "opened"]

COLUMNS = "study, key, created, length, content, seal, cell, rows, times, environment"
"""Of the table ``records``, in the order of `SealedRecord`."""

_APPLICATION = 0x66757374  # "fust", so that a database of another program is known as such
_VERSION = 1
WAIT_SECONDS = 60.0
_TABLE = """(
    study TEXT NOT NULL, key TEXT NOT NULL, created TEXT NOT NULL, length INTEGER NOT NULL,
    content BLOB NOT NULL, seal BLOB NOT NULL, cell TEXT NOT NULL, rows TEXT NOT NULL,
    times TEXT NOT NULL, environment TEXT NOT NULL
)"""
# Short columns stand first: a count need not read the long ones. Rows are appended and the index
# is small, so that a cell costs the same whatever the number of cells.
_SCHEMA = f"""
CREATE TABLE records {_TABLE};
CREATE UNIQUE INDEX records_by_cell ON records (study, key);
CREATE TABLE set_aside {_TABLE};
CREATE TABLE extent (pages INTEGER NOT NULL);
INSERT INTO extent VALUES (0);
CREATE TRIGGER written_once BEFORE UPDATE ON records
    BEGIN SELECT RAISE(ABORT, 'records are written once'); END;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""
_NOTE_EXTENT = "UPDATE extent SET pages = (SELECT page_count FROM pragma_page_count)"


@contextlib.contextmanager
def opened(path: Path, *, write: bool = False) -> Iterator[sqlite3.Connection | None]:
    """Open the database for one operation, in one transaction if it is to ``write``.

    Yields None if it is only to be read and not there; to be written to, it is made. A connection
    is not kept: nothing crosses a fork, and a file that was replaced is seen.

    Raises:
        CorruptRecord: if the file is no database of records, or a damaged one.
        InputError: if it cannot be read or written to, the disk is full, or others keep it busy.
    """
    with _named(path, write):
        if not _exists(path):
            if not write:
                yield None
                return
            _make(path)
        connection = _connect(path, write)
        try:
            # Reading is one transaction too: what others write meanwhile is not seen by halves.
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                _check_length(connection, path)
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if connection.total_changes:
                connection.execute(_NOTE_EXTENT)
            connection.execute("COMMIT")
        finally:
            connection.close()


def check_folder(path: Path) -> None:
    """Make the folder of a database, write to it, and try the database's lock if there is one.

    Raises:
        CorruptRecord: if there is a file of another kind, or a damaged one.
        InputError: if the folder or the database cannot be written to.
    """
    with _named(path, True):
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = path.with_name(f".{uuid.uuid4().hex}.tmp")
        probe.touch(exist_ok=False)
        probe.unlink()
    if _exists(path):
        with opened(path, write=True):
            pass


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _make(path: Path) -> None:
    """Give a new database its name in one step, unless another process was first.

    A database is never seen without its tables, so that an empty file is known as a damaged one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.executescript("PRAGMA synchronous = FULL; BEGIN;" + _SCHEMA + "COMMIT;")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        try:
            os.link(temporary, path)  # unlike a rename, it never replaces
        except FileExistsError:
            return
        except OSError:  # file systems without hard links
            if not path.exists():
                temporary.rename(path)
    finally:
        for left in (temporary, *(Path(f"{temporary}{end}") for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)
    if hasattr(os, "O_DIRECTORY"):  # elsewhere folders cannot be synced
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    if not path.stat().st_size:
        raise CorruptRecord(path, "it is empty")
    address = path.absolute().as_uri()
    try:
        connection = _checked(f"{address}?mode=rw", path)
    except sqlite3.OperationalError:
        log = Path(f"{path}-wal")
        if write or (log.exists() and log.stat().st_size):
            raise
        # In a folder that cannot be written to, a database that no one writes can still be read.
        connection = _checked(f"{address}?mode=ro&immutable=1", path)
    if not write:
        connection.execute("PRAGMA query_only = 1")
    return connection


def _checked(address: str, path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(address, timeout=WAIT_SECONDS, isolation_level=None, uri=True)
    try:
        connection.text_factory = bytes  # digests are of bytes, and damaged text is still read
        for setting in ("synchronous = FULL", "cell_size_check = 1", "cache_size = -65536"):
            connection.execute(f"PRAGMA {setting}")
        [application] = connection.execute("PRAGMA application_id").fetchone()
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise CorruptRecord(path, "it is a database of another program")
        if version != _VERSION:
            raise InputError(
                f"root: {path} has the form {version} of a later fusiontheory, and this one reads"
                f" {_VERSION}; install the later one"
            )
        connection.execute("SELECT 1 FROM records LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _check_length(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that was cut, which SQLite finds only where it reads.

    Whole pages that lack are known from their number at the last commit; a part of one from the
    length, unless the log holds something, as then the file may be growing just now.
    """
    query = "SELECT extent.pages, c.page_count, s.page_size FROM extent, pragma_page_count AS c,"
    known, pages, size = connection.execute(f"{query} pragma_page_size AS s").fetchone()
    length, log = path.stat().st_size, Path(f"{path}-wal")
    part = length % size and not (log.exists() and log.stat().st_size)
    if part or pages < known:
        raise CorruptRecord(path, f"it is truncated to {length} bytes")


@contextlib.contextmanager
def _named(path: Path, write: bool) -> Iterator[None]:
    """Turn errors of files and of SQLite into one sentence that says what to do."""
    what = "write to" if write else "read"
    try:
        yield
    except OSError as error:
        raise InputError(
            f"root: cannot {what} {path.parent}: {error.strerror}; choose a folder that is"
            f" {'writable and has space' if write else 'readable'}"
        ) from error
    except sqlite3.Error as error:
        said = str(error)
        if "locked" in said or "busy" in said:
            raise InputError(
                f"root: {path} was kept busy by other processes for {WAIT_SECONDS:.0f} s; run"
                " again, with fewer runs at once, and on a local disk"
            ) from error
        if any(word in said for word in ("malformed", "not a database", "no such table")):
            raise CorruptRecord(path, said) from error
        raise InputError(
            f"root: cannot {what} {path}: {said}; choose a folder that is writable and has space"
        ) from error
