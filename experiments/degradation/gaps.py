"""Gaps between heads and how they change from no degradation."""

from __future__ import annotations

import pandas as pd

from experiments.degradation.config import Config

__all__ = ["PLACE", "gaps"]

PLACE = ["target", "degradation", "level", "n"]


def gaps(config: Config, table: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps of each seed; ``change`` is from level 0 on the same draws.

    The accuracy gap is the first head's accuracy less the second's, of matching alone.
    """
    keys = [*PLACE, "seed"]
    frames = []
    for target, _ in config.targets:
        held = table[table["target"] == target]
        wide = held.pivot(index=keys, columns="head", values=["risk", "accuracy"])
        for first, second in config.gaps(target):
            frame = pd.DataFrame(
                {
                    "first_risk": wide["risk", first],
                    "second_risk": wide["risk", second],
                    "gap": wide["risk", first] - wide["risk", second],
                    "accuracy_gap": wide["accuracy", first] - wide["accuracy", second],
                }
            ).reset_index()
            frames.append(_changes(frame).assign(first=first, second=second))
    return pd.concat(frames, ignore_index=True)


def _changes(frame: pd.DataFrame) -> pd.DataFrame:
    same = ["target", "n", "seed"]
    none = frame[frame["degradation"] == "none"].set_index(same)[["gap", "accuracy_gap"]]
    frame = frame.join(none, on=same, rsuffix="_of_none")
    for name, change in (("gap", "change"), ("accuracy_gap", "accuracy_change")):
        frame[change] = frame[name] - frame[f"{name}_of_none"]
    return frame
