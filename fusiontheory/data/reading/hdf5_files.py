"""HDF5 files, and what single-cell people keep in them: AnnData (.h5ad) and MuData (.h5mu).

Their packages are optional and loaded when such a file is read.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.data.reading.limits import check_fits, check_regular
from fusiontheory.data.reading.stored import Stored, StoredFile, by_row, type_problem
from fusiontheory.store import unreadable
from fusiontheory.typing import AnyArray

__all__ = ["IDS_OF", "open_anndata", "open_hdf5", "open_mudata"]

IDS_OF = ":ids"
"""What the name of an array has added where the names of its own rows are meant."""


def open_hdf5(path: Path) -> StoredFile:
    """Return the data sets of an HDF5 file, those in groups under their whole name.

    Raises:
        InputError: if h5py is not installed, or the file is not there or damaged.
    """
    check_regular(path)
    h5py = _package("h5py", path)
    arrays: dict[str, Stored] = {}

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            arrays[name] = _stored(h5py, path, name, node)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except Exception as error:  # damaged bytes make the library raise several kinds
        raise unreadable(path, error) from error

    def together(names: list[str]) -> list[AnyArray]:
        with h5py.File(path, "r") as file:
            return [np.asarray(file[name][()]) for name in names]

    return StoredFile(path, by_row(arrays, together))


def open_anndata(path: Path) -> StoredFile:
    """Return X of an AnnData file as the array without a name, and obsm and obs beside it.

    Raises:
        InputError: if anndata is not installed, or the file is not there or damaged.
    """
    check_regular(path)
    package = _package("anndata", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about versions, which is not for who reads a file
            data = package.read_h5ad(path)
    except Exception as error:  # as above
        raise unreadable(path, error) from error
    arrays = {"": _matrix(path, data.X), "obs_names": _names(data)}
    arrays |= {str(name): _matrix(path, value) for name, value in data.obsm.items()}
    for column in data.obs.columns:
        arrays[str(column)] = Stored.of(np.array([str(value) for value in data.obs[column]]))
    return StoredFile(path, arrays)


def open_mudata(path: Path) -> StoredFile:
    """Return X of each modality of a MuData file, with the names of its rows.

    Where there are two, they are named image and text, in their order.

    Raises:
        InputError: if mudata is not installed, or the file is not there or damaged.
    """
    check_regular(path)
    package = _package("mudata", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as above
            data = package.read_h5mu(path)
    except Exception as error:  # as above
        raise unreadable(path, error) from error
    arrays: dict[str, Stored] = {}
    for name, one in data.mod.items():
        arrays[str(name)] = _matrix(path, one.X)
        arrays[str(name) + IDS_OF] = _names(one)
    return StoredFile(path, arrays)


def _package(name: str, path: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"path must be a file that can be read here, got {path}, which needs the package"
            f" {name}; run pip install {name}, or save as .npz"
        ) from error


def _stored(h5py: Any, path: Path, name: str, node: Any) -> Stored:
    text = h5py.check_string_dtype(node.dtype) is not None

    def fetch() -> AnyArray:
        with h5py.File(path, "r") as file:
            data = file[name]
            return np.array(data.asstr()[()], dtype=str) if text else np.asarray(data[()])

    problem = None if text else type_problem(node.dtype)
    dtype = "str" if text else node.dtype.name
    return Stored(tuple(node.shape or ()), dtype, fetch, node.dtype.itemsize, problem)


def _matrix(path: Path, values: Any) -> Stored:
    if hasattr(values, "toarray"):  # sparse, as counts of genes are
        check_fits(path, "X", values.shape, 4)
        values = values.toarray()
    return Stored.of(np.asarray(values))


def _names(data: Any) -> Stored:
    return Stored.of(np.asarray([str(name) for name in data.obs_names]))
