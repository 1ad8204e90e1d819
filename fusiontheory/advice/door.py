"""The one door: from arrays to advice."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from fusiontheory.advice.answer import Advice
from fusiontheory.advice.inputs import labelled_pilot
from fusiontheory.advice.labelled import advise_labelled
from fusiontheory.advice.matching import advise_matching
from fusiontheory.advice.settings import checked_settings
from fusiontheory.constraints import checked
from fusiontheory.data import Missing
from fusiontheory.pilot import Task
from fusiontheory.threads import one_thread

__all__ = ["advise"]


@checked
def advise(
    v: ArrayLike,
    t: ArrayLike,
    y: ArrayLike | None = None,
    target_n: int | None = None,
    target_accuracy: float | None = None,
    groups: ArrayLike | None = None,
    *,
    task: Task = "auto",
    heads: Sequence[str] | None = None,
    tolerance: float = 0.005,
    missing: Missing = "drop",
    verify: bool = False,
    seed: int = 0,
    device: str | None = None,
) -> Advice:
    """Say which fusion of two modalities to choose, how sure that is, and what would settle it.

    With labels, learning curves of a pilot (`fusiontheory.pilot`); without, the task is image-text
    matching and its theory (`fusiontheory.predict_curve` at the best ridge). More than 2048
    labelled items, or very many rows without labels, are thinned at random; the notes say so.

    Args:
        v: (n, d_v) vectors of the first modality.
        t: (n, d_t) of the second; without labels also (n, texts, d_t).
        y: (n,) labels: texts, booleans or integers for classes, numbers for a regression.
        target_n: number of items that the choice is for. Default: the size that assures
            ``target_accuracy`` if that is given, else all rows where only some make the pilot,
            else four times the pilot; for matching the number of images that were given.
        target_accuracy: in (0, 1), of accuracy, balanced accuracy (unequal classes) or R^2.
            Default: the lower end of what the recommended head should reach.
        groups: (n,) items that belong together and are left out together.
        task: "auto", "classification" or "regression"; only with labels.
        heads: names to choose from, `fusiontheory.pilot.PILOT_HEADS` or, for matching,
            `fusiontheory.HEADS`; None for all that can be.
        tolerance: difference in the metric below which a choice does not matter.
        missing: "drop" and count rows that are zero or not finite, or "refuse" them.
        verify: hold out a quarter of the items, measure each head on them at sizes within the rest,
            and say how many lie inside their intervals; with labels it needs scikit-learn.
        seed: of all that is drawn.
        device: of PyTorch, on which items held out are measured: "cpu", "cuda", "cuda:1" or "auto";
            None: NumPy.

    Raises:
        InputError: for labels of one class, a class with fewer than 5 items, fewer than 50 items,
            labels that are missing or do not fit the rows, a constant modality, texts for a
            regression, and settings that cannot be.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> v, t = rng.standard_normal((2, 120, 3))
        >>> found = advise(v, t, (v * t).sum(1) > 0, heads=["concat-linear", "interaction"])
        >>> found.recommended, found.headline
        ('interaction', 'Task: classification of your labels (2 classes) from two modalities.')
    """
    settings = checked_settings(target_n, target_accuracy, heads, tolerance, verify, seed, device)
    if y is None:
        return advise_matching(v, t, groups, missing, settings)
    pilot = labelled_pilot(v, t, y, groups, task=task, missing=missing, seed=settings.seed)
    with one_thread():
        return advise_labelled(pilot, settings)
