"""Which terms of the theory a prediction has."""

from __future__ import annotations

from dataclasses import dataclass, field

from fusiontheory.checks import InputError, set_checked
from fusiontheory.constraints import checked, instead

__all__ = ["Terms"]


@checked(lanczos_steps=instead())
@dataclass(frozen=True, kw_only=True)
class Terms:
    """Which terms of the theory a prediction has; all of them unless one is left out on purpose.

    Without any, a curve follows from the second moments of v and of t and their
    cross-covariance alone.

    Attributes:
        lanczos_steps: how the covariance of matched pairs enters (`lanczos_signal`): 2, 1, or
            0 for not at all.
        self_blocks: whether functions of one modality alone, and the length of [v; t], help
            those of both (`fusiontheory.signal.ritz`).
        mixed_orders: whether the third and fourth order of the tangent kernel carry signal.
        score_law: whether accuracy is that of held-out scores and leverages
            (`fusiontheory.matching.scores`), or of normal scores and the mean leverage.
        shared_images: whether training pairs that share images and texts count
            (`fusiontheory.matching.sharing_shift`), where their number of images is told.
        functions: of `fusiontheory.signal.ritz`, those that these terms add; not to be given.

    Raises:
        InputError: if ``lanczos_steps`` is not 0, 1 or 2.

    Example:
        >>> Terms(lanczos_steps=0, mixed_orders=False).functions
        ('image_pair', 'text_pair', 'image', 'text', 'length')
    """

    lanczos_steps: int = 2
    self_blocks: bool = True
    mixed_orders: bool = True
    score_law: bool = True
    shared_images: bool = True
    functions: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the settings, and settle which functions they add."""
        if self.lanczos_steps not in (0, 1, 2):
            raise InputError(f"lanczos_steps must be 0, 1 or 2, got {self.lanczos_steps!r}")
        alone = ("image_pair", "text_pair", "image", "text", "length") if self.self_blocks else ()
        set_checked(self, "functions", (*alone, "witness") if self.mixed_orders else alone)
