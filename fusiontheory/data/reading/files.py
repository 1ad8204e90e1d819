"""One way into a file of any kind that is read here, by its ending."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fusiontheory.checks import InputError
from fusiontheory.data.reading.hdf5_files import open_anndata, open_hdf5, open_mudata
from fusiontheory.data.reading.limits import check_regular
from fusiontheory.data.reading.numpy_files import open_npy, open_npz
from fusiontheory.data.reading.safetensors_file import open_safetensors
from fusiontheory.data.reading.stored import StoredFile
from fusiontheory.data.reading.tables import open_arrow, open_csv, open_json_lines

__all__ = ["ENDINGS", "open_file"]


def _torch(path: Path) -> StoredFile:
    from fusiontheory.data.reading.torch_file import open_torch

    return open_torch(path)


_OPENERS: dict[str, Callable[[Path], StoredFile]] = {
    ".safetensors": open_safetensors,
    ".npz": open_npz,
    ".npy": open_npy,
    ".pt": _torch,
    ".pth": _torch,
    ".parquet": open_arrow,
    ".feather": open_arrow,
    ".arrow": open_arrow,
    ".csv": open_csv,
    ".tsv": open_csv,
    ".txt": open_csv,
    ".jsonl": open_json_lines,
    ".h5": open_hdf5,
    ".hdf5": open_hdf5,
    ".h5ad": open_anndata,
    ".h5mu": open_mudata,
}
ENDINGS = tuple(_OPENERS)
"""Of the files that are read."""

_CONTENTS = (
    (b"\x93NUMPY", "a .npy file", (".npy",)),
    (b"PK\x03\x04", "an .npz or .pt file", (".npz", ".pt", ".pth")),
    (b"PAR1", "a parquet file", (".parquet",)),
    (b"\x1f\x8b", "a gzip archive; unpack it first", ()),
    (b"\x89HDF\r\n", "an HDF5 file", (".h5", ".hdf5", ".h5ad", ".h5mu")),
)
_PICKLES = (".pkl", ".pickle", ".joblib")
_RAW = "values without a shape; open it with numpy.memmap(path, dtype, shape=(rows, columns)) and"
_KNOWN = {
    **dict.fromkeys((".dat", ".bin", ".raw", ".mmap", ".memmap"), f"{_RAW} numpy.save it"),
    ".mat": "arrays of MATLAB; read them with scipy.io.loadmat, or h5py from version 7.3 on, and"
    " save them with numpy.savez",
    **dict.fromkeys((".xlsx", ".xls"), "a workbook; save its sheet as CSV"),
    **dict.fromkeys((".tar", ".gz", ".zip", ".zst", ".7z"), "an archive; unpack it first"),
}
"""Endings of files that are not read, what they hold, and what to do."""


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
    if path.is_dir():
        raise InputError(f"path must be a file, got {path}, which is a folder; name a file in it")
    if suffix in _KNOWN:
        raise InputError(
            f"path must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, got {path}, which holds"
            f" {_KNOWN[suffix]}"
        )
    if suffix not in _OPENERS:
        raise InputError(
            f"path must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}, got {path}; save the"
            " arrays with numpy.savez"
        )
    check_regular(path)
    _check_content(path, suffix)
    return _OPENERS[suffix](path)


def _check_content(path: Path, suffix: str) -> None:
    """Refuse a file that is intact and of another kind than its ending says."""
    with path.open("rb") as file:
        start = file.read(40)
    if not start:
        raise InputError(f"path must be a file with content, got {path}, which is empty")
    if start.startswith(b"version https://git-lfs"):
        raise InputError(
            f"path must be the file itself, got {path}, a pointer that Git LFS left in its place;"
            " run git lfs pull"
        )
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise InputError(
            f"path must be the file itself, got {path}, a page of the web in its place, as where a"
            " download needs a login; fetch it again"
        )
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05" and suffix not in (".pt", ".pth"):
        raise InputError(
            f"path must not be a pickle, which can run any code when it is read, got {path}, which"
            f" is one in spite of its ending {suffix}; save the arrays with numpy.savez"
        )
    for magic, what, endings in _CONTENTS:
        if start.startswith(magic) and suffix not in endings:
            rename = f"; rename it to {path.stem}{endings[0]}" if endings else ""
            raise InputError(
                f"path must have the ending of its content, got {path}, which is {what}{rename}"
            )
