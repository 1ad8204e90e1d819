"""The pieces of experiments.interval_coverage, at a small size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worlds import WORLDS

from experiments.interval_coverage import trained
from experiments.interval_coverage.config import Config
from experiments.interval_coverage.measure import coverage_rows
from experiments.interval_coverage.pairs import fresh_pairs
from experiments.interval_coverage.predict import limit, predict, replicates
from experiments.interval_coverage.summary import coverage, real_cells
from experiments.study import Records

ROOT = Path(__file__).parents[2]

_CONFIG = replace(
    Config(), heads=("bilinear",), sizes=(128, 512), replicates=40, limit_samples=2, seed=1
)


@pytest.mark.parametrize("index", [0, 3])
def test_intervals_hold_the_limit_of_gaussian_pairs(index):
    population = _CONFIG.populations[index]
    truth, error = limit(_CONFIG, population, np.random.SeedSequence(0))
    assert (error < 0.003).all()  # a mean over samples of 20,000 images
    few = replace(_CONFIG, replicates=20)
    found, _ = replicates(few, population, 1000, np.random.SeedSequence(1))
    inside = (found[..., 1] <= truth) & (truth <= found[..., 2])
    assert inside.mean() > 0.85


@pytest.mark.parametrize("name", ["unit norm", "heavy tails"])
def test_shapes_keep_what_they_promise(name):
    population = next(p for p in _CONFIG.populations if p.name == name)
    v, t = population.draw(20_000, np.random.default_rng(0))
    assert (v**2).sum(axis=1).mean() == pytest.approx(1, abs=0.03)
    assert (t**2).sum(axis=1).mean() == pytest.approx(1, abs=0.03)
    lengths = (v**2).sum(axis=1)
    assert lengths.std() < 1e-6 if name == "unit norm" else lengths.std() > 0.5


def test_independent_pairs_share_no_image():
    pairs = fresh_pairs(_CONFIG.populations[0], 40, np.random.default_rng(0))
    assert len(np.unique(pairs.image, axis=0)) == len(np.unique(pairs.text, axis=0)) == 40
    # Matched pairs correlate, mismatched ones do not share an image.
    many = fresh_pairs(_CONFIG.populations[1], 4000, np.random.default_rng(0))
    scores = np.einsum("nd,nd->n", many.image, many.text)
    matched, mismatched = scores[many.label > 0], scores[many.label < 0]
    assert abs(mismatched.mean()) < 4 * mismatched.std() / np.sqrt(2000) < matched.mean()


def test_coverage_counts_misses_on_both_sides():
    row = pd.DataFrame({"replicates": [200], "limit_below": [6], "limit_above": [4]})
    assert coverage(row, "limit").tolist() == [0.95]


def test_real_cells_allow_standard_errors():
    cells = pd.DataFrame(
        {
            "measured": [0.60, 0.71],
            "measured_se": [0.01, 0.01],
            "predicted_low": [0.55, 0.60],
            "predicted_high": [0.65, 0.70],
        }
    )
    assert real_cells(cells, 0).index.tolist() == [1]
    assert real_cells(cells, 2).empty


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_worlds_of_the_tests_are_the_populations_that_were_measured(name):
    drawn = (
        source.draw(5, np.random.default_rng(0))
        for source in (WORLDS[name], Config().population(name))
    )
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_coverage_is_counted_from_the_stored_intervals(tmp_path):
    config = replace(
        Config(),
        populations=Config().populations[:1],
        heads=("bilinear", "dot-product"),
        images=(60,),
        sizes=(16, 32),
        seeds=(6, 6),
        independent_seeds=(6, 6),
        replicates=5,
        limit_samples=2,
        limit_images=400,
        test_pairs=200,
    )
    predicted = predict(config, Records(tmp_path, "small_predicted"))
    assert len(predicted["predictions.csv"]) == 2 * 2 * 5
    rows = [
        {"population": "flat", "kind": cell.config["kind"], **row}
        for cell in trained.cells(config, "small")
        for row in trained.means(cell, config)
    ]
    found = coverage_rows(predicted, pd.DataFrame(rows))
    stored = pd.read_csv(ROOT / "experiments/interval_coverage/results.csv")
    assert list(found.columns) == list(stored.columns)
    assert (found["replicates"] == 5).all()
    # The limit of 400 images is within the intervals of 60 more often than not.
    assert coverage(found, "limit").mean() > 0.5
    below = (predicted["predictions.csv"].query("head == 'bilinear' and n == 32")["low"]).to_numpy()
    row = found.query("head == 'bilinear' and n == 32").iloc[0]
    assert row["independent_below"] == (row["independent"] < below).sum()
    assert row["limit_below"] == (row["limit"] < below).sum()
