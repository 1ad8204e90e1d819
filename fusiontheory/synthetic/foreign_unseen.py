"""Foreign populations that no range, width or choice of the theory was made with.

They have the kinds of `fusiontheory.synthetic.FOREIGN`, with other dimensions, spectra, tails and
mixtures, and are there to judge what was calibrated on those.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from fusiontheory.synthetic.foreign_laws import (
    Law,
    beside,
    canonical,
    categories,
    lengthened,
    magnitudes,
    mild,
    mixture,
    moved,
    multi_hot,
    nonlinear_views,
    relu,
    stretched,
    topics,
)

__all__ = ["Described", "Finish", "unseen_laws"]

Finish: TypeAlias = Literal["raw", "centred", "unit", "unit centred"]

Described: TypeAlias = tuple[str, str, Law, Finish, tuple[float, int] | None]
"""Name, kind, law, finish, and noise and repeats of copies."""


def unseen_laws() -> list[Described]:
    """Return the populations, as `fusiontheory.synthetic.UNSEEN` has them.

    Example:
        >>> len({name for name, *_ in unseen_laws()})
        25
    """
    heavy_topics = lengthened(topics(12, 40, 0.5, 0.5, 64), sigma=0.35)
    more_heavy_topics = lengthened(topics(30, 64, 0.7, 0.4, 65), freedom=7)
    long_and_moved = lengthened(moved(mild(40, 0.3, 0.6), 0.8, 0.8, 66), freedom=9, shared=False)
    views_and_more = beside(nonlinear_views(5, 24, 0.2, 69), mild(32, 0.2, 0.6))
    two = mixture(relu(16, 40, 0.2, 0.5, 70), topics(15, 40, 0.5, 0.4, 71), 0.5)
    flat = np.ones(8)
    return [
        ("unseen_gauss", "benign", mild(56, 0.35, 0.55, turn=61), "raw", None),
        ("unseen_unit", "benign", mild(40, 0.45, 0.7), "unit", None),
        ("unseen_small", "benign", mild(24, 0.1, 0.5), "raw", None),
        ("unseen_t12", "benign", lengthened(mild(40, 0.25), freedom=12, shared=False), "raw", None),
        ("unseen_gap", "uncentred", moved(mild(40, 0.4, 0.6), 1.8, 0.6, 62), "unit", None),
        ("unseen_relu", "uncentred", relu(20, 40, 0.4, 0.4, 63), "raw", None),
        ("unseen_far", "uncentred", moved(mild(48, 0.2, 0.7), 2.0, 2.0, 72), "unit", None),
        ("unseen_dominant", "dominant", stretched(40, [4.0, 3.0], 0.6, 0.4), "raw", None),
        ("unseen_nuisance", "dominant", stretched(40, [7.0], 0.6, 0.0), "raw", None),
        ("unseen_tails", "heavy tails", lengthened(mild(40, 0.2, 0.6), freedom=6.5), "raw", None),
        ("unseen_sizes", "heavy tails", lengthened(mild(40, 0.4, 0.7), sigma=0.3), "raw", None),
        ("unseen_frames", "duplicates", mild(40, 0.3), "unit", (0.06, 3)),
        ("unseen_categories", "discrete", categories(50, 0.75), "centred", None),
        ("unseen_tags", "discrete", multi_hot(40, 0.1, 0.7), "centred", None),
        ("unseen_canonical", "canonical", stretched(48, [3.0] * 4, 0.1, 0.96), "raw", None),
        ("unseen_lengths", "magnitudes", lengthened(mild(40, 0.0, 0.0), sigma=0.4), "raw", None),
        ("unseen_magnitudes", "magnitudes", magnitudes(16, 0.9), "raw", None),
        ("unseen_views", "few dimensions", nonlinear_views(5, 40, 0.2, 67), "centred", None),
        ("unseen_flat", "few dimensions", canonical(flat, flat, 0.7), "raw", None),
        ("unseen_topics", "topics", topics(40, 48, 0.6, 0.5, 68), "unit", None),
        ("unseen_heavy_topics", "mixed", heavy_topics, "raw", None),
        ("unseen_heavy_topics_30", "mixed", more_heavy_topics, "raw", None),
        ("unseen_long_moved", "mixed", long_and_moved, "raw", None),
        ("unseen_views_beside", "mixed", views_and_more, "centred", None),
        ("unseen_relu_topics", "mixed", two, "centred", None),
    ]
