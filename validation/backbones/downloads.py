"""Weights from the network, or one sentence that says what to do without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fusiontheory.checks import InputError

__all__ = ["downloaded"]

_Got = TypeVar("_Got")


def downloaded(what: str, fetch: Callable[[], _Got]) -> _Got:
    """Return what ``fetch`` returns.

    Args:
        what: what is fetched, for the error.
        fetch: downloads, or finds it in the library's own cache.

    Raises:
        InputError: if it raises anything.

    >>> downloaded("one", lambda: 1)
    1
    """
    try:
        return fetch()
    except InputError:
        raise
    except Exception as error:  # each library has its own errors for a network that is closed
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise InputError(
            f"{what} cannot be downloaded ({detail}); fetch the file on a machine with a network"
            " and give its path as the checkpoint"
        ) from error
