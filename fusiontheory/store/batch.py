"""Commits in the background: writing a record does not wait for the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import pandas as pd

from fusiontheory.store.cells import Cell
from fusiontheory.store.sealed import SealedRecord, sealed

__all__ = ["RecordBatch"]

_MOST_WAITING = 4096  # records; beyond it writing waits for the disk


class RecordBatch:
    """A context that hands records to ``insert`` in the background, many at once.

    >>> kept = []
    >>> with RecordBatch(kept.extend) as batch:
    ...     batch.write(Cell("demo", {"n": 1}, "none", "v1"), [{"risk": 0.5}])
    >>> len(kept)
    1
    """

    def __init__(
        self, insert: Callable[[Sequence[SealedRecord]], None], seconds: float = 1.0
    ) -> None:
        """Keep what commits, and the longest that a record waits for it."""
        self._insert = insert
        self._seconds = seconds
        self._waiting: list[SealedRecord] = []
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._commit_all, daemon=True)

    def __enter__(self) -> RecordBatch:
        """Start the thread that commits."""
        self._thread.start()
        return self

    def write(
        self,
        cell: Cell,
        rows: pd.DataFrame | Sequence[Mapping[str, Any]],
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a record to be written within the seconds of the batch.

        Raises:
            InputError: if the rows cannot be stored; or what an earlier commit raised.
        """
        record = sealed(cell, rows, environment)
        with self._changed:
            while len(self._waiting) >= _MOST_WAITING and self._failure is None:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            self._waiting.append(record)
            self._changed.notify_all()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit the rest, also after an error or an interrupt; raise what a commit raised."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _commit_all(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing.is_set():
                    self._changed.wait()
                if not self._waiting:
                    return
                if len(self._waiting) < _MOST_WAITING // 2 and not self._closing.is_set():
                    self._changed.wait_for(self._is_due, timeout=self._seconds)
                records, self._waiting = self._waiting, []
                self._changed.notify_all()
            try:
                self._insert(records)
            except BaseException as error:  # raised where the next record is written
                with self._changed:
                    self._failure = error
                    self._changed.notify_all()
                return

    def _is_due(self) -> bool:
        return self._closing.is_set() or len(self._waiting) >= _MOST_WAITING // 2
