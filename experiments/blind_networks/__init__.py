"""Whether predictions of trained networks hold on features on which no network had been trained."""

from experiments.blind_networks.config import Config

__all__ = ["Config"]
