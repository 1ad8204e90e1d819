"""The moments of a synthetic configuration, for predicted curves."""

from __future__ import annotations

from fusiontheory.checks import InputError
from fusiontheory.constraints import checked
from fusiontheory.moments import Moments
from fusiontheory.synthetic import FeatureLaw, SyntheticConfig

__all__ = ["synthetic_moments"]


@checked
def synthetic_moments(config: SyntheticConfig) -> Moments:
    """Return the moments of a configuration's matched pairs, for `fusiontheory.predict_curve`.

    Raises:
        InputError: if rows are exchanged: then pairs are not Gaussian.

    Example:
        >>> config = SyntheticConfig.from_settings({"pairs.d_v": 3, "pairs.d_t": 2})
        >>> synthetic_moments(config).dimensions
        (3, 2)
    """
    law = FeatureLaw.of(config.model)
    if law.matched < 1:
        raise InputError("shuffle_v and shuffle_t must be 0 for moments of Gaussian pairs")
    return Moments.from_second_moments(
        law.second_moment_v,
        law.second_moment_t,
        law.matched_cross,
        image_mean=law.mean_v,
        text_mean=law.mean_t,
    )
