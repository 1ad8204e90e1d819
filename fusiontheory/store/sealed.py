"""One sealed record: what a row of the database holds, and the digests that it must match.

``key`` is of the cell, ``content`` of the cell and its rows, ``seal`` of everything. Measured
times, the environment and the date are sealed but no part of the content, so that two runs of one
cell have equal contents. Digests are of the stored bytes: checking needs no parsing.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.store.cells import Cell, canonical_json, plain_json
from fusiontheory.store.rows import Column, columns_of, decode, encode, is_time

__all__ = ["CorruptRecord", "OtherRows", "SealedRecord", "sealed"]


class CorruptRecord(InputError):
    """A record that is damaged, altered or foreign; has its ``path`` and the ``reason``.

    The path of a record is its database, its study and its key; that of a damaged database is the
    file.
    """

    def __init__(self, path: Path, reason: str) -> None:
        """Keep both, as the arguments too so that the error crosses process borders."""
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        """Name the record and what to do."""
        if self.path.suffix == ".parquet":
            return f"record {self.path} is corrupt ({self.reason}); leave it out"
        if self.path.suffix:
            return (
                f"database of records {self.path} is corrupt ({self.reason}); rename it, take over"
                " what is intact with 'fusiontheory store import FOLDER FILE', and run the rest"
            )
        return (
            f"record {self.path} is corrupt ({self.reason}); set it aside with"
            f" 'fusiontheory store verify --set-aside {self.path.parents[2]}' and run its cell"
            " again"
        )


class OtherRows(InputError):
    """A cell measured again with other rows than its record holds, which is kept."""


class SealedRecord(NamedTuple):
    """A row of the database, as bytes but for the number of rows; the columns in their order."""

    study: bytes
    key: bytes
    created: bytes
    length: int
    content: bytes
    seal: bytes
    cell: bytes
    rows: bytes
    times: bytes
    environment: bytes

    def digests(self) -> tuple[bytes, bytes, bytes]:
        """Return the key, the content and the seal that the rest of the record has."""
        running = hashlib.sha256(self.cell)
        key = running.hexdigest()[:20].encode()
        running.update(b"\n" + self.rows)
        content = running.digest()
        rest = (self.times, self.environment, self.created, self.study, b"%d" % self.length)
        running.update(b"\n" + b"\n".join(rest))
        return key, content, running.digest()

    def checked(self, database: Path) -> SealedRecord:
        """Return the record itself if it is as it was written.

        Raises:
            CorruptRecord: if not.
        """
        try:
            intact = self.digests() == (self.key, self.content, self.seal)
        except TypeError:  # a value of another type than was written
            intact = False
        if not intact:
            raise CorruptRecord(self.path(database), self._what_is_wrong())
        return self

    def path(self, database: Path) -> Path:
        """Return what the record is called in messages: database, study and key."""
        return database / _text(self.study) / _text(self.key)

    def columns(self) -> list[Column]:
        """Return the columns of the rows and of measured times, in the order of writing."""
        columns = decode(self.rows)
        if self.times != b"[]":
            for position, *column in decode(self.times):
                columns.insert(position, column)
        return columns

    def about(self) -> dict[str, Any]:
        """Return what is noted beside the rows: cell, content, created and environment."""
        return {
            "cell": json.loads(self.cell),
            "content": self.content.hex(),
            "created": self.created.decode(),
            "environment": json.loads(self.environment),
        }

    def _what_is_wrong(self) -> str:
        try:
            cell = json.loads(self.cell)
            key = hashlib.sha256(self.cell).hexdigest()[:20]
            if (cell["study"], key) != (self.study.decode(), self.key.decode()):
                return f"it holds the cell {cell['study']}/{key}"
        except Exception as error:  # damaged bytes make parsers raise almost anything
            return f"unreadable, {type(error).__name__}: {' '.join(str(error).split())[:80]}"
        return "its content does not match its digest"


@checked
def sealed(
    cell: Cell,
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    environment: Mapping[str, Any] | None = None,
    created: str | None = None,
) -> SealedRecord:
    """Return the record of a cell's rows; the date is now unless ``created`` is given.

    Raises:
        InputError: as `fusiontheory.store.rows.columns_of` does, or for a note that is not JSON.

    >>> record = sealed(Cell("demo", {"n": 1}, "f", "v"), [{"risk": 0.5, "seconds": 1.0}])
    >>> record.rows, record.times
    (b'[["risk","double",[0.5]]]', b'[[1,"seconds","double",[1.0]]]')
    >>> record.checked(Path("here")) is record
    True
    """
    columns = columns_of(cell, rows)
    if created is None:
        created = datetime.now(timezone.utc).isoformat(timespec="seconds")
        notes = {k: plain_json(f"environment[{k!r}]", v) for k, v in (environment or {}).items()}
        environment = {**_machine(), **notes}
    given = SealedRecord(
        study=cell.study.encode(),
        key=cell.key.encode(),
        created=created.encode(),
        length=len(columns[0][2]),
        content=b"",
        seal=b"",
        cell=cell.json,
        rows=encode([column for column in columns if not is_time(column[0])]),
        times=encode([[k, *column] for k, column in enumerate(columns) if is_time(column[0])]),
        environment=canonical_json(dict(environment or {})),
    )
    _, content, seal = given.digests()
    return given._replace(content=content, seal=seal)


@lru_cache(maxsize=1)
def _machine() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "numpy": np.__version__,
    }


def _text(value: Any) -> str:
    shown = value.decode(errors="replace") if isinstance(value, bytes) else repr(value)
    return shown.replace("/", "|").replace("\n", " ") or "?"
