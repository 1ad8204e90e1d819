"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HEADS", "STRENGTHS", "WORLDS", "Config"]

HEADS = ("bilinear", "concat-mlp", "dot-product")
STRENGTHS = {"unaligned": 0.0, "aligned": 1.0}
WORLDS = {
    "real": "shipped features, pairs as in the main study, which has the larger sizes",
    "real, fresh": "shipped features, no two training pairs share an image",
    "gaussian": "Gaussian features of the same moments, pairs as in the main study",
    "gaussian, fresh": "Gaussian features, no two training pairs share an image",
    "gaussian, unit": "Gaussian features brought to unit norm, pairs as in the main study",
}
"""What is measured."""


@dataclass(frozen=True)
class Config:
    """Sample sizes and repetitions.

    Attributes:
        sizes: numbers of training pairs.
        most_real: the largest size measured on the shipped features: for which the training
            images suffice if each is in one pair only.
        seeds: repetitions; each has its own pairs, and its own draw of Gaussian features.
        real_seeds: as many on the shipped features, where a repetition takes less time.
        ridge: delta of K + delta I.
        test_pairs: per repetition.
        entropy: root of all random numbers; the pairs are those of the main study.
        samples: draws of `gaussian_matching_curve`.
        sharp_sizes: where it is evaluated, which takes long.
    """

    sizes: tuple[int, ...] = (256, 512, 1024, 2048, 4096)
    most_real: int = 2048
    seeds: int = 4
    real_seeds: int = 12
    ridge: float = 0.1
    test_pairs: int = 5000
    entropy: int = 2606_01207
    samples: int = 2**13
    sharp_sizes: tuple[int, ...] = (256, 1024, 4096)
