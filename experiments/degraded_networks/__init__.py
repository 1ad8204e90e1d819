"""Whether networks with a sound threshold do what the paper says, and we predict, under noise."""

from experiments.degraded_networks.config import ENDS
from experiments.degraded_networks.config import Config as NoisyNetworks
from experiments.degraded_networks.measure import measure as measured_networks
from experiments.degraded_networks.predict import conditions_of
from experiments.degraded_networks.predict import predict as predicted_networks
from experiments.degraded_networks.summary import comparison as compared_networks

__all__ = [
    "ENDS",
    "NoisyNetworks",
    "compared_networks",
    "conditions_of",
    "measured_networks",
    "predicted_networks",
]
