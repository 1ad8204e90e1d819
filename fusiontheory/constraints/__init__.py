"""What arguments of public callables have to be: annotations and rules, one form of refusal."""

from fusiontheory.constraints.decorator import checked
from fusiontheory.constraints.kinds import Kind, kind_of
from fusiontheory.constraints.rules import (
    as_many,
    between,
    finite,
    instead,
    non_negatives,
    positive,
    positive_integers,
    ragged,
    shaped,
)
from fusiontheory.constraints.words import short

__all__ = [
    "Kind",
    "as_many",
    "between",
    "checked",
    "finite",
    "instead",
    "kind_of",
    "non_negatives",
    "positive",
    "positive_integers",
    "ragged",
    "shaped",
    "short",
]
