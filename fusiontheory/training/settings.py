"""Settings of one training run, shared by all members that are trained together."""

from __future__ import annotations

from dataclasses import dataclass

from fusiontheory.checks import InputError, non_negative, positive_integer
from fusiontheory.constraints import checked

__all__ = ["CRITERIA", "DTYPES", "OPTIMISERS", "THRESHOLDS", "TrainingSettings"]

OPTIMISERS = ("adam", "adamw", "sgd")
DTYPES = ("float32", "bfloat16")
CRITERIA = ("accuracy", "loss")
THRESHOLDS = ("learned", "scores")


@checked
@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained; the loss is the logistic one, log(1 + exp(-y f)), y = +-1.

    After each epoch the network is tried on the dev pairs, and the weights of the best epoch are
    kept, of several equal ones the first; without dev pairs the last ones. The last batch of an
    epoch holds what is left.

    Attributes:
        learning_rate: of members that have none of their own.
        weight_decay: likewise; added to the gradient (adam, sgd) or to the update (adamw).
        batch_size: pairs of one update.
        epochs: at most so many passes.
        updates: at most so many updates; None for no other limit than the epochs.
        patience: epochs without a better one after which a member stops; None for never.
        criterion: what is better on dev pairs: a higher "accuracy", or a lower "loss".
        optimiser: "adam", "adamw" or "sgd", of PyTorch, with its defaults for all else.
        momentum: of sgd.
        dtype: "float32", or "bfloat16" for autocast: weights and their updates stay float32.
        dropout: share of the outputs of each ReLU that are set to 0 in training.
        threshold: where the sign of the logit turns. "learned": the output's bias is a parameter
            as any other; Adam moves it by about one learning rate an update, and logits may grow
            far faster. "scores": after each epoch, before the network is tried, it is also set so
            that the mean logits of the two labels on the training pairs lie equally far from 0;
            training goes on from there.

    Raises:
        InputError: for a value outside its range.

    Example:
        >>> TrainingSettings(batch_size=0)
        Traceback (most recent call last):
        fusiontheory.checks.InputError: batch_size must be at least 1, got 0
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    batch_size: int = 256
    epochs: int = 30
    updates: int | None = None
    patience: int | None = 5
    criterion: str = "accuracy"
    optimiser: str = "adam"
    momentum: float = 0.0
    dtype: str = "float32"
    dropout: float = 0.0
    threshold: str = "learned"

    def __post_init__(self) -> None:
        """Check every setting."""
        positive_number("learning_rate", self.learning_rate)
        non_negative("weight_decay", self.weight_decay)
        positive_integer("batch_size", self.batch_size)
        positive_integer("epochs", self.epochs)
        for name in ("updates", "patience"):
            if getattr(self, name) is not None:
                positive_integer(name, getattr(self, name))
        for name, known in (
            ("criterion", CRITERIA),
            ("optimiser", OPTIMISERS),
            ("dtype", DTYPES),
            ("threshold", THRESHOLDS),
        ):
            if getattr(self, name) not in known:
                got = getattr(self, name)
                raise InputError(f"{name} must be one of {', '.join(known)}, got {got!r}")
        for name in ("momentum", "dropout"):
            if non_negative(name, getattr(self, name)) >= 1:
                raise InputError(f"{name} must be below 1, got {getattr(self, name)}")
        if self.momentum and self.optimiser != "sgd":
            raise InputError(f"momentum is of sgd alone, got {self.momentum} with {self.optimiser}")

    def updates_of(self, n: int) -> int:
        """Return the largest number of updates on ``n`` training pairs."""
        most = self.epochs * self.batches_of(n)
        return most if self.updates is None else min(most, self.updates)

    def batches_of(self, n: int) -> int:
        """Return the number of batches of an epoch of ``n`` pairs, the last maybe smaller."""
        return -(-n // self.batch_size)


def positive_number(name: str, value: float) -> float:
    """Return ``value`` as a finite float above 0."""
    if non_negative(name, value) == 0:
        raise InputError(f"{name} must be above 0, got 0")
    return float(value)
