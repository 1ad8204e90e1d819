"""Four predictors of every measured cell: orders, sharp theory, tangent kernel, power law.

A new one is a function from cells to rows of `COLUMNS`, and a line where the tables are made.
"""

from validation.trained.predictors.orders import order_predictions
from validation.trained.predictors.power_law import power_law_predictions
from validation.trained.predictors.sharp import sharp_predictions
from validation.trained.predictors.table import COLUMNS, FIRST, PLACE
from validation.trained.predictors.tangent import fill_tangent, tangent_predictions

__all__ = [
    "COLUMNS",
    "FIRST",
    "PLACE",
    "fill_tangent",
    "order_predictions",
    "power_law_predictions",
    "sharp_predictions",
    "tangent_predictions",
]
