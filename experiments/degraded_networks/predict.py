"""What is predicted of each network, from the features of the images that may be known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.degraded_networks.config import Config
from fusiontheory.data import FeatureSet
from validation.conditions import condition_features, fitted_rows
from validation.trained import (
    PLACE,
    TrainedCell,
    TrainedStudy,
    derived_features,
    optimiser_predictions,
)

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["conditions_of", "predict"]

_PLACE = ["condition", "head", "n", "sigma"]
_CHANCE = 0.5


def conditions_of(config: Config, root: Path) -> dict[str, FeatureSet]:
    """Return the features of each strength of alignment, without noise."""
    return condition_features(config.features(), config.strengths, root / "heads")


def predict(config: Config, records: Records) -> Tables:
    """Return a row per condition, head, n and sigma.

    Adam's metric on the noisy, or controlled, features of the images that may be known; heads that
    read one modality are at chance.
    """
    conditions = conditions_of(config, records.root)
    cells = [cell for part in config.cells().values() for cell in part]
    places = list(dict.fromkeys((cell.condition, cell.noise) for cell in cells))
    told = []
    study = config.study
    for condition, noise in places:
        here = [cell for cell in cells if (cell.condition, cell.noise) == (condition, noise)]
        seen = derived_features(study, conditions[_without_control(study, condition)], here[0])
        rows = seen.rows("train") if study.conditions[condition].strength else fitted_rows(seen)
        images = seen.rows("train").size
        known = (_asked(here), {condition: seen}, {condition: rows}, study.training, images)
        told.append(optimiser_predictions(*known, "fixed"))
        told.append(_at_chance([cell for cell in here if cell.head not in config.predicted]))
    table = pd.concat([part for part in told if len(part)], ignore_index=True)
    return {"predictions.csv": table[[*_PLACE, "predicted", "by"]].sort_values(_PLACE)}


def _without_control(study: TrainedStudy, condition: str) -> str:
    return condition.removesuffix(f"-{study.conditions[condition].control}")


def _asked(cells: list[TrainedCell]) -> pd.DataFrame:
    rows = [(c.condition, c.head, c.n, c.noise.sigma, c.noise.side) for c in cells]
    return pd.DataFrame(rows, columns=PLACE)


def _at_chance(cells: list[TrainedCell]) -> pd.DataFrame:
    return _asked(cells).assign(predicted=_CHANCE, by="reads one modality")
