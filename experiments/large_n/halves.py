"""How far does a prediction for many pairs move with the images that its moments are of?

``python -m experiments.large_n.halves`` writes ``halves.csv``: accuracies predicted from two
disjoint halves of the moment images, for several divisions. Half the distance of the two is one
draw of the sampling error of the whole, as far as that falls with the root of the images.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.large_n.config import Config
from experiments.side_tables import arguments, write_side_table
from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from validation.conditions import fitted_rows

__all__ = ["divided", "main", "sampling_error"]

_FOLDER = Path(__file__).parent
_DIVISIONS = 5


def divided(
    condition: str, features: FeatureSet, rows: np.ndarray, config: Config
) -> Iterator[dict[str, object]]:
    """Yield a row for each division, half and n: the accuracy predicted from that half."""
    rng = np.random.default_rng(config.entropy)
    for division in range(_DIVISIONS):
        for half, part in enumerate(np.array_split(rng.permutation(rows), 2)):
            moments = Moments.from_features(features.image[part], features.text[part])
            curve = predict_curve(
                *("concat-mlp", moments, config.sizes, config.ridge),
                training_images=features.rows("train").size,
            )
            for n, accuracy in zip(config.sizes, curve["accuracy"], strict=True):
                place = {"condition": condition, "division": division, "half": half}
                yield {**place, "images": part.size, "n": n, "accuracy": accuracy}


def sampling_error(table: pd.DataFrame) -> pd.Series[float]:
    """Return the standard error of a prediction from all images, in points, by condition and n."""
    halves = table.pivot(index=["condition", "n", "division"], columns="half", values="accuracy")
    apart = (halves[0] - halves[1]) ** 2
    return 100 * apart.groupby(["condition", "n"]).mean() ** 0.5 / 2


def main(config: Config | None = None) -> pd.DataFrame:
    """Write and return the table."""
    config = config or Config()
    strengths = dict(config.strengths)
    rows = []
    for condition, features in config.conditions().items():
        known = features.rows("train") if strengths[condition] else fitted_rows(features)
        rows += list(divided(condition, features, known, config))
    table = pd.DataFrame(rows)
    write_side_table(_FOLDER / "halves.csv", table, main)
    print(sampling_error(table).to_string())
    return table


if __name__ == "__main__":
    arguments(__doc__)
    main()
