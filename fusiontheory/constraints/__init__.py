"""What arguments of public callables have to be: annotations and rules, one form of refusal."""

from fusiontheory.constraints.arrays import array_like, numbers
from fusiontheory.constraints.decorator import checked
from fusiontheory.constraints.kinds import Kind, kind_of
from fusiontheory.constraints.rules import (
    as_many,
    at_most,
    being,
    between,
    finite,
    in_memory,
    instead,
    non_negatives,
    positive,
    positive_integers,
    ragged,
    shaped,
    single,
)
from fusiontheory.constraints.words import short

__all__ = [
    "Kind",
    "array_like",
    "as_many",
    "at_most",
    "being",
    "between",
    "checked",
    "finite",
    "in_memory",
    "instead",
    "kind_of",
    "non_negatives",
    "numbers",
    "positive",
    "positive_integers",
    "ragged",
    "shaped",
    "short",
    "single",
]
