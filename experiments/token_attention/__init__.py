"""What attention over an image's tokens is worth, predicted, measured as kernels, and trained."""

from experiments.token_attention.config import REAL, Config, Drawn
from experiments.token_attention.figure import draw_panels
from experiments.token_attention.kernel import measure_kernel
from experiments.token_attention.pairs import pairs_of
from experiments.token_attention.predict import predict, predict_population
from experiments.token_attention.summary import comparison, networks
from experiments.token_attention.train import token_dataset, train_networks

__all__ = [
    "REAL",
    "Config",
    "Drawn",
    "comparison",
    "draw_panels",
    "measure_kernel",
    "networks",
    "pairs_of",
    "predict",
    "predict_population",
    "token_dataset",
    "train_networks",
]
