"""A server of files, and warnings that fail a test which does not expect them."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Iterator

import pytest
from file_server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=functools.partial(running.serve_forever, 0.01))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def no_surprise() -> Iterator[None]:
    """Let a warning fail a test that does not expect one: a reader that drops says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield
