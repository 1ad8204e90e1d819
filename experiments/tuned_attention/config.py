"""Settings of the study; change them only together with a new run."""

from __future__ import annotations

from experiments.tuned_heads import Config

__all__ = ["CONFIG", "STRENGTHS"]

_PLACES = tuple(
    (head, condition)
    for head in ("two-way-attention", "token-attention")
    for condition in ("aligned", "unaligned")
)

CONFIG = Config(places=_PLACES, searched=_PLACES)
"""The search of `experiments.tuned_heads`, of the two heads of attention that it left out."""

STRENGTHS = {"aligned": 1.0, "unaligned": 0.0}
"""Of alignment, by the name of the condition."""
