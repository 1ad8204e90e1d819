"""Whether a prediction is to be trusted, and by how much its interval has to be wider.

Both come from a stored study of populations of many kinds (`calibration_of`), never from the case
itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from fusiontheory.checks import sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.moments import EFFECTS, Diagnosis, calibration_of
from fusiontheory.typing import Array

__all__ = ["Trust", "trust"]


# Heads that no population of the study had, and the one of the same kernel that stands for each.
_STANDS_FOR = {"concat-mlp-aligned": "concat-mlp"}


@dataclass(frozen=True)
class Trust:
    """Whether to trust a head's predicted accuracies for some features.

    Attributes:
        trusted: whether all items are within their ranges.
        extra_half_width: to add to each side of a nominal 95 % interval, in accuracy, one for
            each n.
        reasons: a sentence for each item beyond its range: name, value, range, effect.
    """

    trusted: bool
    extra_half_width: Array
    reasons: tuple[str, ...]


@checked
def trust(diagnosis: Diagnosis, head: str, n: ArrayLike, *, best: bool = False) -> Trust:
    """Return whether to trust a head's predictions, and how much wider their intervals have to be.

    Args:
        diagnosis: of the features (`fusiontheory.diagnose`).
        head: one of `fusiontheory.HEADS`; concat-mlp-aligned has the widths of concat-mlp, as no
            population of the study had it.
        n: number of training pairs, one or many.
        best: whether the ridge is the best one at each n, not a given one.

    Raises:
        InputError: for a head that the study does not have, or n below 1.

    Example:
        >>> from fusiontheory.moments import diagnose
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((600, 24))
        >>> x[:, 0] *= 10  # one direction dominates
        >>> found = trust(diagnose(x, x + rng.standard_normal((600, 24))), "concat-mlp", 100)
        >>> found.trusted, any("first_share" in reason for reason in found.reasons)
        (False, True)
    """
    own = calibration_of(_STANDS_FOR.get(head, head), best)
    sizes = sample_sizes("n", n)
    beyond = own.beyond(diagnosis.values)
    reasons = tuple(
        _sentence(name, diagnosis.values[name], own.ends(name))
        for name in sorted(beyond, key=lambda name: -beyond[name])
    )
    return Trust(not beyond, own.half_width(diagnosis.values, sizes), reasons)


def _sentence(name: str, value: float, ends: tuple[float, float]) -> str:
    side, end = ("below", ends[0]) if value < ends[0] else ("above", ends[1])
    return f"{name} is {value:.3g}, {side} {end:.3g}. {EFFECTS[name]}"
