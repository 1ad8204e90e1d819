"""What arguments of public callables have to be: annotations and rules, one form of refusal."""

from fusiontheory.constraints.decorator import checked
from fusiontheory.constraints.kinds import Kind, kind_of, short
from fusiontheory.constraints.rules import between, finite, shaped

__all__ = ["Kind", "between", "checked", "finite", "kind_of", "shaped", "short"]
