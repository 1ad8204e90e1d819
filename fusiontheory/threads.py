"""Threads of linear algebra: one for many products of small matrices, or for work side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

from fusiontheory.constraints import checked

__all__ = ["one_thread", "small_algebra"]

# Dimension up to which one thread of linear algebra is as fast as several, or nearly.
_SMALL = 1024


@checked
@contextmanager
def small_algebra(dimension: int) -> Iterator[None]:
    """Use one thread of linear algebra in a block of many products of small matrices.

    Between short products threads wait for each other in busy loops: where the processors are
    shared, that took ten times the processor time of one thread. From a larger ``dimension`` than
    1024 on, the block is left as it is.

    The limit holds for the process while the block runs; environment variables such as
    ``OPENBLAS_NUM_THREADS`` are not touched.

    Args:
        dimension: rows and columns that the matrices have at most, but for one side of samples.

    >>> with small_algebra(dimension=64):
    ...     pass
    """
    if dimension > _SMALL:
        yield
    else:
        with one_thread():
            yield


@checked
@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread of linear algebra in a block, for matrices of any size.

    Where several decompositions run side by side. Several threads for one of them wait for each
    other in busy loops: on a shared machine that took longer than one thread does.

    >>> with one_thread():
    ...     pass
    """
    with _loaded().limit(limits=1, user_api="blas"):
        yield


@cache
def _loaded() -> ThreadpoolController:
    """Return the libraries of NumPy and SciPy, looked for once: it takes longer than a product."""
    return ThreadpoolController()
