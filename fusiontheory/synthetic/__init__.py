"""Paired synthetic features with dials and known truth.

A `SyntheticConfig` says how pairs are made, what is to be learned from them and what is done to
them; it gives arrays, labels, exact population moments and risk floors.

>>> from fusiontheory.synthetic import SharedLatentPairs, SyntheticConfig, Target
>>> config = SyntheticConfig(SharedLatentPairs(d_v=8, d_t=6, correlation=0.5), Target("bilinear"))
>>> config.draw(100, seed=0).v.shape
(100, 8)
"""

from fusiontheory.synthetic.configuration import SyntheticConfig, SyntheticSample
from fusiontheory.synthetic.degradations import (
    Degradation,
    add_noise,
    drop_dimensions,
    rotate,
    shuffle_rows,
)
from fusiontheory.synthetic.floors import RiskFloor, best_additive, best_bilinear
from fusiontheory.synthetic.foreign import (
    FOREIGN,
    UNSEEN,
    Copies,
    ForeignPopulation,
    ForeignSample,
    find_population,
)
from fusiontheory.synthetic.latent_model import LatentModel
from fusiontheory.synthetic.measured_alignment import MeasuredAlignment, measured_alignment
from fusiontheory.synthetic.pairs import SharedLatentPairs
from fusiontheory.synthetic.population import FeatureLaw, LabelLaw, Predictor, population_risk
from fusiontheory.synthetic.rotations import aligned_rotation, random_rotation
from fusiontheory.synthetic.surrogates import SurrogatePairs, latent_model_of_features
from fusiontheory.synthetic.targets import Coefficients, Target
from fusiontheory.synthetic.tokens import TokenPairs

__all__ = [
    "FOREIGN",
    "UNSEEN",
    "Coefficients",
    "Copies",
    "Degradation",
    "FeatureLaw",
    "ForeignPopulation",
    "ForeignSample",
    "LabelLaw",
    "LatentModel",
    "MeasuredAlignment",
    "Predictor",
    "RiskFloor",
    "SharedLatentPairs",
    "SurrogatePairs",
    "SyntheticConfig",
    "SyntheticSample",
    "Target",
    "TokenPairs",
    "add_noise",
    "aligned_rotation",
    "best_additive",
    "best_bilinear",
    "drop_dimensions",
    "find_population",
    "latent_model_of_features",
    "measured_alignment",
    "population_risk",
    "random_rotation",
    "rotate",
    "shuffle_rows",
]
