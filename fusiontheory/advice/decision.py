"""From draws of every head's metric at the target to a decision, and from that to the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusiontheory.advice.answer import Advice
from fusiontheory.advice.settings import Settings
from fusiontheory.advice.words import headline, in_metric, recommend, settling, simplest
from fusiontheory.typing import Array

__all__ = ["Decision", "decide"]


@dataclass(frozen=True, eq=False)
class Decision:
    """Which head at the target.

    Attributes:
        task: see `Advice`.
        metric: see `Advice`.
        target: n.
        items: that it rests on.
        heads: names, in the order of the columns of ``values``.
        values: (draws, heads) of the metric at the target.
        table: a row a head, best first; the table ``choice`` of `Advice`.
        verdict: see `Advice`.
        head: the recommended one.
        confidence: probability that no other is better, by the tolerance if it does not matter.
    """

    task: str
    metric: str
    target: float
    items: int
    heads: list[str]
    values: Array
    table: pd.DataFrame
    verdict: str
    head: str
    confidence: float

    @property
    def ranked(self) -> list[str]:
        """Heads, best first."""
        return [str(name) for name in self.table["head"]]

    def goal(self, settings: Settings, notes: list[str]) -> float | None:
        """Return the metric that assurance is for; None where there is nothing to aim at."""
        if settings.target_accuracy is not None:
            return settings.target_accuracy
        low = float(self.table["low"][self.table["head"] == self.head].iloc[0])
        goal = float(np.floor(1000 * low) / 1000)
        if self.verdict == "undetermined" or not 0 < goal < 1:
            return None
        notes.append(
            "No target accuracy was given: the table of assurance is for"
            f" {in_metric(goal, self.metric)}, the lower end of what {self.head} should reach at"
            " the target."
        )
        return goal

    def advice(
        self,
        settings: Settings,
        changes: list[str],
        notes: list[str],
        tables: dict[str, pd.DataFrame],
        classes: int = 0,
    ) -> Advice:
        """Return the answer, sentences and all."""
        matching = "matching" in self.task
        return Advice(
            task=self.task,
            headline=headline(self.task, classes),
            items=self.items,
            target=self.target,
            metric=self.metric,
            recommended=self.head,
            verdict=self.verdict,
            confidence=self.confidence,
            recommendation=recommend(
                self.table,
                head=self.head,
                verdict=self.verdict,
                metric=self.metric,
                target=self.target,
                tolerance=settings.tolerance,
                unit="training pairs" if matching else "labelled items",
            ),
            settle=settling(
                *(self.verdict, self.values, self.heads, self.head, self.items, self.target),
                unit="images with a text" if matching else "labelled items",
            ),
            changes=changes,
            notes=notes,
            tables=tables,
        )


def decide(
    task: str,
    metric: str,
    target: float,
    items: int,
    heads: list[str],
    values: Array,
    table: pd.DataFrame,
    verdict: str,
    tolerance: float,
    sides: tuple[int, int],
) -> Decision:
    """Recommend the first head of the table, or the simplest of those that are as good.

    Args:
        task, metric, target, items, heads, values, table, verdict: see `Decision`.
        tolerance: see `fusiontheory.advise`.
        sides: d_v and d_t.
    """
    head = str(table["head"].iloc[0])
    confidence = float(table["p_best"].iloc[0])
    if verdict == "does not matter":
        near = table["gap"] >= table["gap"].max() - tolerance
        head = simplest([str(name) for name in table["head"][near]], *sides)
        own = values[:, heads.index(head)]
        confidence = float((own >= values.max(1) - tolerance).mean())
    return Decision(task, metric, target, items, heads, values, table, verdict, head, confidence)
