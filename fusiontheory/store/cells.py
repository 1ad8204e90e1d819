"""Cells: what identifies a measurement, so that it is made once and found again."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fusiontheory.checks import InputError, set_checked
from fusiontheory.constraints import checked

__all__ = ["ADDED_COLUMNS", "Cell"]

ADDED_COLUMNS = ["features", "code", "cell"]
"""Columns that tables of records add to those of the configuration and the rows."""

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False)  # made once: a million cells


@checked
@dataclass(frozen=True, eq=False)
class Cell:
    """One configuration, feature fingerprint and code version: the unit that is measured.

    Two cells are equal when their keys are. Types count: ``{"n": 1}`` and ``{"n": 1.0}`` differ.

    Attributes:
        study: lowercase name, the folder of its records.
        config: the settings: names to JSON scalars or lists (kept as tuples), NumPy scalars too.
        features: fingerprint of the features, or a word for what generates them.
        code: version of the measuring code, see `code_version`.

    Raises:
        InputError: if a field is of the wrong type, or a value is not JSON (NaN is not).

    Example:
        >>> Cell("demo", {"n": 16}, features="none", code="v1").key
        '8e9eccfc373514271445'
    """

    study: str
    config: Mapping[str, Any]
    features: str
    code: str

    def __post_init__(self) -> None:
        """Check the fields and copy the configuration as plain Python."""
        check_study(self.study)
        check_text("features", self.features)
        check_text("code", self.code)
        if not isinstance(self.config, Mapping):
            raise InputError(f"config must be a mapping, got {type(self.config).__name__}")
        check_names("config", self.config)
        config = {
            name: plain_json(f"config[{name!r}]", value) for name, value in self.config.items()
        }
        set_checked(self, "config", config)

    @property
    def json(self) -> bytes:
        """Canonical JSON of the four fields, in UTF-8."""
        names = ("study", "config", "features", "code")
        return canonical_json({name: getattr(self, name) for name in names})

    @cached_property
    def key(self) -> str:
        """First 20 hex digits of the SHA-256 of `json`."""
        return hashlib.sha256(self.json).hexdigest()[:20]

    def __eq__(self, other: object) -> bool:
        """Compare the keys, as Python itself takes 1, 1.0 and True for the same."""
        return isinstance(other, Cell) and self.key == other.key

    def __hash__(self) -> int:
        """Hash the key."""
        return hash(self.key)


@checked
def canonical_json(value: Any) -> bytes:
    """Return the one JSON text of a value, in UTF-8; floats are exact."""
    try:
        return _ENCODER.encode(value).encode()
    except TypeError as error:
        raise InputError(f"value must be made of what JSON has: {error}") from error


@checked
def sha256(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def check_study(study: str) -> str:
    """Return ``study`` if it can name a folder on any system."""
    if not isinstance(study, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", study):
        raise InputError(f"study must be lowercase letters, digits, - and _, got {study!r}")
    return study


def check_text(name: str, value: Any) -> None:
    """Check that ``value`` is a string that says something."""
    if not isinstance(value, str) or not plain_json(name, value):
        raise InputError(f"{name} must be a non-empty string, got {value!r}")


def check_names(argument: str, names: Iterable[Any]) -> None:
    """Check that ``names`` can be columns of a table of records."""
    for name in names:
        check_text(f"each name in {argument}", name)
        if name in ADDED_COLUMNS:
            raise InputError(f"{argument} must not use the name {name!r}, which tables add")


def plain_json(name: str, value: Any) -> Any:
    """Return a JSON value as plain Python, lists as tuples."""
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if kind in (list, tuple):
        return tuple(plain_json(f"{name}[{i}]", entry) for i, entry in enumerate(value))
    if value is not None and kind not in (bool, int, float, str):
        raise InputError(f"{name} must be a JSON scalar or a list of them, got {kind.__name__}")
    if kind is float and not math.isfinite(value):
        raise InputError(f"{name} must be finite, got {value}")
    if kind is int and not -(2**63) <= value < 2**63:
        raise InputError(f"{name} must fit 64 bits, got {value}; make it a string")
    if kind is str and value.encode(errors="ignore").decode() != value:
        raise InputError(f"{name} must be valid Unicode, got {value!r}")
    return value
