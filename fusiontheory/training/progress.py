"""How far a member is: its best epoch so far, and whether it goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusiontheory.training.members import Member
from fusiontheory.training.settings import TrainingSettings

__all__ = ["Progress", "Score"]


@dataclass(frozen=True, eq=False)
class Score:
    """What a network does on pairs.

    Attributes:
        loss: mean logistic loss.
        accuracy: share of pairs whose sign is right; a logit of exactly 0 counts half.
        right: whether the sign is right, of each pair.
    """

    loss: float
    accuracy: float
    right: NDArray[np.bool_]

    @classmethod
    def of(cls, logits: Tensor, label: Tensor) -> Score:
        """Return the score of logits (n,) against labels +-1 (n,)."""
        margin = logits.double() * label
        right = margin > 0
        accuracy = float((right.double() + 0.5 * (margin == 0)).mean())
        loss = float(torch.nn.functional.softplus(-margin).mean())
        finite = math.isfinite(loss)
        return cls(loss, accuracy if finite else math.nan, right.cpu().numpy())


@dataclass(eq=False)
class Progress:
    """State of one member between its evaluations.

    Attributes:
        member: whose.
        updates: that are done; for a diverged member, those before the first loss that was not
            finite.
        epochs: evaluations done.
        epoch: the best of them, 0 before any.
        dev: score at the best epoch, None without dev pairs.
        weights: of the best epoch, shape (P,); a copy.
        gradient_start: norm of the first batch's gradient at the initial weights.
        gradient_end: norm of the last batch's gradient of the best epoch.
        diverged: whether a loss was not finite.
    """

    member: Member
    updates: int = 0
    epochs: int = 0
    epoch: int = 0
    dev: Score | None = None
    weights: Tensor = field(default_factory=lambda: torch.empty(0))
    gradient_start: float = math.nan
    gradient_end: float = math.nan
    diverged: bool = False

    def observe(self, dev: Score | None, weights: Tensor, gradient: float, criterion: str) -> None:
        """Note an epoch's end, and keep its weights if it is the best so far."""
        self.epochs += 1
        if dev is not None and not math.isfinite(dev.loss):
            self.diverged = True
        elif dev is None or self.dev is None or _better(dev, self.dev, criterion):
            self.epoch, self.dev, self.gradient_end = self.epochs, dev, gradient
            self.weights = weights.clone()

    def finished(self, settings: TrainingSettings) -> bool:
        """Whether it diverged, did all its updates, or had no better epoch for too long."""
        done = self.updates >= settings.updates_of(len(self.member.dataset.train))
        stale = (
            self.dev is not None
            and settings.patience is not None
            and self.epochs - self.epoch >= settings.patience
        )
        return self.diverged or done or stale


def _better(new: Score, old: Score, criterion: str) -> bool:
    return new.accuracy > old.accuracy if criterion == "accuracy" else new.loss < old.loss
