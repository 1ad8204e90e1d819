"""Where the names of other libraries are documented, written here so that nothing is fetched.

Sphinx takes an *inventory* of a site's names, usually fetched from it. These few names are all that
the signatures of this library mention, and their addresses have been stable for years.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

NAMES: dict[str, tuple[str, dict[str, str]]] = {
    "numpy": (
        "https://numpy.org/doc/stable/",
        {
            "numpy.ndarray": "class reference/generated/numpy.ndarray.html#$",
            "numpy.float64": "class reference/arrays.scalars.html#$",
            "numpy.float32": "class reference/arrays.scalars.html#$",
            "numpy.int64": "class reference/arrays.scalars.html#$",
            "numpy.random.Generator": "class reference/random/generator.html#$",
            "numpy.random.SeedSequence": (
                "class reference/random/bit_generators/generated/numpy.random.SeedSequence.html#$"
            ),
            "numpy.typing.NDArray": "data reference/typing.html#$",
            "numpy.typing.ArrayLike": "data reference/typing.html#$",
            "numpy.savez": "function reference/generated/numpy.savez.html#$",
        },
    ),
    "scipy": (
        "https://docs.scipy.org/doc/scipy/",
        {
            "scipy.sparse.linalg.LinearOperator": (
                "class reference/generated/scipy.sparse.linalg.LinearOperator.html#$"
            ),
            "scipy.sparse.coo_array": "class reference/generated/scipy.sparse.coo_array.html#$",
        },
    ),
    "sklearn": (
        "https://scikit-learn.org/stable/",
        {
            f"sklearn.base.{name}": f"class modules/generated/sklearn.base.{name}.html#$"
            for name in ("BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin")
        },
    ),
    "torch": (
        "https://docs.pytorch.org/docs/stable/",
        {
            "torch.Tensor": "class tensors.html#$",
            "torch.nn.Module": "class generated/torch.nn.Module.html#$",
            "torch.Generator": "class generated/torch.Generator.html#$",
            "torch.device": "class tensor_attributes.html#$",
            "torch.dtype": "class tensor_attributes.html#$",
        },
    ),
    "pandas": (
        "https://pandas.pydata.org/docs/",
        {
            f"pandas.{name}": f"class reference/api/pandas.{name}.html#$"
            for name in ("DataFrame", "Series")
        },
    ),
}


def mapping(folder: Path) -> dict[str, tuple[str, str]]:
    """Write the inventories into a folder and return what intersphinx takes."""
    folder.mkdir(parents=True, exist_ok=True)
    addresses = {}
    for project, (address, names) in NAMES.items():
        path = folder / f"{project}.inv"
        path.write_bytes(_inventory(project, names))
        addresses[project] = (address, str(path))
    return addresses


def _inventory(project: str, names: dict[str, str]) -> bytes:
    head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    lines = []
    for name, where in names.items():
        kind, address = where.split(" ")
        lines.append(f"{name} py:{kind} 1 {address} -\n")
    return head.encode() + zlib.compress("".join(lines).encode())


def own_version(root: Path) -> str:
    """Return the version that setup.cfg declares."""
    found = re.search(r"^version = (\S+)$", (root / "setup.cfg").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]
