"""Records of measurements: one cell, written once, read back as one tidy table.

A cell is one configuration, measured on one set of features by one version of the measuring code.
The records of a store are in one SQLite database, ``root/records.sqlite``, which many processes of
one machine write to at once. Each holds its rows, the cell, the environment, the time and two
digests: ``content`` covers the cell and the rows but for measured times, ``seal`` everything.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import pandas as pd

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.store.batch import RecordBatch
from fusiontheory.store.cells import Cell, check_study
from fusiontheory.store.database import check_folder, opened
from fusiontheory.store.imports import records_of
from fusiontheory.store.queries import add, every, indexed, move_aside, select
from fusiontheory.store.rows import decode, first_difference
from fusiontheory.store.sealed import CorruptRecord, OtherRows, SealedRecord, sealed
from fusiontheory.store.table import tidy

__all__ = ["Cell", "CorruptRecord", "RecordStore", "StudyStatus"]

_Item = TypeVar("_Item")
_Rows: TypeAlias = "pd.DataFrame | Sequence[Mapping[str, Any]]"

_AT_ONCE = 500  # records of a transaction
_STALE_SECONDS = 24 * 3600


class StudyStatus(NamedTuple):
    """What a store holds of a study by one version of the code."""

    study: str
    code: str
    cells: int
    rows: int
    first: str
    last: str


@checked
class RecordStore:
    """The records under one folder, which the first write makes.

    A cell is written once and in one step, and nothing is overwritten; each read checks the
    digests. A run that measures ``store.missing(cells)`` resumes where an earlier one stopped. Call
    `check_writable` before work that takes long, and write in a `batch` where cells are quick.
    Columns named ``seconds`` or ending in ``_seconds`` hold measured time: they are kept, and two
    runs of a cell may differ in them.

    Example:
        >>> import tempfile
        >>> store = RecordStore(tempfile.mkdtemp())
        >>> cells = [Cell("demo", {"n": n}, features="none", code="v1") for n in (16, 8)]
        >>> for cell in store.missing(cells):
        ...     rows = [{"seed": seed, "risk": seed / cell.config["n"]} for seed in (0, 1)]
        ...     path = store.write(cell, rows)
        >>> store.read("demo")[["n", "seed", "risk", "code"]]
            n  seed    risk code
        0   8     0  0.0000   v1
        1   8     1  0.1250   v1
        2  16     0  0.0000   v1
        3  16     1  0.0625   v1
        >>> store.missing(cells)
        []
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Name the folder."""
        self.root = Path(root)

    @property
    def database(self) -> Path:
        """The file of all records."""
        return self.root / "records.sqlite"

    def path(self, cell: Cell) -> Path:
        """Return what the record of ``cell`` is called in messages: database, study and key."""
        return self.database / cell.study / cell.key

    def __contains__(self, cell: object) -> bool:
        """Whether ``cell`` is written; a corrupt record raises `CorruptRecord`."""
        return isinstance(cell, Cell) and not self.missing([cell])

    def check_writable(self) -> None:
        """Make the root and write to it; remove temporary files that killed runs left a day ago.

        Raises:
            InputError: if it cannot be made or written to.
            CorruptRecord: if the database is damaged, or a file of another kind.
        """
        check_folder(self.database)
        # No write takes a day, so no live process owns a file that old.
        for left in self.root.glob(".*.tmp*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                    left.unlink()

    def write(self, cell: Cell, rows: _Rows, environment: Mapping[str, Any] | None = None) -> Path:
        """Write ``cell`` through to the disk; do nothing if it already holds the same rows.

        Args:
            cell: what was measured.
            rows: one or more rows of the same columns; each column holds bools, integers, floats
                (NaN is allowed) or strings, read back as bool, int64, float64 and strings.
            environment: what to note beside Python, machine and NumPy, such as device or torch.

        Returns:
            What the record is called in messages.

        Raises:
            InputError: if the rows cannot be stored, a column has the name of a config entry, the
                cell is written with other rows (they are kept), or the folder is not writable.
            CorruptRecord: if the cell is written and its record is corrupt.
        """
        self.insert([sealed(cell, rows, environment)])
        return self.path(cell)

    def write_many(
        self, records: Iterable[tuple[Cell, _Rows] | tuple[Cell, _Rows, Mapping[str, Any]]]
    ) -> int:
        """Write cells with their rows (and environments) as `write` does, many to a commit.

        Returns:
            How many were given. Where one is refused, those before it are written.
        """
        written = 0
        with self.batch() as batch:
            for record in records:
                batch.write(*record)
                written += 1
        return written

    def batch(self, seconds: float = 1.0) -> RecordBatch:
        """Return a context whose ``write`` is quick: commits are made in the background.

        A commit waits for the disk. Here one holds all that was written in at most ``seconds``,
        which is also the work that a killed run loses; leaving the context commits the rest.

        Example:
            >>> import tempfile
            >>> store = RecordStore(tempfile.mkdtemp())
            >>> with store.batch() as batch:
            ...     for n in range(3):
            ...         batch.write(Cell("demo", {"n": n}, "none", "v1"), [{"risk": 0.5}])
            >>> len(store.read("demo"))
            3
        """
        return RecordBatch(self.insert, seconds)

    def insert(self, records: Sequence[SealedRecord]) -> None:
        """Add sealed records in one commit; what differs from its record is refused after it.

        Raises:
            InputError, CorruptRecord: as `write` does.
        """
        given = {(record.study, record.key): record for record in reversed(records)}
        with opened(self.database, write=True) as connection:
            assert connection is not None
            held = {(r.study, r.key): r for r in select(connection, list(given))}
            new = [record for cell, record in given.items() if cell not in held]
            add(connection, new)
        held |= {(record.study, record.key): record for record in new}
        for record in records:
            known = held[record.study, record.key].checked(self.database)
            if known.content != record.content:
                self._refuse(known, record)

    def _refuse(self, known: SealedRecord, given: SealedRecord) -> None:
        where = first_difference(decode(known.rows), decode(given.rows))
        raise OtherRows(
            f"rows differ from those that {known.path(self.database)} already holds ({where}),"
            " which are kept; if the code has changed, give the cell another code version; if not,"
            " find what the rows depend on beside the cell, such as the machine"
        )

    def missing(self, cells: Iterable[Cell]) -> list[Cell]:
        """Return the cells still to measure, each once, in the given order.

        Raises:
            CorruptRecord: if the record of one of the others is corrupt.
        """
        wanted = {(cell.study.encode(), cell.key.encode()): cell for cell in cells}
        with opened(self.database) as connection:
            if connection is not None:
                for record in select(connection, list(wanted)):
                    wanted.pop((record.checked(self.database).study, record.key), None)
            else:
                self._check_readable()
        return list(wanted.values())

    def metadata(self, cell: Cell) -> dict[str, Any]:
        """Return what is noted beside the rows: ``environment``, ``created`` and the content.

        Raises:
            InputError: if the cell is not written.
            CorruptRecord: if its record is corrupt.
        """
        about = self.notes(cell.study, [cell.key]).get(cell.key)
        if about is None:
            raise InputError(f"cell {cell} is missing in {self.root}; run it first")
        return about

    def notes(self, study: str, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the metadata of cells of a study by key; those that are missing are left out.

        Raises:
            CorruptRecord: if one is corrupt.
        """
        wanted = [(study.encode(), key.encode()) for key in dict.fromkeys(keys)]
        with opened(self.database) as connection:
            records = select(connection, wanted) if connection else iter(())
            return {r.key.decode(): r.checked(self.database).about() for r in records}

    def read(
        self, study: str, cells: Iterable[Cell] | None = None, *, missing_ok: bool = False
    ) -> pd.DataFrame:
        """Return the rows of all cells of a study, or of ``cells``, as one table.

        The columns are the config entries, the row columns, ``features``, ``code`` and ``cell``
        (the key). Cells are sorted by config, then features and code; their rows stay in order.
        Where only some cells have a column, integers and bools become the nullable pandas types.

        Args:
            study: the study.
            cells: restrict to these.
            missing_ok: return what there is instead of raising if cells are missing.

        Raises:
            InputError: if cells are missing or of another study, or do not fit in one table.
            CorruptRecord: if a record is corrupt.
        """
        check_study(study)
        wanted = None if cells is None else {cell.key: cell for cell in cells}
        if wanted is not None and any(cell.study != study for cell in wanted.values()):
            raise InputError(f"cells must all be of study {study!r}")
        table, there = pd.DataFrame(), set[str]()

        def noted(records: Iterable[SealedRecord]) -> Iterator[SealedRecord]:
            for record in records:
                there.add(record.checked(self.database).key.decode())
                yield record

        with opened(self.database) as connection:
            if connection is None:
                self._check_readable()
                table = tidy(())
            elif wanted is None:
                table = tidy(noted(record for _, record in every(connection, study)))
                if indexed(connection, study) != len(there):
                    reason = f"its table has {len(there)} cells of {study!r}, its index others"
                    raise CorruptRecord(self.database, reason)
            else:
                keys = [(study.encode(), key.encode()) for key in wanted]
                table = tidy(noted(select(connection, keys)))
        lost = [] if wanted is None else [str(c) for key, c in wanted.items() if key not in there]
        if (lost or not there) and not missing_ok:
            what = "; ".join(lost[:3]) if lost else f"all of study {study!r}"
            more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
            raise InputError(f"cells missing in {self.root}: {what}{more}; run them first")
        return table

    def status(self) -> list[StudyStatus]:
        """Return what there is by study and code version, without checking any record.

        Raises:
            InputError: if there is no store.
        """
        with opened(self.database) as connection:
            if connection is None:
                raise InputError(f"root must be a store of records, got none in {self.root}")
            rows = connection.execute(
                "SELECT study, CASE WHEN json_valid(cell) THEN json_extract(cell, '$.code') ELSE"
                " 'unreadable' END AS code, count(*), sum(length), min(created), max(created)"
                " FROM records GROUP BY study, code ORDER BY study, min(created)"
            ).fetchall()
        return [
            StudyStatus(study.decode(), str(code, "utf-8"), n, lines, a.decode(), b.decode())
            for study, code, n, lines, a, b in rows
        ]

    def verify(self, study: str | None = None, *, set_aside: bool = False) -> list[CorruptRecord]:
        """Return one problem per corrupt record of a study, or of all; empty if all are intact.

        Args:
            study: the study.
            set_aside: move what is corrupt to the table ``set_aside`` of the database, where it
                is no longer in the way: its cell can be run again.

        Raises:
            InputError: if there is no such study, or no store.
        """
        what = self.root if study is None else f"{self.root} of study {check_study(study)!r}"
        problems, damaged, count = [], [], 0
        with opened(self.database, write=set_aside and self.database.exists()) as connection:
            if connection is None:
                raise InputError(f"root to verify must be a folder with records, got {what}")
            [[said], *_] = connection.execute("PRAGMA integrity_check(1)").fetchall()
            if said != b"ok":
                problems.append(CorruptRecord(self.database, str(said, "utf-8", "replace")))
            for number, record in every(connection, study):
                count += 1
                try:
                    record.checked(self.database)
                except CorruptRecord as problem:
                    problems.append(problem)
                    damaged.append(number)
            if set_aside:
                move_aside(connection, damaged)
        if study is not None and not count and not problems:
            raise InputError(f"root to verify must be a folder with records, got {what}")
        return problems

    def import_folder(self, source: str | os.PathLike[str]) -> tuple[int, list[InputError]]:
        """Take over the intact records of another store; what is there already is kept.

        Args:
            source: a folder of Parquet files of the earlier form (``study/key.parquet``), the
                folder of a store, or the database of one, damaged or not.

        Returns:
            How many cells are new here; and a problem for each record that is corrupt, or differs
            from the one that this store holds.

        Raises:
            InputError: if there are no records, or this store cannot be written to.
        """
        before, problems = self._count(), list[InputError]()
        for some in _chunks(records_of(Path(source))):
            problems += [record for record in some if isinstance(record, CorruptRecord)]
            intact = [record for record in some if isinstance(record, SealedRecord)]
            try:
                self.insert(intact)
            except (OtherRows, CorruptRecord):  # of one or several; the rest is written
                for record in intact:
                    try:
                        self.insert([record])
                    except (OtherRows, CorruptRecord) as problem:
                        problems.append(problem)
        return self._count() - before, problems

    def _count(self) -> int:
        with opened(self.database) as connection:
            if connection is None:
                return 0
            [count] = connection.execute("SELECT count(*) FROM records").fetchone()
        return int(count)

    def _check_readable(self) -> None:
        try:
            if self.root.exists() and not self.root.is_dir():
                raise NotADirectoryError(20, "Not a directory")
        except OSError as error:
            raise InputError(
                f"root: cannot read {self.root}: {error.strerror}; correct the path"
            ) from error


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _AT_ONCE)):
        yield chunk
