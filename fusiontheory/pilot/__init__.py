"""Learning curves of any kernel from a labelled pilot, and what follows for the choice of a head.

Within the pilot's reach nothing is assumed but that bias plus noise depends on kappa; beyond it,
forecasts and probabilities lean on a calibration with synthetic worlds that the package holds.
"""

from fusiontheory.heads import PILOT_HEADS, PilotHead, Views, find_pilot_head, head_names
from fusiontheory.pilot.accuracy import (
    ScoreLaw,
    effective_items,
    metrics_over_intercepts,
    score_metrics,
)
from fusiontheory.pilot.accuracy_error import error_parts, metric_interval
from fusiontheory.pilot.assurance import Assurance, assured_size
from fusiontheory.pilot.beyond import FEATURES, Forecast, forecast_features, plain_power
from fusiontheory.pilot.bounds import not_excluded
from fusiontheory.pilot.choice import (
    Choice,
    Crossover,
    choose,
    crossover,
    metric_draws,
    mixture_posterior,
    posterior_draws,
)
from fusiontheory.pilot.curve import PilotCurve, headline_metric
from fusiontheory.pilot.interaction import (
    InteractionSplit,
    interaction_split,
    kernel_parts,
)
from fusiontheory.pilot.labels import LEAST_ITEMS, LEAST_OF_CLASS, Labels, Task, class_codes
from fusiontheory.pilot.missing import missing_price
from fusiontheory.pilot.no_interaction import InteractionTest, interaction_test, kernel_test
from fusiontheory.pilot.prior import Prior
from fusiontheory.pilot.spectrum import PilotSpectrum
from fusiontheory.pilot.subsets import SubsetScores, subset_scores
from fusiontheory.pilot.within import WithinReach, group_blocks, leave_out_errors

__all__ = [
    "FEATURES",
    "LEAST_ITEMS",
    "LEAST_OF_CLASS",
    "PILOT_HEADS",
    "Assurance",
    "Choice",
    "Crossover",
    "Forecast",
    "InteractionSplit",
    "InteractionTest",
    "Labels",
    "PilotCurve",
    "PilotHead",
    "PilotSpectrum",
    "Prior",
    "ScoreLaw",
    "SubsetScores",
    "Task",
    "Views",
    "WithinReach",
    "assured_size",
    "choose",
    "class_codes",
    "crossover",
    "effective_items",
    "error_parts",
    "find_pilot_head",
    "forecast_features",
    "group_blocks",
    "head_names",
    "headline_metric",
    "interaction_split",
    "interaction_test",
    "kernel_parts",
    "kernel_test",
    "leave_out_errors",
    "metric_draws",
    "metric_interval",
    "metrics_over_intercepts",
    "missing_price",
    "mixture_posterior",
    "not_excluded",
    "plain_power",
    "posterior_draws",
    "score_metrics",
    "subset_scores",
]
