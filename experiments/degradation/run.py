"""Predict and measure every head on degraded features; store the gaps and how they change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.degradation.config import Config
from experiments.degradation.summary import verdict
from fusiontheory import predict_curve
from fusiontheory.checks import InputError
from fusiontheory.moments import Moments
from fusiontheory.simulate import Prediction, predict_head, simulate
from fusiontheory.synthetic import FeatureLaw, SyntheticConfig

RESULTS = Path(__file__).with_name("results.csv")
PREDICTIONS = Path(__file__).with_name("predictions.csv")
# Measured runs, for resuming; not kept with the project.
RECORDS = Path(__file__).parents[2] / ".cache" / "experiments" / "degradation"

_PLACE = ["target", "degradation", "level", "n"]


def predict(config: Config) -> pd.DataFrame:
    """Return the predicted gaps and their changes from level 0; nothing is run."""
    frames = []
    for target, _ in config.targets:
        for kind, level in config.cases:
            settings = config.settings(target, "noise" if kind == "none" else kind, level)
            for head in config.heads(target):
                found = _predicted(settings, head, config)
                frame = pd.DataFrame({"n": config.n, "risk": found.test})
                frame["accuracy"] = found.accuracy
                if target == "matching" and head == "additive":
                    frame["accuracy"] = 0.5
                frames.append(
                    frame.assign(target=target, degradation=kind, level=level, head=head, seed=0)
                )
    gaps = _gaps(config, pd.concat(frames))
    return gaps[[*_PLACE, "first", "second", "gap", "change", "accuracy_change"]]


def _predicted(settings: SyntheticConfig, head: str, config: Config) -> Prediction:
    if settings.mismatched and settings.degradation.shuffle_t > 0 and head != "additive":
        return _shuffled_matching(settings, head, config)
    return predict_head(settings, head, list(config.n), config.ridge)


def _shuffled_matching(settings: SyntheticConfig, head: str, config: Config) -> Prediction:
    """Return `predict_curve` with C times the share of rows that keep their t.

    That is the cross-covariance of rows labelled as matched. Their other moments are those of a
    mixture and are taken as Gaussian.
    """
    law = FeatureLaw.of(settings.model)
    moments = Moments.from_second_moments(
        law.second_moment_v, law.second_moment_t, law.matched * law.matched_cross
    )
    curve = predict_curve(head, moments, config.n, config.ridge)
    risk, accuracy = (curve[name].to_numpy(dtype=np.float64) for name in ("risk", "accuracy"))
    return Prediction(risk, np.full(risk.size, np.nan), accuracy, "predict_curve")


def measure(config: Config, folder: Path = RECORDS) -> pd.DataFrame:
    """Return the measured gaps and changes, means over seeds with standard errors."""
    frames = []
    for target, _ in config.targets:
        table = simulate(config.grid(target), folder / target)
        cases = pd.DataFrame(config.cases, columns=["degradation", "level"])
        table = table.drop(
            columns=[c for c in table if str(c).startswith(("degradation.", "target."))]
        )
        table = table.join(cases, on="config_index").rename(columns={"test": "risk"})
        frames.append(table.assign(target=target))
    gaps = _gaps(config, pd.concat(frames))
    found = gaps.groupby([*_PLACE, "first", "second"], as_index=False, sort=False)
    return found.agg(
        first_risk=("first_risk", "mean"),
        second_risk=("second_risk", "mean"),
        gap=("gap", "mean"),
        gap_se=("gap", "sem"),
        change=("change", "mean"),
        change_se=("change", "sem"),
        accuracy_gap=("accuracy_gap", "mean"),
        accuracy_change=("accuracy_change", "mean"),
        accuracy_change_se=("accuracy_change", "sem"),
    )


def _gaps(config: Config, table: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps of each seed; ``change`` is from level 0 on the same draws.

    The accuracy gap is the first head's accuracy less the second's, of matching alone.
    """
    keys = [*_PLACE, "seed"]
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


def main(action: str) -> None:
    """Do what is asked: "predict" stores the closed forms, "run" the runs, "summary" reads both."""
    config = Config()
    if action == "predict":
        _write(predict(config), PREDICTIONS)
    elif action == "run":
        _write(measure(config), RESULTS)
    elif action != "summary":
        raise InputError(f"action must be predict, run or summary, got {action!r}")
    measured = None if action == "predict" else pd.read_csv(RESULTS)
    print(verdict(config, pd.read_csv(PREDICTIONS), measured))


def _write(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
