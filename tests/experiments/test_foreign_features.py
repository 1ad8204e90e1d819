"""The study measures what a reference measures, cuts where it must, and predicts first."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.foreign_features import calibrate, measure
from experiments.foreign_features.config import Config, population_seed
from experiments.foreign_features.predict import predicted, samples
from experiments.foreign_features.ranges import find_ranges
from fusiontheory.curves import predict_curve
from fusiontheory.heads import HEADS
from fusiontheory.moments import EFFECTS, Moments
from fusiontheory.solvers import PairFeatures, measure_curve
from fusiontheory.synthetic import find_population

SMALL = Config(
    populations=("gauss_mild",),
    images=(200,),
    samples=2,
    sizes=(16, 32, 64),
    seeds=(4, 3, 2),
    corpus=128,
    test=100,
)


@pytest.mark.parametrize("head", ["concat-mlp", "bilinear", "dot-product", "concat-linear"])
def test_its_own_loop_agrees_with_the_library_s(head: str) -> None:
    rng = np.random.default_rng(0)
    population = find_population("relu_dense")
    train = measure.training_pairs(population, 64, 128, rng)
    test = measure.test_pairs(population, 200, rng)
    own = measure.accuracies(HEADS[head], train, test, [(32, 0.1), (64, 0.1)])
    pairs = [PairFeatures(x.image, x.text, x.label) for x in (train, test)]
    for point in measure_curve(HEADS[head], *pairs, [32, 64], 0.1):
        assert own[point.n, 0.1] == pytest.approx(point.accuracy, abs=1e-12)


def test_no_row_is_in_two_training_pairs() -> None:
    population = find_population("gauss_mild")
    train = measure.training_pairs(population, 64, 96, np.random.default_rng(0))
    assert len({row.tobytes() for row in train.image}) == 64
    assert len({row.tobytes() for row in train.text}) == 64
    assert train.label.tolist() == [1.0, -1.0] * 32


def test_measures_every_cell() -> None:
    table = pd.DataFrame(measure.measured(SMALL, "gauss_mild"))
    assert len(table) == 4 * 2 * 3
    assert set(table["seeds"]) == {4, 3, 2}
    assert table["measured"].between(0.3, 1).all()


def test_measures_nothing_without_a_prediction(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(measure, "PREDICTIONS", tmp_path / "none.csv")
    with pytest.raises(SystemExit, match="no prediction is stored"):
        measure.measure_all(SMALL)
    pd.DataFrame({"population": ["another"]}).to_csv(tmp_path / "none.csv")
    monkeypatch.setattr(measure, "MEASURED", tmp_path / "measured.csv")
    with pytest.raises(SystemExit, match="no prediction of gauss_mild"):
        measure.measure_all(SMALL)


def test_stores_the_theory_s_own_intervals() -> None:
    sample = find_population("uncentred_wide").draw(200, np.random.default_rng(0))
    config = replace(SMALL, ridges=(0.1, 1.0))
    table = pd.DataFrame(predicted(config, ["bilinear"], sample))
    moments = replace(Moments.from_features(sample.image, sample.text), source=None)
    curve = predict_curve("bilinear", moments, SMALL.sizes, 0.1)
    own = table[table["ridge"] == "0.1"]
    np.testing.assert_allclose(own["low"], curve["accuracy_low"])
    assert (table["delta"] > 0).all()


def test_first_samples_stay_when_there_are_more() -> None:
    first = dict(samples(SMALL, "gauss_mild", 200))
    more = dict(samples(replace(SMALL, samples=3), "gauss_mild", 200))
    for number in first:
        np.testing.assert_array_equal(first[number].image, more[number].image)
    assert not np.array_equal(more[0].image, more[1].image)


def test_seeds_hang_on_name_and_purpose() -> None:
    states = {
        population_seed(SMALL, name, purpose).generate_state(1)[0]
        for name in ("gauss_mild", "gauss_flat")
        for purpose in (1, 2)
    }
    assert len(states) == 4


def units(**columns: list[float]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    rest = {name: [1.0] * count for name in EFFECTS if name not in columns}
    return pd.DataFrame({**rest, **columns})


def test_one_cut_parts_right_from_wrong() -> None:
    table = units(mean_share=[0.0, 0.1, 0.2, 0.6, 0.8])
    table["bad"] = table["mean_share"] > 0.5
    found = find_ranges(table, list(EFFECTS))
    assert found.ends["mean_share"] == (None, pytest.approx(0.4))
    assert found.spans["mean_share"] == pytest.approx(0.4)


def test_low_values_are_cut_from_below_on_their_scale() -> None:
    table = units(effective_dimensions=[2.0, 8.0, 32.0])
    table["bad"] = [True, False, False]
    low, high = find_ranges(table, list(EFFECTS)).ends["effective_dimensions"]
    assert high is None
    assert low == pytest.approx(4.0)


def test_two_causes_make_two_cuts_and_chance_makes_none() -> None:
    table = units(
        mean_share=[0.0, 0.1, 0.05, 0.8, 0.0, 0.05],
        first_share=[0.1, 0.2, 0.15, 0.1, 0.9, 0.14],
    )
    # The last is wrong in the midst of the right ones: no cut is worth it.
    table["bad"] = [False, False, False, True, True, True]
    found = find_ranges(table, list(EFFECTS))
    assert 0.1 < found.ends["mean_share"][1] < 0.8
    assert 0.2 < found.ends["first_share"][1] < 0.9


def made_up(bias: float, populations: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for k in range(populations):
        share = 0.6 + 0.02 * k if k % 2 else 0.02 * k / populations
        for n in (128, 512):
            for sample in range(4):
                error = (bias * share if k % 2 else 0.0) + 0.003 * rng.standard_normal()
                rows.append(
                    {
                        **dict.fromkeys(EFFECTS, 1.0),
                        "mean_share": share,
                        "population": f"p{k}",
                        "images": 500,
                        "sample": sample,
                        "head": "bilinear",
                        "ridge": "0.1",
                        "n": n,
                        "predicted": 0.8 + error,
                        "low": 0.794 + error,
                        "high": 0.806 + error,
                        "measured": 0.8,
                        "se": 0.001,
                        "error": error,
                        "miss": abs(error) - 0.007,
                    }
                )
    return pd.DataFrame(rows)


def test_a_population_left_out_is_warned_and_covered() -> None:
    table = calibrate.leave_one_out(made_up(bias=0.1))
    wrong = table["mean_share"] > 0.5
    assert not table.loc[wrong, "trusted"].any()
    assert table.loc[~wrong, "trusted"].mean() > 0.8
    held = (table["error"].abs() <= 0.006 + table["extra"]).groupby(wrong).mean()
    assert (held > 0.85).all()


def test_nothing_wrong_warns_hardly_anyone() -> None:
    table = calibrate.leave_one_out(made_up(bias=0.0))
    assert table["trusted"].mean() > 0.8
