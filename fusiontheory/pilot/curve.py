"""Learning curves of any kernel from one labelled pilot."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, sample_sizes
from fusiontheory.constraints import checked
from fusiontheory.heads import PilotHead, Views, find_pilot_head
from fusiontheory.pilot.accuracy import ScoreLaw
from fusiontheory.pilot.accuracy_error import metric_interval
from fusiontheory.pilot.beyond import Forecast, forecast
from fusiontheory.pilot.labels import Labels, Task
from fusiontheory.pilot.spectrum import PilotSpectrum, checked_kernel
from fusiontheory.pilot.subsets import SubsetScores, subset_scores
from fusiontheory.pilot.within import WithinReach, group_blocks, leave_out_errors
from fusiontheory.typing import Array

__all__ = ["PilotCurve", "headline_metric"]


@checked
def headline_metric(labels: Labels) -> str:
    """Return the metric that decisions are made on: R^2, accuracy, or balanced accuracy."""
    if labels.codes is None:
        return "r2"
    return "accuracy" if labels.balanced else "balanced_accuracy"


@checked
@dataclass(frozen=True, eq=False)
class PilotCurve:
    """Risk and accuracy of one head at any number of items, from a labelled pilot.

    Make one with `from_features` or `from_kernel`.

    Attributes:
        head: its name.
        labels: of the pilot.
        errors: (n0, c) leave-one-out errors at the pilot's best ridge.
        within: bias plus noise at every kappa; None for an average of other heads.
        members: the curves that are averaged, if any.
        subsets: scores of fits on subsets of the pilot, for the accuracy at small sizes.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> v, t = rng.standard_normal((2, 200, 5))
        >>> y = np.sign((v * t).sum(1)).astype(int)
        >>> curve = PilotCurve.from_features(v, t, y, "bilinear")
        >>> flat = PilotCurve.from_features(v, t, y, "concat-linear")
        >>> bool(curve.risk([100])[0] < flat.risk([100])[0])
        True
    """

    head: str
    labels: Labels
    errors: Array
    within: WithinReach | None
    members: tuple[PilotCurve, ...] = field(default=())
    subsets: tuple[SubsetScores, ...] = field(default=())

    @classmethod
    def from_features(
        cls,
        image: ArrayLike,
        text: ArrayLike,
        y: ArrayLike,
        head: str | PilotHead,
        *,
        task: Task = "auto",
        groups: ArrayLike | None = None,
        unlabelled: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> PilotCurve:
        """Measure a head on features (n0, d_v), (n0, d_t) and labels.

        Args:
            image, text: the two modalities, any features.
            y: (n0,) labels; see `Labels.from_labels`.
            head: a name of ``PILOT_HEADS``, or a `PilotHead`.
            task: "auto", "classification" or "regression".
            groups: (n0,) items that belong together and are left out together.
            unlabelled: further (image, text) without labels; they set the views' mean and scale,
                and make a forecast no better (docs/pilot.md has the table).

        Raises:
            InputError: for an unknown head, a constant modality, or labels that cannot be used.
        """
        fusion = find_pilot_head(head)
        extra_v, extra_t = unlabelled if unlabelled is not None else (None, None)
        views = Views.from_features(_stacked(image, extra_v), _stacked(text, extra_t))
        v, t = views.apply(image, text)
        labels = Labels.from_labels(y, task, len(v))
        if fusion.members:
            parts = tuple(
                cls._measured(find_pilot_head(m).kernel(v, t, v, t), labels, m, groups)
                for m in fusion.members
            )
            return cls.average(parts, fusion.name)
        return cls._measured(fusion.kernel(v, t, v, t), labels, fusion.name, groups)

    @classmethod
    def from_kernel(
        cls,
        kernel: ArrayLike,
        y: ArrayLike,
        *,
        head: str = "kernel",
        task: Task = "auto",
        groups: ArrayLike | None = None,
    ) -> PilotCurve:
        """Measure any kernel matrix (n0, n0) of the labelled items, a tangent kernel for one.

        Raises:
            InputError: for a matrix that is no kernel, or labels that cannot be used.
        """
        matrix = checked_kernel(kernel)
        return cls._measured(matrix, Labels.from_labels(y, task, len(matrix)), head, groups)

    @classmethod
    def _measured(
        cls, kernel: Array, labels: Labels, head: str, groups: ArrayLike | None
    ) -> PilotCurve:
        spectrum = PilotSpectrum.from_kernel(kernel)
        blocks = group_blocks(groups, labels.items)
        errors = leave_out_errors(spectrum, labels.targets, spectrum.ridges, blocks)
        within = WithinReach.from_errors(spectrum, errors, labels.variance)
        believed = errors[spectrum.believable(spectrum.ridges)]
        best = believed[int(np.argmin(within.leave_out))]
        measured = subset_scores(kernel, labels, within, blocks)
        return cls(head, labels, best, within, subsets=measured)

    @classmethod
    def average(cls, members: tuple[PilotCurve, ...], head: str = "late-fusion") -> PilotCurve:
        """Average the predictions of heads measured on the same items.

        The correlation of two members' errors is taken as the same at every size.

        Raises:
            InputError: if there are fewer than 2, or their items differ.
        """
        if len(members) < 2:
            raise InputError(f"members must be at least 2 curves, got {len(members)}")
        labels = members[0].labels
        if any(not np.array_equal(m.labels.targets, labels.targets) for m in members):
            raise InputError("members must be measured on the same items")
        errors: Array = np.mean([m.errors for m in members], axis=0)
        # Subsets of one size are of the same items for every member.
        shared = set.intersection(*({p.size for p in m.subsets} for m in members))
        parts = [[p for p in m.subsets if p.size in shared] for m in members]
        subsets = tuple(
            SubsetScores(p[0].size, p[0].rows, np.mean([x.scores for x in p], axis=0))
            for p in zip(*parts, strict=True)
        )
        return cls(head, labels, errors, None, members, subsets)

    @property
    def items(self) -> int:
        """Number of items n0 of the pilot."""
        return self.labels.items

    @cached_property
    def item_risk(self) -> Array:
        """(n0,) squared leave-one-out error of each item, in the label's variance."""
        squared: Array = (self.errors**2).sum(1) / self.labels.variance
        return squared

    @property
    def standard_error(self) -> float:
        """Standard error of the leave-one-out risk over items."""
        return float(self.item_risk.std(ddof=1) / np.sqrt(self.items))

    @cached_property
    def score_law(self) -> ScoreLaw:
        """Scores of the pilot and its subsets, from which accuracy at another risk follows."""
        sizes = [part.size for part in self.subsets]
        risks = self.forecast(sizes).risk.tolist() if sizes else []
        return ScoreLaw.from_errors(self.errors, self.labels, self.subsets, risks)

    def risk(self, sizes: ArrayLike) -> Array:
        """Return risk at the best ridge, in the label's variance, for each size.

        Raises:
            InputError: if a size is below 1.
        """
        return self.forecast(sizes).risk

    def forecast(self, sizes: ArrayLike, level: float = 0.9) -> Forecast:
        """Return risk with its interval at each size; see `fusiontheory.pilot.beyond`.

        Raises:
            InputError: for a size below 1, or a level that is not stored.
        """
        if self.within is not None:
            return forecast(self.within, self.standard_error, sizes, level)
        parts = [m.forecast(sizes, level) for m in self.members]
        errors = np.stack([m.errors.ravel() for m in self.members])
        size = np.sqrt((errors**2).sum(1))
        correlation = errors @ errors.T / np.outer(size, size)
        roots = np.sqrt(np.stack([p.risk for p in parts]))
        count = len(parts)
        risk = np.einsum("in,ij,jn->n", roots, correlation, roots) / count**2
        deviation = np.mean([p.deviation for p in parts], axis=0)
        low = np.maximum(risk - np.mean([p.risk - p.low for p in parts], axis=0), 0)
        high = risk + np.mean([p.high - p.risk for p in parts], axis=0)
        return Forecast(parts[0].sizes, risk, low, high, deviation, parts[0].beyond)

    def risk_at_ridge(self, sizes: ArrayLike, ridge: float) -> Array:
        """Return the risk at each size for one ridge in kernel units; NaN beyond reach.

        Raises:
            InputError: for an average of heads, which has no ridge of its own.
        """
        if self.within is None:
            raise InputError(f"{self.head} averages heads and has no ridge of its own")
        return self.within.at_ridge(sizes, ridge)

    def best_ridge(self, sizes: ArrayLike) -> Array:
        """Return the best ridge in kernel units at sizes within reach; NaN for an average.

        At a larger size it is the best of those whose kappa the pilot has.

        Raises:
            InputError: if a size is below 1.
        """
        n = sample_sizes("sizes", sizes)
        return np.full(n.size, np.nan) if self.within is None else self.within.best(n)[1]

    def metrics(self, sizes: ArrayLike) -> dict[str, Array]:
        """Return accuracy, balanced accuracy and AUC (two classes) or R^2 at each size.

        Raises:
            InputError: if a size is below 1.
        """
        return self.score_law.at(self.risk(sizes))

    def to_frame(self, sizes: ArrayLike, level: float = 0.9) -> pd.DataFrame:
        """Return one row a size: risk and the headline metric with intervals, other metrics, ridge.

        Raises:
            InputError: for a size below 1, or a level that is not stored.
        """
        forecast = self.forecast(sizes, level)
        metric = headline_metric(self.labels)
        middle = self.score_law.at(forecast.risk)
        low, high = metric_interval(self.score_law, forecast, metric, level)
        columns: dict[str, Any] = {
            "head": self.head,
            "n": forecast.sizes,
            "beyond": forecast.beyond,
            "risk": forecast.risk,
            "risk_low": forecast.low,
            "risk_high": forecast.high,
            **middle,
            f"{metric}_low": low,
            f"{metric}_high": high,
            "ridge": self.best_ridge(sizes),
        }
        return pd.DataFrame(columns)


def _stacked(labelled: ArrayLike, unlabelled: ArrayLike | None) -> ArrayLike:
    """Put rows of two arrays under each other."""
    if unlabelled is None:
        return labelled
    first, second = np.atleast_2d(np.asarray(labelled)), np.atleast_2d(np.asarray(unlabelled))
    if first.shape[1:] != second.shape[1:]:
        raise InputError(
            f"unlabelled must have {first.shape[1]} columns as the labelled, got {second.shape[1]}"
        )
    return np.concatenate([first, second])
