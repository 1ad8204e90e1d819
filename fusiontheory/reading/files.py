"""One way into a file of any kind that is read here, by its ending."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fusiontheory.checks import InputError
from fusiontheory.reading.hdf5_files import open_anndata, open_hdf5, open_mudata
from fusiontheory.reading.numpy_files import open_npy, open_npz
from fusiontheory.reading.safetensors_file import open_safetensors
from fusiontheory.reading.stored import StoredFile
from fusiontheory.reading.tables import open_arrow, open_csv

__all__ = ["ENDINGS", "open_file"]


def _torch(path: Path) -> StoredFile:
    from fusiontheory.reading.torch_file import open_torch

    return open_torch(path)


_OPENERS: dict[str, Callable[[Path], StoredFile]] = {
    ".safetensors": open_safetensors,
    ".npz": open_npz,
    ".npy": open_npy,
    ".pt": _torch,
    ".pth": _torch,
    ".parquet": open_arrow,
    ".feather": open_arrow,
    ".csv": open_csv,
    ".tsv": open_csv,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".h5ad": open_anndata,
    ".h5mu": open_mudata,
}
ENDINGS = tuple(_OPENERS)
"""Of the files that are read."""

_PICKLES = (".pkl", ".pickle", ".joblib")


def open_file(path: Path) -> StoredFile:
    """Return the arrays of a file by their headers, values not yet read where the format allows.

    Raises:
        InputError: for another ending, or as the reader of the format does.

    >>> open_file(Path("features.pkl"))
    Traceback (most recent call last):
    fusiontheory.checks.InputError: path must not be a pickle, which can run any code when it is \
read, got features.pkl; save the arrays with numpy.savez
    """
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        raise InputError(
            f"path must not be a pickle, which can run any code when it is read, got {path};"
            " save the arrays with numpy.savez"
        )
    if suffix not in _OPENERS:
        raise InputError(
            f"path must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, got {path}; save the"
            " arrays with numpy.savez"
        )
    return _OPENERS[suffix](path)
