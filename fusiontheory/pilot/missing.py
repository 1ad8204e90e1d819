"""The price of a missing modality, at the size of the pilot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, finite_array
from fusiontheory.constraints import checked
from fusiontheory.heads import PilotHead, Views, find_pilot_head
from fusiontheory.pilot.accuracy import ScoreLaw, metrics_over_intercepts
from fusiontheory.pilot.curve import headline_metric
from fusiontheory.pilot.labels import Labels, Task
from fusiontheory.pilot.spectrum import PilotSpectrum
from fusiontheory.pilot.within import WithinReach, leave_out_errors
from fusiontheory.typing import Array

__all__ = ["SHARES", "missing_price"]


SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)


@checked
def missing_price(
    image: ArrayLike,
    text: ArrayLike,
    y: ArrayLike,
    head: str | PilotHead,
    *,
    missing: Literal["image", "text"] = "image",
    shares: Sequence[float] = SHARES,
    task: Task = "auto",
) -> pd.DataFrame:
    """Return what a head reaches where a share of the test items lacks one modality.

    Heads are trained on complete items. An item without the modality gets its mean
    (``imputed``), or the linear head of the other modality alone (``fallback``). Scores are those
    of leave-one-out, so that no item is predicted by a head that has seen it; each mixture of
    complete and incomplete items is the average over which items they are. Complete items reach
    what the head's curve says at n0, and the fallback what the curve of its head says.

    Args:
        image, text: (n0, d_v) and (n0, d_t).
        y: (n0,) labels.
        head: a name of ``PILOT_HEADS`` with a kernel, or a `PilotHead`.
        missing: which modality is missing.
        shares: of the items, in [0, 1].
        task: see `Labels.from_labels`.

    Returns:
        One row a share: ``share``, ``imputed``, ``fallback`` in the headline metric (accuracy,
        balanced accuracy for unequal classes, R^2 for a regression).

    Raises:
        InputError: for an unknown head or modality, shares outside [0, 1], unusable labels.
    """
    if missing not in ("image", "text"):
        raise InputError(f"missing must be image or text, got {missing!r}")
    part = finite_array("shares", shares, 1)
    if part.min() < 0 or part.max() > 1:
        raise InputError(f"shares must be between 0 and 1, got {part.tolist()}")
    fusion = find_pilot_head(head)
    v, t = Views.from_features(image, text).apply(image, text)
    labels = Labels.from_labels(y, task, len(v))
    metric = headline_metric(labels)
    alone = find_pilot_head("text-only" if missing == "image" else "image-only")
    gone = (np.zeros_like(v), t) if missing == "image" else (v, np.zeros_like(t))
    full, imputed = np.zeros((2, *labels.targets.shape))
    members = [find_pilot_head(m) for m in fusion.members] or [fusion]
    for member in members:
        kernel = member.kernel(v, t, v, t)
        scores = _left_out(kernel, member.kernel(*gone, v, t), labels)
        full, imputed = full + scores[0] / len(members), imputed + scores[1] / len(members)
    kernel = alone.kernel(v, t, v, t)
    other = _left_out(kernel, kernel, labels)[0]
    laws = [ScoreLaw.from_errors(labels.targets - s, labels) for s in (full, other)]
    whole, back = (float(law.at([1 - law.r2])[metric][0]) for law in laws)
    own, changed = (metrics_over_intercepts(s, labels)[metric] for s in (full, imputed))
    without = min(whole + changed - own, 1.0)
    return pd.DataFrame(
        {
            "share": part,
            "imputed": (1 - part) * whole + part * without,
            "fallback": (1 - part) * whole + part * back,
        }
    )


def _left_out(kernel: Array, changed: Array, labels: Labels) -> tuple[Array, Array]:
    """Return leave-one-out scores of the items as they are, and of their changed versions.

    Args:
        kernel: (n0, n0).
        changed: (n0, n0), row a the kernel of item a's changed version with every item.
        labels: of the items.
    """
    spectrum = PilotSpectrum.from_kernel(kernel)
    errors = leave_out_errors(spectrum, labels.targets, spectrum.ridges)
    within = WithinReach.from_errors(spectrum, errors, labels.variance)
    ridge = float(within.ridges[int(within.leave_out.argmin())])
    # G of the fit with a free intercept; alpha without item a is alpha - G[:, a] alpha_a / G_aa.
    inverse = (spectrum.vectors / (spectrum.values + ridge)) @ spectrum.vectors.T
    alpha = inverse @ labels.targets
    own = alpha / np.diag(inverse)[:, None]
    n, mean = len(kernel), kernel.mean(0)

    def fitted(rows: Array) -> Array:
        """Return row a times alpha without item a."""
        left_out: Array = rows @ alpha - np.einsum("ij,ji->i", rows, inverse)[:, None] * own
        return left_out

    # The other items' labels are their fits and ridge alpha, which sums to zero over them.
    others = n * labels.targets.mean(0) - labels.targets
    intercept = (others - n * fitted(np.tile(mean, (n, 1))) + fitted(kernel)) / (n - 1)
    return fitted(kernel) + intercept, fitted(changed) + intercept
