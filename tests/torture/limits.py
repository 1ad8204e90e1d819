"""How long a call may take."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

SECONDS = 20
"""Of the processor; no call may take longer."""


class Overdue(BaseException):
    """A call took too long; no body catches it."""


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise Overdue after so many seconds of the processor, or ten minutes of waiting.

    Only in the main thread of a Unix system. A busy machine makes a call wait, not slow.
    """

    def stop(*_: Any) -> None:
        raise Overdue

    clocks = {
        signal.ITIMER_PROF: (signal.SIGPROF, seconds),
        signal.ITIMER_REAL: (signal.SIGALRM, 600),
    }
    before = {number: signal.signal(number, stop) for number, _ in clocks.values()}
    for clock, (_, limit) in clocks.items():
        signal.setitimer(clock, limit)
    try:
        yield
    finally:
        for clock in clocks:
            signal.setitimer(clock, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
