"""The grid of hyper-parameters, and how it grows until the best setting is inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["DECAYS", "RATES", "Trial", "further_trials"]

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Steps that a search may take, beyond the grid that it starts from."""


class Trial(NamedTuple):
    """A learning rate, a weight decay, and whether initial logits have a spread of one."""

    learning_rate: float
    weight_decay: float
    unit_logits: bool = False


def further_trials(dev: Mapping[Trial, tuple[float, float]]) -> list[Trial]:
    """Return what is to be tried next, so that the best trial is at no edge; none if it is at none.

    These are the neighbours of the best one that were not tried: one step of `RATES` and one of
    `DECAYS` to either side, and the other scale of the initial weights.

    Args:
        dev: of each trial, dev accuracy and minus dev loss: the larger is the better.

    >>> further_trials({Trial(0.3, 0.0): (0.9, -1.0), Trial(0.1, 0.0): (0.8, -1.0)})
    [Trial(learning_rate=0.3, weight_decay=1e-05, unit_logits=False), \
Trial(learning_rate=0.3, weight_decay=0.0, unit_logits=True)]
    """
    best = max(dev, key=lambda trial: dev[trial])
    around = [best._replace(learning_rate=rate) for rate in _beside(RATES, best.learning_rate)]
    around += [best._replace(weight_decay=decay) for decay in _beside(DECAYS, best.weight_decay)]
    around.append(best._replace(unit_logits=not best.unit_logits))
    return [trial for trial in around if trial not in dev]


def _beside(steps: Sequence[float], value: float) -> list[float]:
    """Return the next smaller and the next larger step, where there are."""
    smaller, larger = [s for s in steps if s < value], [s for s in steps if s > value]
    return [*smaller[-1:], *larger[:1]]
