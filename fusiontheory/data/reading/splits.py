"""Names of splits in other people's files."""

from __future__ import annotations

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.data.features import SPLITS
from fusiontheory.typing import AnyArray

__all__ = ["OTHER_NAMES", "named_splits"]

OTHER_NAMES = {
    "training": "train",
    "trn": "train",
    "restval": "train",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "development": "dev",
    "testing": "test",
    "tst": "test",
}
"""Of ``restval``, the rest of COCO's validation images, people make training images."""


@checked
def named_splits(given: AnyArray, where: str) -> list[str]:
    """Return the project's names of splits.

    Numbers are refused: 0, 1, 2 are train, validation and test to some, and folds to others.

    Args:
        given: (n,) names, in any case.
        where: what errors call the place.

    Raises:
        InputError: for numbers, and for a name that is not known.

    >>> named_splits(np.array(["Train", "val"]), "a.npz")
    ['train', 'dev']
    >>> named_splits(np.array([0, 0, 1]), "a.npz")
    Traceback (most recent call last):
    fusiontheory.checks.InputError: split must hold names (train, dev, test), got the codes 0 (2 \
rows), 1 (1) in a.npz, which could mean anything; write the names, or leave split out
    """
    values = given.ravel()
    if values.dtype.kind not in "US":
        codes, counts = np.unique(values, return_counts=True)
        told = [f"{code:g}" if values.dtype.kind == "f" else str(code) for code in codes[:4]]
        told = [f"{code} ({n})" for code, n in zip(told, counts, strict=False)]
        raise InputError(
            f"split must hold names (train, dev, test), got the codes"
            f" {', '.join(told).replace(')', ' rows)', 1)} in {where}, which could mean anything;"
            " write the names, or leave split out"
        )
    plain = [str(np.char.decode(x) if values.dtype.kind == "S" else x).strip() for x in values]
    names = [OTHER_NAMES.get(name.lower(), name.lower()) for name in plain]
    for row, name in enumerate(names):
        if name not in SPLITS:
            raise InputError(
                f"split must be among {', '.join([*SPLITS, *OTHER_NAMES])}, got {plain[row]!r} in"
                f" row {row} of {where}; rename it, or leave split out"
            )
    return names
