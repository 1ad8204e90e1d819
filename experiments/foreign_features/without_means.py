"""What is predicted of features with means if their means are taken for variance (docs/means.md).

``python -m experiments.foreign_features.without_means`` writes ``without_means.csv``. The moment
samples, heads, sizes and ridges are those of ``predictions.csv``, so that the two are held against
the same ``measured.csv``.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from experiments.foreign_features.config import Config
from experiments.foreign_features.predict import curves, sample_of
from experiments.side_tables import arguments, write_side_table
from fusiontheory.checks import ValidityWarning
from fusiontheory.moments import Centred, Moments
from fusiontheory.synthetic import FOREIGN

__all__ = ["compared", "without_means"]

IMAGES = 3000
HEADS = ("concat-mlp", "bilinear")


def _as_given(moments: Moments) -> Centred:
    return Centred(moments, 0.0, 0.0)


def without_means(config: Config) -> pd.DataFrame:
    """Return a row for each population with means, moment sample, head, ridge and n."""
    rows = []
    names = [name for name, population in FOREIGN.items() if population.kind == "uncentred"]
    for name in names:
        for number in range(config.samples):
            sample = sample_of(config.seed, name, IMAGES, number)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ValidityWarning)
                moments = replace(Moments.from_features(sample.image, sample.text), source=None)
                with patch("fusiontheory.curves.models.centred", _as_given):
                    rows += [
                        {"population": name, "sample": number, "head": head, **row}
                        for head in HEADS
                        for row in curves(head, moments, config.sizes, config.ridge)
                    ]
    return pd.DataFrame(rows).rename(columns={"kind": "ridge"}).drop(columns=["low", "high"])


def compared(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return predicted less measured accuracy in points, mean over moment samples.

    Args:
        tables: ``without_means.csv``, ``predictions.csv`` and ``measured.csv``.

    Returns:
        population, head, ridge, n, `before` (without means), `after` (with them), and the
        standard error of what was measured.
    """
    key = ["population", "head", "ridge", "n"]
    before = tables["without_means.csv"].groupby(key, sort=False)["predicted"].mean()
    stored = tables["predictions.csv"]
    stored = stored[(stored["images"] == IMAGES) & ~stored["groups"]]
    after = stored.groupby(key)["predicted"].mean()
    truth = tables["measured.csv"].set_index(key)
    found = pd.DataFrame({"before": before, "after": after}).loc[before.index]
    found = 100 * found.sub(truth["measured"].loc[before.index], axis=0)
    return found.assign(se=100 * truth["se"]).reset_index()


if __name__ == "__main__":
    arguments(__doc__)
    path = Path(__file__).with_name("without_means.csv")
    write_side_table(path, without_means(Config()), without_means)
