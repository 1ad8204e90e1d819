"""Four predictors of every measured cell: orders, sharp theory, tangent kernel, power law.

A new one is a function from cells to rows of `COLUMNS`, and a line where the tables are made.
"""

from validation.trained.predictors.adam_kernel import LAZY, adam_kernel_curves, adam_kernel_table
from validation.trained.predictors.errors import error_table, scored, with_directions
from validation.trained.predictors.feature_learning import (
    feature_learning_curve,
    feature_learning_table,
)
from validation.trained.predictors.forecasts import forecast_errors, forecast_table
from validation.trained.predictors.learned_metric import (
    learned_metric_curve,
    learned_metric_table,
    likeness,
    metric_rounds_curve,
    metric_rounds_table,
)
from validation.trained.predictors.linear_optimum import best_kernel_curve, best_kernel_table
from validation.trained.predictors.logit_growth import (
    LogitPath,
    Response,
    growth_predictions,
    logit_growth,
    ridge_response,
)
from validation.trained.predictors.moving_kernel import (
    HEAD,
    layered_kernel,
    moving_kernel_curve,
    moving_kernel_table,
)
from validation.trained.predictors.optimiser import (
    POWERS,
    adam_moments,
    adam_ridge,
    half_distance,
    lagging,
    optimiser_predictions,
)
from validation.trained.predictors.orders import order_predictions
from validation.trained.predictors.power_law import power_law_predictions
from validation.trained.predictors.sharp import AT_CHANCE, RIDGE, sharp_predictions
from validation.trained.predictors.table import COLUMNS, FIRST, PLACE, as_table, prediction
from validation.trained.predictors.tables import predictor_tables
from validation.trained.predictors.tangent import STUDY as TANGENT
from validation.trained.predictors.tangent import fill_tangent, tangent_predictions
from validation.trained.predictors.tangent_curve import early_stopping_ridge, tangent_curve
from validation.trained.predictors.tangent_ridges import (
    TANGENT_HEADS,
    tangent_ridge_curves,
    tangent_ridge_table,
)

__all__ = [
    "AT_CHANCE",
    "COLUMNS",
    "FIRST",
    "HEAD",
    "LAZY",
    "PLACE",
    "POWERS",
    "RIDGE",
    "TANGENT",
    "TANGENT_HEADS",
    "LogitPath",
    "Response",
    "adam_kernel_curves",
    "adam_kernel_table",
    "adam_moments",
    "adam_ridge",
    "as_table",
    "best_kernel_curve",
    "best_kernel_table",
    "early_stopping_ridge",
    "error_table",
    "feature_learning_curve",
    "feature_learning_table",
    "fill_tangent",
    "forecast_errors",
    "forecast_table",
    "growth_predictions",
    "half_distance",
    "lagging",
    "layered_kernel",
    "learned_metric_curve",
    "learned_metric_table",
    "likeness",
    "logit_growth",
    "metric_rounds_curve",
    "metric_rounds_table",
    "moving_kernel_curve",
    "moving_kernel_table",
    "optimiser_predictions",
    "order_predictions",
    "power_law_predictions",
    "prediction",
    "predictor_tables",
    "ridge_response",
    "scored",
    "sharp_predictions",
    "tangent_curve",
    "tangent_predictions",
    "tangent_ridge_curves",
    "tangent_ridge_table",
    "with_directions",
]
