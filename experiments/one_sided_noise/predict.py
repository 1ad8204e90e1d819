"""What Adam's metric says of each network, from the noisy features of images that may be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from experiments.degraded_networks import conditions_of
from experiments.one_sided_noise.config import Config
from validation.conditions import fitted_rows
from validation.trained import PLACE, derived_features, optimiser_predictions

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["predict"]

_PLACE = ["condition", "head", "n", "side", "sigma"]


def predict(config: Config, records: Records) -> Tables:
    """Return a row per condition, head, side and sigma."""
    conditions = conditions_of(config, records.root)
    cells = [cell for part in config.cells().values() for cell in part]
    told = []
    for condition, noise in dict.fromkeys((cell.condition, cell.noise) for cell in cells):
        here = [cell for cell in cells if (cell.condition, cell.noise) == (condition, noise)]
        seen = derived_features(config.study, conditions[condition], here[0])
        rows = seen.rows("train") if config.strengths[condition] else fitted_rows(seen)
        asked = pd.DataFrame(
            [(c.condition, c.head, c.n, c.noise.sigma, c.noise.side) for c in here], columns=PLACE
        )
        known = ({condition: seen}, {condition: rows}, config.study.training)
        told.append(optimiser_predictions(asked, *known, seen.rows("train").size, "fixed"))
    table = pd.concat(told, ignore_index=True)
    return {"predictions.csv": table[[*_PLACE, "predicted"]].sort_values(_PLACE)}
