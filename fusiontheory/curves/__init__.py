"""From moments to a predicted learning curve of a named head."""

from fusiontheory.curves.answer import Answer, answer, predicted_lead
from fusiontheory.curves.best_ridge import best_ridge, checked_ridges
from fusiontheory.curves.forecast import ForecastInputs, forecast, forecast_inputs
from fusiontheory.curves.forecast_trained import forecast_trained
from fusiontheory.curves.models import find_model, mean_diagonal
from fusiontheory.curves.own_runs import RunComparison, compare
from fusiontheory.curves.predict import predict_curve
from fusiontheory.curves.run_table import read_runs
from fusiontheory.curves.sweeps import SIDES, alignment_curve, correlation_curve, degradation_curve
from fusiontheory.curves.tokens import predict_token_curve

__all__ = [
    "SIDES",
    "Answer",
    "ForecastInputs",
    "RunComparison",
    "alignment_curve",
    "answer",
    "best_ridge",
    "checked_ridges",
    "compare",
    "correlation_curve",
    "degradation_curve",
    "find_model",
    "forecast",
    "forecast_inputs",
    "forecast_trained",
    "mean_diagonal",
    "predict_curve",
    "predict_token_curve",
    "predicted_lead",
    "read_runs",
]
