"""The runs of trained heads: groups of members, search, records."""

from validation.trained.runs.groups import CellGroups, derived_features
from validation.trained.runs.runs import recorded_runs, train_cells
from validation.trained.runs.search import choices, chosen_table, search_cells

__all__ = [
    "CellGroups",
    "choices",
    "chosen_table",
    "derived_features",
    "recorded_runs",
    "search_cells",
    "train_cells",
]
