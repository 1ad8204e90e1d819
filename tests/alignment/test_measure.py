"""The table of metrics: equal to the functions, honest intervals, nulls and p values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fusiontheory.alignment import (
    COLUMNS,
    METRICS,
    Measurement,
    bootstrap_interval,
    canonical_correlations,
    linear_cka,
    matched_cosine,
    measure_alignment,
    measure_canonical,
    modality_gap,
    mutual_neighbours,
    p_value,
    retrieval_recall,
)
from fusiontheory.checks import InputError
from fusiontheory.cli import app

ROWS = [
    "matched_cosine",
    "cosine_auc",
    *(f"text_to_image@{k}" for k in (1, 5, 10)),
    *(f"image_to_text@{k}" for k in (1, 5, 10)),
    "modality_gap",
    "canonical_1",
    "canonical_mean",
    "cka",
    "mutual_neighbours",
]


def draw(rng, n=100, d=4, captions=2, noise=0.7):
    """Pairs with a gap that share their coordinates up to noise."""
    image = rng.standard_normal((n, d)) * np.arange(d, 0, -1) / d + 0.3
    return image, image[:, None] - 0.5 + noise * rng.standard_normal((n, captions, d))


def by_functions(image, text):
    cosine, recall = matched_cosine(image, text), retrieval_recall(image, text)
    canonical = canonical_correlations(image, text).correlations
    return {
        "matched_cosine": cosine["matched"],
        "cosine_auc": cosine["auc"],
        **recall,
        "modality_gap": modality_gap(image, text),
        "canonical_1": canonical[0],
        "canonical_mean": canonical.mean(),
        "cka": linear_cka(image, text),
        "mutual_neighbours": mutual_neighbours(image, text),
    }


@pytest.mark.parametrize("captions", [1, 3])
def test_values_are_those_of_the_functions(captions):
    image, text = draw(np.random.default_rng(captions), captions=captions)
    table = measure_alignment(image, text, permutations=0, bootstrap=0)
    assert list(table.columns) == list(COLUMNS)
    assert table["metric"].tolist() == ROWS
    assert dict(zip(ROWS, table["value"], strict=True)) == pytest.approx(
        by_functions(image, text), abs=1e-12
    )
    assert table[["low", "high", "null_mean", "null_95", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize("captions", [1, 3])
def test_null_values_are_those_of_shuffled_captions(captions):
    image, text = draw(np.random.default_rng(captions), n=60, captions=captions)
    for name in METRICS:
        if name in ("gap", "canonical"):
            continue
        measurement = METRICS[name](image, text)
        order = np.random.default_rng(5).permutation(60)  # what the null draws first
        null = dict(
            zip(measurement.metrics, measurement.null(np.random.default_rng(5)), strict=True)
        )
        expected = {k: by_functions(image, text[order])[k] for k in null}
        # The null of the AUC counts cosines in 2^16 bins.
        assert null == pytest.approx(expected, abs=2e-5 if name == "cosine" else 1e-10)


def test_dependence_is_told_from_its_null():
    image, text = draw(np.random.default_rng(0))
    table = measure_alignment(image, text, permutations=39, bootstrap=50)
    assert (table["p_value"] == 1 / 40).all()
    assert (table["value"] > table["null_95"]).all()
    assert (table["null_95"] >= table["null_mean"]).all()
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()


def test_p_values_without_dependence_are_uniform():
    rng, values = np.random.default_rng(0), []
    for seed in range(60):
        image, text = rng.standard_normal((30, 3)), rng.standard_normal((30, 3))
        table = measure_alignment(image, text, permutations=9, bootstrap=0, seed=seed)
        values.append(table["p_value"])
    small = (np.array(values) <= 0.2).mean(axis=0)
    # A fifth or less (ties), within 3.5 standard errors of 60 draws; without ties just that.
    assert (small < 0.2 + 3.5 * np.sqrt(0.2 * 0.8 / 60)).all()
    reached = small[[ROWS.index(k) for k in ("matched_cosine", "cosine_auc", "canonical_1", "cka")]]
    assert (reached > 0.2 - 3.5 * np.sqrt(0.2 * 0.8 / 60)).all()


def test_p_value_counts_itself():
    assert p_value(2.0, np.zeros(99)) == 0.01
    assert p_value(0.0, np.zeros(99)) == 1.0
    assert p_value(1.0, np.array([0.0, 1.0 - 1e-14, 2.0])) == 0.75


COVERED = [k for k in ROWS if not k.startswith("canonical")]


def test_intervals_cover_the_truth():
    rng = np.random.default_rng(7)
    groups = [name for name in METRICS if name != "canonical"]
    values, lows, highs = [], [], []
    for index in range(450):
        image, text = draw(rng, n=200, captions=1, noise=0.4)
        measurements = [METRICS[name](image, text) for name in groups]
        values.append(np.concatenate([m.scale(m.value) for m in measurements]))
        if index % 3:
            ends = [bootstrap_interval(m, 200, rng) for m in measurements]
            lows.append(np.concatenate([low for low, _ in ends]))
            highs.append(np.concatenate([high for _, high in ends]))
    truth = np.mean(values, axis=0)  # at this number of images
    inside = ((np.array(lows) <= truth) & (truth <= np.array(highs))).mean(axis=0)
    covered = dict(zip(COVERED, inside.round(3).tolist(), strict=True))
    # Three standard errors of 300 draws are 0.038, and 200 replicates cost one per cent.
    assert min(covered.values()) > 0.9, covered
    # Holding the gallery makes those of recall wider than they need be, by up to a fifth.
    assert max(covered.values()) < 0.995, covered


def test_interval_of_canonical_correlations_covers_the_population():
    rng, rho, inside = np.random.default_rng(0), np.array([0.8, 0.5]), []
    for seed in range(150):
        image, text = rng.standard_normal((2, 600, 3))
        text[:, :2] = rho * image[:, :2] + np.sqrt(1 - rho**2) * text[:, :2]
        measurement = measure_canonical(image, text[:, :2], seed=seed)
        low, high = bootstrap_interval(measurement, 300, rng)
        truth = np.array([rho[0], rho.mean()])
        inside.append((low <= truth) & (truth <= high))
    assert (np.mean(inside, axis=0) > 0.95 - 3.5 * np.sqrt(0.95 * 0.05 / 150)).all(), inside


def test_interval_of_cka_covers_zero():
    rng, inside = np.random.default_rng(0), []
    for _ in range(300):
        image, text = rng.standard_normal((60, 5)), rng.standard_normal((60, 4))
        low, high = bootstrap_interval(METRICS["cka"](image, text), 300, rng)
        inside.append(low[0] <= 0 <= high[0])
    assert np.mean(inside) > 0.88


def test_bootstrap_is_that_of_a_mean():
    x = np.random.default_rng(0).exponential(size=(50, 1))
    mean = Measurement(("mean",), x.mean(axis=0), x, lambda rng: np.zeros(1))
    low, high = bootstrap_interval(mean, 20_000, np.random.default_rng(1))
    rows = np.random.default_rng(2).integers(50, size=(20_000, 50))
    assert [low[0], high[0]] == pytest.approx(
        np.quantile(x[rows, 0].mean(axis=1), [0.025, 0.975]), abs=0.01
    )


def test_an_image_beside_its_copy_is_not_its_neighbour():
    # Each image twice: a naive bootstrap sees this, and finds every neighbour in both modalities.
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((60, 3)), rng.standard_normal((60, 3))
    table = measure_alignment(image, text, permutations=0, metrics=["neighbours", "recall"])
    naive = rng.integers(60, size=60)
    doubled = mutual_neighbours(image[naive], text[naive], k=1)
    assert doubled > 0.3 > mutual_neighbours(image, text, k=1)
    assert table["high"].max() < 0.45


def test_groups_do_not_depend_on_each_other_but_on_the_seed():
    image, text = draw(np.random.default_rng(0), n=40)
    whole = measure_alignment(image, text, permutations=5, bootstrap=5, seed=3)
    part = measure_alignment(image, text, permutations=5, bootstrap=5, seed=3, metrics=["cka"])
    assert part.iloc[0].tolist() == whole.iloc[ROWS.index("cka")].tolist()
    other = measure_alignment(image, text, permutations=5, bootstrap=5, seed=4, metrics=["cka"])
    assert other["low"][0] != part["low"][0]


def test_other_dimensions_leave_out_what_needs_one_space():
    image, text = draw(np.random.default_rng(0), n=40)
    table = measure_alignment(image, text[..., :3], permutations=2, bootstrap=2)
    assert table["metric"].tolist() == ["canonical_1", "canonical_mean", "cka", "mutual_neighbours"]


EYE = np.eye(20)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((EYE[:19], EYE[:19]), {}, "image must have at least 20 rows, got 19"),
        ((EYE, EYE), {"permutations": -1}, "permutations must be at least 0, got -1"),
        ((EYE, EYE), {"bootstrap": 1.5}, "bootstrap must be an integer, got 1.5"),
        ((EYE, EYE), {"seed": -1}, "seed must be at least 0, got -1"),
        ((EYE, EYE), {"metrics": ["cca"]}, "metrics must be among cosine, .*, got 'cca'"),
        ((EYE, EYE), {"metrics": []}, "metrics must hold at least one group"),
        ((EYE, EYE[:, :3]), {"metrics": ["gap"]}, "gap needs .* one dimension, got 20 and 3"),
        ((EYE, EYE[:, :3]), {}, r"text must have no zero vector, .* \(17 of 20 rows are zero"),
        ((np.repeat(EYE, 5, axis=0), np.ones((100, 3))), {}, "got 20 distinct rows of 100"),
    ],
)
def test_refusals(arguments, settings, message):
    with pytest.raises(InputError, match=message):
        measure_alignment(*arguments, **settings)


def run(*arguments):
    return CliRunner().invoke(app, ["alignment", *map(str, arguments)])


def test_command_prints_the_table(tmp_path):
    path = tmp_path / "features.npz"
    image, text = draw(np.random.default_rng(0), n=40)
    np.savez(path, image=image, text=text, split=np.repeat(["train", "test"], 20))
    result = run(path, "--metric", "cka", "--permutations", "0", "--bootstrap", "9", "--json")
    record = json.loads(result.stdout)
    assert record["images"] == 40
    assert record["metrics"][0]["value"] == pytest.approx(linear_cka(image, text), abs=1e-5)
    assert record["metrics"][0]["p_value"] is None
    result = run(path, "--split", "test", "--permutations", "3", "--bootstrap", "3")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["metric", *ROWS]
    result = run(tmp_path / "none.npz")
    assert result.exit_code == 2
