"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from dataclasses import dataclass

from fusiontheory.synthetic import UNSEEN

__all__ = ["Config"]


@dataclass(frozen=True)
class Config:
    """Populations, heads, sizes and samples.

    Attributes:
        populations: names in `fusiontheory.synthetic.UNSEEN`.
        heads: predicted and trained.
        images: rows that moments are estimated from.
        samples: moment samples of each population and number of images.
        sizes: training pairs.
        ridge: the fixed one, beside the best.
        seed: of samples and of training sets.
    """

    populations: tuple[str, ...] = tuple(UNSEEN)
    heads: tuple[str, ...] = ("concat-mlp", "bilinear", "dot-product")
    images: tuple[int, ...] = (500, 3000)
    samples: int = 6
    sizes: tuple[int, ...] = (128, 512, 2048)
    ridge: float = 0.1
    seed: int = 20261201
