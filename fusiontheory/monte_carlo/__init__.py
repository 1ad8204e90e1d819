"""The measured twin of each closed form: the same quantity by simulation."""

from fusiontheory.monte_carlo.kernel_sum import simulate_kernel_sum
from fusiontheory.monte_carlo.low_rank import simulate_low_rank
from fusiontheory.monte_carlo.matching import draw_matching, simulate_matching
from fusiontheory.monte_carlo.ridge import simulate_ridge_risk
from fusiontheory.monte_carlo.scatter import paired_scatter, simulate_training_scatter
from fusiontheory.monte_carlo.sign_labels import simulate_coefficients, simulate_sign_accuracy
from fusiontheory.monte_carlo.tokens import simulate_token_signal

__all__ = [
    "draw_matching",
    "paired_scatter",
    "simulate_coefficients",
    "simulate_kernel_sum",
    "simulate_low_rank",
    "simulate_matching",
    "simulate_ridge_risk",
    "simulate_sign_accuracy",
    "simulate_token_signal",
    "simulate_training_scatter",
]
